"""Small data, small trainings, and what several files ask of the whole package."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.evaluation.surface import Surfaces, surfaces
from classification_assets.learning.models.architectures import MLP, Architecture
from classification_assets.learning.models.fit import fit as train_model
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Fold, Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import Moons
from classification_assets.learning.tables.table import Table


@dataclass(frozen=True)
class Rows:
    """Standardized rows with the indices that train and those that validate."""

    X: Tensor
    y: Tensor
    train: np.ndarray
    validation: np.ndarray


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Small tensors: a second thread costs more than it computes, and two cores run these tests."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def table() -> Table:
    """Three hundred rows of two moons."""
    return Table.of(Moons(n_samples=300, noise=0.2))


@pytest.fixture(scope="session")
def split(table: Table) -> Split:
    """The moons with their folds."""
    return Split.of(table, Folds())


@pytest.fixture(scope="session")
def moons(split: Split) -> Rows:
    """The moons as `train` takes them."""
    return Rows(
        torch.from_numpy(split.preprocessing.features(split.X)),
        torch.from_numpy(split.y),
        split.rows(Fold.TRAIN),
        split.rows(Fold.VALIDATION),
    )


@pytest.fixture(scope="session")
def fit(split: Split) -> Callable[..., FittedModel]:
    """Fits an architecture on the moons, or on another split."""

    def fit(architecture: Architecture | None = None, *, on: Split = split, **training) -> FittedModel:
        architecture = architecture or MLP(name="narrow", hidden=(6,), activation="tanh")
        used = architecture.trained_with(
            Training(**{"members": 3, "max_epochs": 6, "learning_rate": 0.03} | training)
        )
        return train_model(architecture, on, used)

    return fit


@pytest.fixture(scope="session")
def fitted(fit: Callable[..., FittedModel]) -> FittedModel:
    """A small ensemble trained on the moons."""
    return fit()


@pytest.fixture(scope="session")
def evaluation(fitted: FittedModel, split: Split) -> Evaluation:
    """The small ensemble's evaluation."""
    return evaluate(fitted, split)


@pytest.fixture(scope="session")
def surface(fitted: FittedModel, split: Split) -> Surfaces:
    """The small ensemble's probabilities over the plane of its two features."""
    return surfaces(fitted, split)


@pytest.fixture(scope="session")
def imported_by() -> Callable[[str], set[str]]:
    """The top-level packages that a fresh Python has loaded after a statement."""

    def imported_by(statement: str) -> set[str]:
        program = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    return imported_by


@pytest.fixture(scope="session")
def people():
    """Three hundred people, columns of every kind with gaps; who comes depends on all of them but the street."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 12, 300).round(1),
            "children": rng.integers(0, 4, 300),
            "city": rng.choice(["Bern", "Oslo", "Rome"], 300),
            "street": rng.choice([f"street {number}" for number in range(50)], 300),
            "member": rng.random(300) < 0.5,
            "since": pd.Timestamp("2020-03-01") + pd.to_timedelta(rng.integers(0, 900, 300), unit="D"),
        }
    )
    early = frame["since"] < pd.Timestamp("2021-06-01")
    comes = (frame["age"] > 40).astype(int) + (frame["city"] == "Rome") + frame["member"] + early
    frame.loc[::9, "age"] = np.nan
    frame.loc[::10, "city"] = None
    frame.loc[::11, "since"] = pd.NaT
    return frame, np.where(comes >= 2, "comes", "stays")
