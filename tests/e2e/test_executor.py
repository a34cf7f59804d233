"""Where steps are executed: those of a small run in one process, those of a large one in workers side by side."""

from __future__ import annotations

import pytest

from classification_assets.execution.executor import CORES, ENVIRONMENT, usable_cores
from tests.e2e.stored import content_of, files_of


def test_a_run_of_many_steps_uses_every_core(trained):
    # On very many cores, it has no step for some.
    assert trained.processes_of_steps() >= min(usable_cores(), 4)


def test_a_run_of_few_steps_is_executed_in_one_process(retrained):
    retrained.materialize("moons_small/linear/surface").succeeded()
    assert retrained.processes_of_steps() == 1


OTHER = "in_process" if usable_cores() >= CORES else "multiprocess"
"""What `trained` has not done; on one core there is one worker."""


@pytest.mark.parametrize("chosen_by", ["run", "environment"])
def test_workers_give_the_same_artifacts_as_one_process(trained, untrained, chosen_by):
    config = {"execution": {"config": {OTHER: {}}}} if chosen_by == "run" else None
    variables = {} if chosen_by == "run" else {ENVIRONMENT: OTHER}
    selected = " or ".join(f'key:"moons_small/{name}"' for name in ("dataset", "split", "linear/*"))
    untrained.materialize(selected, config, **variables).succeeded()
    assert untrained.processes_of_steps() == 1
    made = files_of(untrained)
    assert any("boundary" in str(name) for name in made)
    for name, path in made.items():
        assert content_of(path) == content_of(files_of(trained)[name]), name
