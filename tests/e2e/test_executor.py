"""Where steps are executed: those of a large run in workers side by side, which make what one process makes."""

from __future__ import annotations

from classification_assets.execution.executor import CORES, usable_cores
from tests.e2e.stored import content_of, files_of


def test_a_run_of_many_steps_uses_every_core(trained):
    # On very many cores, it has no step for some.
    assert trained.processes_of_steps() >= min(usable_cores(), 4)


OTHER = "in_process" if usable_cores() >= CORES else "multiprocess"
"""What `trained` has not done; on one core there is one worker."""


def test_workers_give_the_same_artifacts_as_one_process(trained, untrained):
    config = {"execution": {"config": {OTHER: {}}}}
    selected = " or ".join(f'key:"moons_small/{name}"' for name in ("dataset", "split", "linear/*"))
    untrained.materialize(selected, config).succeeded()
    assert untrained.processes_of_steps() == 1
    made = files_of(untrained)
    assert any("boundary" in str(name) for name in made)
    for name, path in made.items():
        assert content_of(path) == content_of(files_of(trained)[name]), name
