"""A small experiment of every kind of artifact, materialized once; copies of it are what is damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from classification_assets.assets.comparison import comparison_leaderboard_asset, gallery_asset
from classification_assets.assets.report import comparison_report_asset
from classification_assets.experiment import Experiment, NamedExperiment
from tests.e2e import processes
from tests.e2e.processes import Project, copied_source
from tests.faults.materializing import materialize_into
from tests.faults.moons import SMALL

# What is killed and made up for takes longer than what goes well; the modules of tests read it after this one.
processes.PATIENCE = 480.0


@pytest.fixture(scope="session")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> NamedExperiment:
    """Two architectures on a small table, with a champion as ONNX, rows to predict, and a drift of them."""
    folder = tmp_path_factory.mktemp("rows")
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"height": random.normal(size=300), "ward": random.choice(["a", "b", "c"], 300)})
    rows["outcome"] = np.where(rows["height"] + (rows["ward"] == "a") > 0.3, "well", "ill")
    rows.to_csv(folder / "rows.csv", index=False)
    rows.drop(columns="outcome").head(60).to_csv(folder / "new.csv", index=False)
    return Experiment.model_validate(
        {
            "dataset": {"kind": "table", "path": str(folder / "rows.csv"), "target": "outcome"},
            "predict": {"path": str(folder / "new.csv")},
            "training": {"members": 3, "max_epochs": 30, "learning_rate": 0.03},
            "architectures": ["linear", {"name": "narrow", "hidden": [6]}],
            "promotion": {"onnx": True},
            "sweep": {"space": {"hidden": [[4], [6]]}, "networks": 2, "max_epochs": 4, "halving": None},
        }
    ).named("small")


@pytest.fixture(scope="session")
def materialize(experiment: NamedExperiment) -> Callable[..., dg.ExecuteInProcessResult]:
    """Materializes a selection of the experiment and of the comparison into a folder or URL; it may fail."""
    extra = (
        comparison_leaderboard_asset([experiment]),
        gallery_asset([experiment]),
        comparison_report_asset([experiment]),
    )

    def materialize(root: Path | str, selection: str = "*", **options: Any) -> dg.ExecuteInProcessResult:
        return materialize_into(root, experiment, extra, selection, **options)

    return materialize


@pytest.fixture(scope="session")
def whole(materialize: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of everything, which no test may change."""
    folder = tmp_path_factory.mktemp("whole")
    assert materialize(folder).success
    return folder


@pytest.fixture
def stored(whole: Path, tmp_path: Path) -> Path:
    """A copy of everything, for one test to damage."""
    return Path(shutil.copytree(whole, tmp_path / "stored"))


@pytest.fixture(scope="session")
def moons(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """An instance in which everything of a small experiment was materialized once, by a process of its own."""
    folder = tmp_path_factory.mktemp("moons")
    project = Project.new(folder / "home", copied_source(folder, small=SMALL))
    project.materialize("group:small").succeeded()
    return project


@pytest.fixture
def copy(moons: Project, tmp_path: Path) -> Project:
    """A copy of that instance, for one test to change."""
    return moons.copied(tmp_path / "home")
