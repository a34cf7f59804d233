"""Where steps are executed: a small run in one process, a large one in processes side by side."""

from __future__ import annotations

import pytest

from classification_assets.execution.executor import CORES, ENVIRONMENT, MANY, usable_cores
from tests.e2e.stored import content_of, files_of


def test_a_run_of_many_steps_uses_processes_where_there_are_many_cores(trained):
    used = trained.processes_of_steps()
    assert used >= MANY if usable_cores() >= CORES else used == 0


def test_a_run_of_few_steps_is_executed_in_one_process(retrained):
    retrained.materialize("moons_small/linear/surface").succeeded()
    assert retrained.processes_of_steps() == 0


OTHER = "in_process" if usable_cores() >= CORES else "multiprocess"
"""What `trained` has not done."""


@pytest.mark.parametrize("chosen_by", ["run", "environment"])
def test_a_process_a_step_gives_the_same_artifacts_as_one_process(trained, untrained, chosen_by):
    config = {"execution": {"config": {OTHER: {}}}} if chosen_by == "run" else None
    variables = {} if chosen_by == "run" else {ENVIRONMENT: OTHER}
    # With figures from the environment alone: a process is seconds of imports.
    own = ("linear/model", "linear/evaluation") if chosen_by == "run" else ("linear/*",)
    selected = " or ".join(f'key:"moons_small/{name}"' for name in ("dataset", "split", *own))
    untrained.materialize(selected, config, **variables).succeeded()
    assert (
        untrained.processes_of_steps() >= 4
        if OTHER == "multiprocess"
        else untrained.processes_of_steps() == 0
    )
    made = files_of(untrained)
    assert any("boundary" in str(name) for name in made) == (chosen_by == "environment")
    for name, path in made.items():
        assert content_of(path) == content_of(files_of(trained)[name]), name
