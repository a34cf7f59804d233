"""NeuralClassifier: an ensemble of networks with scikit-learn's interface, and opening a stored one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import TypeAdapter
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import nn

from classification_assets.learning import artifacts
from classification_assets.learning.architectures import Architecture, ArchitectureChoice, Training
from classification_assets.learning.blend import Fitted
from classification_assets.learning.device import resolve_device
from classification_assets.learning.folds import Fold, stratified
from classification_assets.learning.preprocessing import as_numbers
from classification_assets.learning.progress import Progress
from classification_assets.learning.split import Split


class NeuralClassifier(ClassifierMixin, BaseEstimator):
    """A calibrated ensemble of neural networks, trained in one pass.

    Parameters
    ----------
    architecture : str, dict or Architecture
        A shipped architecture's name, or a declaration such as ``{"hidden": [16, 16], "activation": "relu"}``.
        The default is meant for tables of any kind and leaves nothing to tune, see `Tabular`.
    members : int
        Networks in the ensemble.
    max_epochs, batch_size, learning_rate, weight_decay, schedule, early_stopping, patience, label_smoothing,
    input_noise, mixup
        As in `Training`; an architecture's own training options come before these.
    validation_fraction : float
        Share of the rows given to `fit` that stops and calibrates; `tabular` has inner folds of its own instead.
    device : str
        auto, cpu, cuda, cuda:N or mps.
    random_state : int, RandomState or None
    verbose : bool or None
        Show a progress bar; None: in a terminal.

    Attributes
    ----------
    classes_ : array (C,)
    n_features_in_ : int
    fitted_ : Fitted
        The trained networks, their history and provenance.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> X, y = make_moons(400, noise=0.2, random_state=0)
    >>> classifier = NeuralClassifier(random_state=0).fit(X, y)
    >>> classifier.predict_proba(X).shape
    (400, 2)
    """

    def __init__(
        self,
        architecture: str | Mapping[str, Any] | Architecture = "tabular",
        *,
        members: int = 8,
        max_epochs: int = 200,
        batch_size: int | None = 64,
        learning_rate: float = 0.01,
        weight_decay: float = 0.0001,
        schedule: str = "cosine",
        early_stopping: bool = True,
        patience: int = 30,
        label_smoothing: float = 0.0,
        input_noise: float = 0.0,
        mixup: float = 0.0,
        validation_fraction: float = 0.2,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | None = None,
    ) -> None:
        self.architecture = architecture
        self.members = members
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.early_stopping = early_stopping
        self.patience = patience
        self.label_smoothing = label_smoothing
        self.input_noise = input_noise
        self.mixup = mixup
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows X (N, D), a frame or an array of finite numbers, and labels y (N,).

        Raises
        ------
        ValueError
            If a parameter, the rows or the labels cannot be used; nothing has been trained then.
        """
        names = [str(name) for name in X.columns] if isinstance(X, pd.DataFrame) else None
        rows = X.to_numpy() if isinstance(X, pd.DataFrame) else np.asarray(X)
        labels = np.asarray(y)
        if rows.ndim != 2 or labels.ndim != 1 or len(rows) != len(labels):
            raise ValueError(f"expected X (N, D) and y (N,), however: {rows.shape} and {labels.shape}")
        names = names or [f"x{index + 1}" for index in range(rows.shape[1])]
        rows, weight = as_numbers(rows, names), _checked_weight(sample_weight, len(rows))
        if (missing := np.flatnonzero(pd.isna(labels))).size:
            raise ValueError(f"y must hold no missing label, however: row {missing[0]}: {labels[missing[0]]}")
        if len(np.unique(labels)) < 2:
            raise ValueError(f"y must hold two classes or more, however: {np.unique(labels).tolist()}")
        seed = int(check_random_state(self.random_state).randint(2**31))
        fold = self._folds(labels, seed)
        split = Split.of_arrays(rows, labels, fold, names=names, weight=weight)
        return self.fit_split(split, seed=seed)

    def fit_split(self, split: Split, seed: int = 0) -> Self:
        """Train on a split's training fold; its validation fold stops and calibrates."""
        architecture = self._architecture()
        training = architecture.trained_with(self._training(seed))
        device = resolve_device(self.device, architecture.device).name
        progress = Progress(architecture.name, bar=self.verbose)
        try:
            fitted = architecture.fit(split, training, training.seeds, device, progress)
        finally:
            progress.close()
        return self._opened(fitted)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities (N, C) of rows X (N, D), columns in the order of `classes_`."""
        check_is_fitted(self, "fitted_")
        return self.fitted_.predict_proba(self.fitted_.provenance.preprocessing.encode(X))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class (N,) of each row."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(1)]

    def save(self, path: str | Path) -> None:
        """Store the fitted classifier atomically, for `load_classifier`."""
        check_is_fitted(self, "fitted_")
        artifacts.save(self.fitted_, path)

    def _folds(self, labels: np.ndarray, seed: int) -> np.ndarray:
        """The fold of each row: none is set aside for test, since whoever calls `fit` holds that fold."""
        if self._architecture().learns_from_validation:
            return np.full(len(labels), Fold.TRAIN, np.int8)
        n_classes, n_validation = len(np.unique(labels)), round(self.validation_fraction * len(labels))
        if not n_classes <= n_validation <= len(labels) - n_classes:
            raise ValueError(
                f"validation_fraction = {self.validation_fraction} of {len(labels)} rows is {n_validation}; "
                f"training and validation need {n_classes} rows each, one a class"
            )
        return stratified(labels, {Fold.VALIDATION: n_validation}, seed)

    def _architecture(self) -> Architecture:
        value = dict(self.architecture) if isinstance(self.architecture, Mapping) else self.architecture
        return TypeAdapter(ArchitectureChoice).validate_python(value)

    def _training(self, seed: int) -> Training:
        options = {name: getattr(self, name) for name in Training.model_fields if name != "seed"}
        return Training.model_validate(options | {"seed": seed})

    def _opened(self, fitted: Fitted) -> Self:
        self.fitted_ = fitted
        self.classes_ = np.asarray(fitted.provenance.classes)
        self.n_features_in_ = len(fitted.provenance.preprocessing.names)
        return self


def _checked_weight(sample_weight: Any, n_rows: int) -> np.ndarray | None:
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, np.float32)
    if weight.shape != (n_rows,):
        raise ValueError(f"sample_weight must be ({n_rows},), one number a row, however: {weight.shape}")
    if (wrong := np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))).size:
        raise ValueError(
            f"sample_weight must be finite and not negative, however: row {wrong[0]}: {weight[wrong[0]]}"
        )
    if not weight.any():
        raise ValueError("sample_weight must be above 0 for some rows, however: all are 0")
    return weight


def load_classifier(path: str | Path, module: Callable[..., nn.Module] | None = None) -> NeuralClassifier:
    """Open what a model asset, or `NeuralClassifier.save`, has stored.

    Parameters
    ----------
    path : path or URL
        A ``.safetensors`` file.
    module : callable, optional
        The class of a person's own network: a file never brings code with it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ArtifactError
        If the file is damaged or holds no classifier.
    """
    fitted = artifacts.load(path, module)
    if not isinstance(fitted, Fitted):
        raise artifacts.ArtifactError(f"{path} holds no classifier but a {type(fitted).__name__}")
    training = fitted.provenance.training
    options = {name: getattr(training, name) for name in Training.model_fields if name != "seed"}
    classifier = NeuralClassifier(fitted.provenance.architecture, **options, random_state=training.seed)
    return classifier._opened(fitted)
