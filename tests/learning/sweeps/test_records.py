"""Records: what is kept of each network, and that probabilities are kept of the best alone."""

import numpy as np
import pytest

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.sweeps.judge import Judge
from classification_assets.learning.sweeps.packs import Outcome, Task
from classification_assets.learning.sweeps.records import Records
from classification_assets.learning.sweeps.scored_rows import SweptRows
from tests.learning.sweeps.members import members

V = 50


@pytest.fixture
def judge():
    y = np.arange(V) % 2
    return Judge(
        SweptRows(np.zeros((V, 1), np.float32), y, None, [np.arange(0)], [np.arange(V)], 2), "log_loss"
    )


def outcome(n, until, failed=(), knows=None):
    """An outcome of n networks whose probabilities of the right class are these."""
    right = np.linspace(0.1, 0.9, n) if knows is None else np.asarray(knows)
    of_class_1 = np.where(np.arange(V) % 2, right[:, None], 1 - right[:, None])
    probabilities = np.stack([1 - of_class_1, of_class_1], 2).astype(np.float32)
    mask = np.isin(np.arange(n), failed)
    return Outcome(
        "key", mask, list(probabilities), np.zeros((until, n), np.float32), np.zeros(n, np.float32), 1.0
    )


def noted(judge, configurations, **options):
    records = Records(judge)
    every = members(MLP(hidden=(3,)), configurations)
    task = Task(tuple(every), 2, (), "key", False)
    records.note(task, outcome(len(every), 2, **options))
    for index in range(len(every)):
        records.judged(index, 1)
    return records


def bytes_held(records):
    """Of the arrays that probabilities keep alive, each counted once."""
    arrays = {}
    for record in records.of.values():
        held = record.probabilities
        while held is not None and held.base is not None:
            held = held.base
        if held is not None:
            arrays[id(held)] = held.nbytes
    return sum(arrays.values())


def test_probabilities_are_kept_of_the_best_and_of_the_best_finished_alone(judge):
    records = noted(judge, [{"learning_rate": 0.01}] * 200)
    each = V * 2 * 4
    assert bytes_held(records) == 200 * each
    finished = range(0, 100)
    records.forget(10, finished)
    assert bytes_held(records) == 20 * each
    assert sorted(records.remembered()) == [*range(90, 100), *range(190, 200)]
    assert len(records.scores) == 200


def test_the_best_are_those_of_the_best_score_in_the_direction_of_the_metric(judge):
    records = noted(judge, [{}] * 4, knows=[0.6, 0.9, 0.9, 0.7])
    assert records.best(3) == [1, 2, 3]
    assert records.best(2, [0, 3, 17]) == [3, 0]


def test_a_configuration_that_diverged_has_no_score_and_its_neighbours_lie_where_they_lie(judge):
    records = noted(judge, [{}] * 4, failed=[1])
    assert records.failed == {1}
    assert set(records.scores) == {0, 2, 3}
    assert [records.of[index, 0, 0].lies for index in (0, 2, 3)] == [("key", 0), ("key", 1), ("key", 2)]


def test_a_score_of_an_earlier_rung_goes_when_a_network_diverges_later(judge):
    records = noted(judge, [{}] * 3)
    task = Task(tuple(members(MLP(hidden=(3,)), [{}] * 3)), 5, (("key", 0),) * 3, "later", False)
    records.note(task, outcome(3, 3, failed=[0]))
    assert [records.judged(index, 1) is None for index in range(3)] == [True, False, False]
    assert set(records.scores) == {1, 2}
    assert len(records.of[1, 0, 0].curve) == 5


def test_a_configuration_of_which_networks_are_still_to_come_is_not_judged(judge):
    records = Records(judge)
    every = members(MLP(hidden=(3,)), [{}])
    records.note(Task(tuple(every), 2, (), "key", False), outcome(1, 2))
    assert records.judged(0, 2) is None
    assert records.judged(1, 2) is None
