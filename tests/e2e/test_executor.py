"""Where steps are executed: a small run in one process, a large one in processes side by side."""

from __future__ import annotations

import pytest

from classification_assets.executor import ENVIRONMENT, MANY, usable_cores
from tests.e2e.stored import content_of, files_of


@pytest.mark.skipif(usable_cores() < 2, reason="one core: nothing can be done side by side")
def test_a_run_of_many_steps_uses_processes(trained):
    assert trained.processes_of_steps() >= MANY


def test_a_run_of_few_steps_is_executed_in_one_process(retrained):
    retrained.materialize("moons_small/linear/surface").succeeded()
    assert retrained.processes_of_steps() == 0


@pytest.mark.parametrize("chosen_by", ["run", "environment"])
def test_one_process_gives_the_same_artifacts_as_a_process_a_step(trained, untrained, chosen_by):
    config = {"execution": {"config": {"in_process": {}}}} if chosen_by == "run" else None
    variables = {} if chosen_by == "run" else {ENVIRONMENT: "in_process"}
    # With figures from the environment alone.
    own = ("linear/model", "linear/evaluation") if chosen_by == "run" else ("linear/*",)
    selected = " or ".join(f'key:"moons_small/{name}"' for name in ("dataset", "split", *own))
    untrained.materialize(selected, config, **variables).succeeded()
    assert untrained.processes_of_steps() == 0
    made = files_of(untrained)
    assert any("boundary" in str(name) for name in made) == (chosen_by == "environment")
    for name, path in made.items():
        assert content_of(path) == content_of(files_of(trained)[name]), name


def test_a_small_run_can_ask_for_processes(untrained):
    config = {"execution": {"config": {"multiprocess": {}}}}
    untrained.materialize('key:"moons_small/dataset" or key:"moons_small/split"', config).succeeded()
    assert untrained.processes_of_steps() == 2
