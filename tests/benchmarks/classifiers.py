"""Classifiers that a person would pick instead of ours, each at its defaults and on one thread."""

from __future__ import annotations

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


def _realmlp(seed: int) -> Any:
    from pytabkit import RealMLP_TD_Classifier

    return RealMLP_TD_Classifier(random_state=seed, device="cpu", n_threads=1)


def _tabm(seed: int) -> Any:
    from pytabkit import TabM_D_Classifier

    return TabM_D_Classifier(random_state=seed, device="cpu", n_threads=1)


class _AutoGluon:
    """Its medium preset, behind scikit-learn's interface; told to choose and calibrate by log loss, not accuracy."""

    def fit(self, X: Any, y: Any) -> _AutoGluon:
        from autogluon.tabular import TabularPredictor

        # It stores what it fits, by default in the current folder, and reads it again to predict.
        self.folder = TemporaryDirectory(prefix="autogluon-")
        predictor = TabularPredictor("label", eval_metric="log_loss", path=self.folder.name, verbosity=0)
        frame = pd.DataFrame(X).assign(label=y)
        self.predictor = predictor.fit(frame, presets="medium_quality", num_cpus=1, num_gpus=0)
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
    "AutoGluon": lambda seed: _AutoGluon(),
}

_PACKAGES = {REALMLP: "pytabkit", "TabM-D": "pytabkit", "AutoGluon": "autogluon"}


def missing(name: str) -> str | None:
    """Package that a classifier needs, if it is not installed."""
    package = _PACKAGES.get(name)
    return package if package and find_spec(package) is None else None
