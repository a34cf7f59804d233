"""A small experiment, and its assets materialized into the folder of a test."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from classification_assets.component import experiment_definitions
from classification_assets.experiment import Experiment, NamedExperiment
from classification_assets.resources.artifact_store import ArtifactStore
from classification_assets.resources.torch_device import TorchDevice

SMALL: dict[str, Any] = {
    "dataset": {"kind": "moons", "n_samples": 160, "noise": 0.2},
    "training": {"members": 3, "max_epochs": 4},
    "architectures": ["linear", {"name": "narrow", "hidden": [6], "activation": "tanh"}],
}
"""An experiment that trains in a blink."""


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CLASSIFICATION_ASSETS_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


@pytest.fixture(scope="session")
def materialize_into() -> Callable[..., dg.ExecuteInProcessResult]:
    """Materializes a selection of some experiments' assets into a folder, in this process."""
    return _materialize_into


@cache
def _forgetful() -> dg.DagsterInstance:
    """An instance in memory. One that Dagster makes for each run takes a third of a second, more than some runs do."""
    return dg.DagsterInstance.ephemeral()


def _materialize_into(
    folder: Path, *experiments: NamedExperiment, selection: str = "*", extra: tuple = (), **options: Any
) -> dg.ExecuteInProcessResult:
    if "instance" not in options:
        _forgetful().wipe()
        options["instance"] = _forgetful()
    assets = [
        asset for experiment in experiments for asset in experiment_definitions(experiment).assets or ()
    ]
    return dg.materialize(
        [*assets, *extra],
        selection=dg.AssetSelection.from_string(selection),
        resources={"device": TorchDevice(), "artifacts": ArtifactStore(folder=str(folder))},
        **options,
    )


@pytest.fixture(scope="session")
def declared() -> Callable[..., NamedExperiment]:
    """Makes the small experiment, with parts of it replaced."""

    def declare(name: str = "small", **changes: Any) -> NamedExperiment:
        return Experiment.model_validate(SMALL | changes).named(name)

    return declare


@pytest.fixture
def materialize(tmp_path: Path) -> Callable[..., dg.ExecuteInProcessResult]:
    """Materializes a selection of some experiments' assets into `tmp_path`."""
    return partial(_materialize_into, tmp_path)


_ALIVE: list[dg.DagsterInstance] = []


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> dg.DagsterInstance:
    """An instance in a folder, for schedules and sensors to look at.

    It is never given up: Dagster remembers the last one of a process, and loads no component without it.
    """
    _ALIVE.append(dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("instance"))))
    return _ALIVE[-1]
