"""Classifiers that a person would pick instead of ours, on one thread, each as its own documentation advises.

Scikit-learn's at their defaults; those that are made for tables are told that log loss counts. AUTOGLUON_SECONDS is
the time limit of a fit by AutoGluon (600).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from classification_assets.learning.classifier import NeuralClassifier

OURS = "tabular"
REALMLP = "RealMLP-TD"
SECONDS = float(os.environ.get("AUTOGLUON_SECONDS", "600"))


def _realmlp(seed: int) -> Any:
    """As pytabkit advises where log loss counts: its defaults smooth labels, stop by the error and keep one fold."""
    from pytabkit import RealMLP_TD_Classifier

    return RealMLP_TD_Classifier(
        random_state=seed,
        device="cpu",
        n_threads=1,
        n_cv=8,
        use_ls=False,
        val_metric_name="ref-ll-ts",
        calibration_method="ts-mix",
    )


def _tabm(seed: int) -> Any:
    from pytabkit import TabM_D_Classifier

    return TabM_D_Classifier(random_state=seed, device="cpu", n_threads=1)


class _AutoGluon:
    """A preset behind scikit-learn's interface; told to choose and calibrate by log loss, not accuracy."""

    def __init__(self, preset: str, seconds: float | None = None) -> None:
        self.preset, self.seconds = preset, seconds

    def fit(self, X: Any, y: Any) -> _AutoGluon:
        from autogluon.tabular import TabularPredictor

        # It stores what it fits, by default in the current folder, and reads it again to predict.
        self.folder = TemporaryDirectory(prefix="autogluon-")
        predictor = TabularPredictor("label", eval_metric="log_loss", path=self.folder.name, verbosity=0)
        frame = pd.DataFrame(X).assign(label=y)
        self.predictor = predictor.fit(
            frame, presets=self.preset, time_limit=self.seconds, num_cpus=1, num_gpus=0
        )
        return self

    def predict_proba(self, X: Any) -> Any:
        return self.predictor.predict_proba(pd.DataFrame(X)).to_numpy()


CLASSIFIERS: dict[str, Callable[[int], Any]] = {
    OURS: lambda seed: NeuralClassifier("tabular", random_state=seed, device="cpu", verbose=False),
    "MLPClassifier": lambda seed: make_pipeline(StandardScaler(), MLPClassifier(random_state=seed)),
    "HistGradientBoosting": lambda seed: HistGradientBoostingClassifier(random_state=seed),
    "RandomForest": lambda seed: RandomForestClassifier(random_state=seed),
    "SVC": lambda seed: make_pipeline(
        StandardScaler(), CalibratedClassifierCV(SVC(random_state=seed), ensemble=False)
    ),
    "k-NN": lambda seed: make_pipeline(StandardScaler(), KNeighborsClassifier()),
    "LogisticRegression": lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    REALMLP: _realmlp,
    "TabM-D": _tabm,
    "AutoGluon medium": lambda seed: _AutoGluon("medium_quality"),
    "AutoGluon best": lambda seed: _AutoGluon("best_quality_v150", SECONDS),
}

_PACKAGES = {
    REALMLP: "pytabkit",
    "TabM-D": "pytabkit",
    "AutoGluon medium": "autogluon",
    "AutoGluon best": "autogluon",
}


def missing(name: str) -> str | None:
    """Package that a classifier needs, if it is not installed."""
    package = _PACKAGES.get(name)
    return package if package and find_spec(package) is None else None
