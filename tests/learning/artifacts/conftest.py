"""An artifact of every kind, stored."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from classification_assets.learning.artifacts.storage import save
from classification_assets.learning.evaluation.comparison import comparison
from classification_assets.learning.evaluation.leaderboard import leaderboard
from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.models.architectures import MLP
from tests.learning.artifacts.kinds import KINDS
from tests.learning.sweeps.invented import invented


@pytest.fixture(scope="session")
def frame():
    """A frame of numbers, words and gaps."""
    columns = {
        "name": ["a", "ü", "c"],
        "score": [0.1, np.nan, 1 / 3],
        "n": [1, 2, 3],
        "x": np.float32([1, 2, 3]),
    }
    return pd.DataFrame(columns)


@pytest.fixture(scope="session")
def board(evaluation, fit, split):
    """A leaderboard of two architectures."""
    linear = evaluate(fit(MLP(name="linear", hidden=())), split)
    return leaderboard({"narrow": evaluation, "linear": linear}, "accuracy")


@pytest.fixture(scope="session")
def compared(board):
    """Two experiments' leaderboards, compared."""
    return comparison({"one": board, "other": board})


@pytest.fixture(scope="session")
def swept():
    """The result of a sweep of twelve networks."""
    return invented()


@pytest.fixture(scope="session")
def figure():
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 3, 2])
    return figure


@pytest.fixture(scope="session")
def with_checkpoints(fitted):
    """A fitted classifier that kept two checkpoints."""
    states = {step: {name: value + step for name, value in fitted.state.items()} for step in (5, 100)}
    return dataclasses.replace(fitted, checkpoints=states)


@pytest.fixture
def stored(request, tmp_path):
    """Stores an artifact by its kind: the value and its path."""

    def stored(kind, name="artifact", folder=tmp_path):
        value, path = request.getfixturevalue(kind), folder / f"{name}{KINDS[kind]}"
        save(value, path)
        return value, path

    return stored
