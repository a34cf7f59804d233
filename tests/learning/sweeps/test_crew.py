"""A crew does tasks in one process or several: the same outcomes in the same order, and nothing is left behind."""

import numpy as np
import pytest
from joblib.externals.loky import wait

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.sweeps.crew import Crew
from classification_assets.learning.sweeps.packing import tasks_of
from tests.learning.sweeps.members import DIFFERENT, members


def tasks(rows, until=2):
    """Eleven tasks of different shapes."""
    return [
        task
        for units in range(3, 14)
        for task in tasks_of(
            members(MLP(hidden=(units,)), DIFFERENT[: 1 + units % 3]),
            rows,
            until,
            "cpu",
            f"{units}",
            drops=True,
        )
    ]


@pytest.mark.parametrize("wait_for_others", [False, True])
def test_several_processes_do_what_one_does_in_the_same_order(rows, tmp_path, wait_for_others):
    given, (one, two) = tasks(rows), (tmp_path / "one", tmp_path / "two")
    one.mkdir()
    two.mkdir()
    with Crew(rows, 1, one, "cpu", 1) as crew:
        alone = list(crew.outcomes(given))
    with Crew(rows, 3, two, "cpu", 1) as crew:
        if wait_for_others:
            wait(crew.starting)
        together = list(crew.outcomes(given))
    assert [outcome.key for outcome in together] == [task.key for task in given]
    for first, second in zip(alone, together, strict=True):
        assert first.key == second.key
        np.testing.assert_array_equal(first.curve, second.curve)
        for p, q in zip(first.probabilities, second.probabilities, strict=True):
            np.testing.assert_array_equal(p, q)


def test_an_error_in_another_process_is_raised_here_and_ends_all(rows, tmp_path):
    with Crew(rows, 2, tmp_path / "not there", "cpu", 1) as crew:
        wait(crew.starting)
        with pytest.raises(Exception, match=r"not there|No such file"):
            list(crew.outcomes(tasks(rows)))
    assert not list(tmp_path.iterdir())


def test_no_task_is_no_outcome(rows, tmp_path):
    with Crew(rows, 1, tmp_path, "cpu", 1) as crew:
        assert list(crew.outcomes([])) == []
