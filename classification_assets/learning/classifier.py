"""NeuralClassifier: an ensemble of networks with scikit-learn's interface, and opening a stored one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from numbers import Integral
from pathlib import Path
from typing import Any, Self

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from pydantic import TypeAdapter
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from classification_assets.learning.artifacts import storage as artifacts
from classification_assets.learning.artifacts.root import storage_root
from classification_assets.learning.device import resolve_device
from classification_assets.learning.models import onnx_export as onnx_model
from classification_assets.learning.models.architectures import Architecture, ArchitectureChoice
from classification_assets.learning.models.fit import fit
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.models.progress import Progress
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.duplicates import learned_rows
from classification_assets.learning.preparation.folds import Fold, stratified
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.registry.serving import serving
from classification_assets.learning.tables.frames import (
    InputRows,
    given,
    heading,
    is_frame,
    numbered,
    with_columns,
)
from classification_assets.learning.tables.source import Source


class NeuralClassifier(ClassifierMixin, BaseEstimator):
    """A calibrated ensemble of neural networks, trained in one pass.

    Takes tables as they are: numbers, words, truth values and dates, missing values included.

    Parameters
    ----------
    architecture : str, dict or Architecture
        A shipped architecture's name, or a declaration such as ``{"hidden": [16, 16], "activation": "relu"}``.
        The default chooses for itself how large and how many its networks are and how long they train.
    learning_rate, weight_decay, input_noise, mixup, precision, compile
        As in `Training`; an architecture's own training options come before these. The default learning rate
        stands for that of ``tabular`` itself there.
    members : int
        Networks in the ensemble. Like all that follow up to `validation_fraction`, without a use for ``tabular``.
    max_epochs, batch_size, schedule, early_stopping, patience, label_smoothing
        As in `Training`.
    validation_fraction : float
        Share of the rows given to `fit`, but at least one row a class, that stops and calibrates. If no class has
        three rows to share, all rows train, and nothing is stopped or calibrated.
    device : str
        auto, cpu, cuda, cuda:N or mps.
    random_state : int, RandomState or None
    verbose : bool or None
        Show a progress bar; None: in a terminal.

    Attributes
    ----------
    classes_ : array (C,)
    n_features_in_ : int
    feature_names_in_ : array (D,) of str
        Only if the rows came with names.
    fitted_ : FittedModel
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
        precision: str = "float32",
        compile: bool = False,
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
        self.precision = precision
        self.compile = compile
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows X (N, D), a frame or an array, and labels y (N,).

        The order of the rows has no influence, and a row of weight 3 is the same as three rows: see `learned_rows`.

        Parameters
        ----------
        sample_weight : array (N,), optional
            How much each row counts, not below 0: in training, in what stops it and in calibrating.

        Raises
        ------
        ValueError
            If a parameter, the rows or the labels cannot be used; nothing has been trained then.
        """
        seed = self._seed()
        architecture, _ = self._architecture(), self._training(seed)
        X = _checked_rows(self, X, reset=True, y=y)
        labels = _checked_labels(y)
        check_consistent_length(X, labels)
        weight = _checked_weight(sample_weight, len(labels))
        classes, code = _classes(labels, weight)
        names = self._names()
        rows = given(X, names)
        learned, weight = learned_rows(rows, names, code, weight)
        code = code[learned]
        fold = np.full(len(code), Fold.TRAIN, np.int8)
        if not architecture.learns_from_validation:
            # No row is set aside for test: whoever calls `fit` holds that fold.
            fold = stratified(code, {Fold.VALIDATION: self._n_validation(code)}, seed)
        preprocessing, encoded = _encoded(rows, names, learned, fold == Fold.TRAIN)
        told = {"validation_fraction": self.validation_fraction, "named": self._is_named()}
        source = Source(estimator=told)
        self.fit_split(Split(encoded, code, fold, weight, classes.tolist(), preprocessing, source), seed=seed)
        self.classes_ = classes
        return self

    def fit_split(self, split: Split, seed: int | None = None) -> Self:
        """Train on a split's training fold; its validation fold stops and calibrates.

        The seed is drawn from `random_state` unless it is given.
        """
        architecture = self._architecture()
        training = architecture.trained_with(self._training(self._seed() if seed is None else seed))
        device = resolve_device(self.device, architecture.device).name
        progress = Progress(architecture.name, bar=self.verbose)
        try:
            fitted = fit(architecture, split, training, device, progress)
        finally:
            progress.close()
        return self._opened(fitted)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities (N, C) of rows X (N, D), columns in the order of `classes_`.

        Columns of a frame that were not there in `fit` are ignored.
        """
        check_is_fitted(self, "fitted_")
        if is_frame(X) and self._is_named():
            X = with_columns(X, self._names())
        X = _checked_rows(self, X)
        return self.fitted_.predict_proba(
            self.fitted_.provenance.preprocessing.encode(given(X, self._names()))
        )

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class (N,) of each row."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(1)]

    def save(self, path: str | Path) -> None:
        """Store the fitted classifier atomically, for `load_classifier`."""
        check_is_fitted(self, "fitted_")
        artifacts.save(self.fitted_, path)

    def to_onnx(self, path: str | Path) -> None:
        """Write the fitted classifier as an ONNX file (.onnx), for ONNX Runtime: see `onnx_model.exported`.

        Needs the extra `onnx`.
        """
        check_is_fitted(self, "fitted_")
        artifacts.save(onnx_model.exported(self.fitted_), path)

    def _architecture(self) -> Architecture:
        value = dict(self.architecture) if isinstance(self.architecture, Mapping) else self.architecture
        return TypeAdapter(ArchitectureChoice).validate_python(value)

    def _seed(self) -> int:
        state = check_random_state(self.random_state)
        if isinstance(self.random_state, Integral):
            return int(self.random_state)  # as it is: what was opened repeats its own training
        return int(state.randint(2**31))

    def _training(self, seed: int) -> Training:
        options = {name: getattr(self, name) for name in Training.model_fields if name != "seed"}
        return Training.model_validate(options | {"seed": seed})

    def _n_validation(self, y: np.ndarray) -> int:
        if not 0 < self.validation_fraction < 1:
            raise ValueError(
                f"validation_fraction must be above 0 and below 1, got {self.validation_fraction}"
            )
        shared = np.bincount(y)
        shared = shared[shared >= 3]  # of fewer rows, `stratified` lends none
        wanted = max(round(self.validation_fraction * len(y)), len(shared))
        return min(wanted, int(shared.sum()) - len(shared))

    def _is_named(self) -> bool:
        return hasattr(self, "feature_names_in_")

    def _names(self) -> list[str]:
        return list(self.feature_names_in_) if self._is_named() else numbered(self.n_features_in_)

    def _opened(self, fitted: FittedModel) -> Self:
        self.fitted_ = fitted
        self.classes_ = np.asarray(fitted.provenance.classes)
        names = fitted.provenance.preprocessing.names
        self.n_features_in_ = len(names)
        told = fitted.provenance.source.estimator
        if told.get("named", list(names) != numbered(len(names))):
            self.feature_names_in_ = np.array(names, object)
        elif self._is_named():
            del self.feature_names_in_
        return self


def _checked_rows(classifier: NeuralClassifier, X: Any, **options: Any) -> Any:
    """A frame, or an array of two dimensions; names and number of its columns learned, or compared with those of `fit`.

    Raises
    ------
    ValueError, TypeError
        As scikit-learn words it, or if the rows are still to be computed.
    """
    if nw.dependencies.is_polars_lazyframe(X):
        raise TypeError("a lazy frame holds no rows yet; hand over what X.collect() gives")
    checks = {"y": "no_validation", "reset": False} | options
    if not is_frame(X):
        y = checks.pop("y")
        if y is None:
            validate_data(classifier, X, y, skip_check_array=True)
        return validate_data(classifier, X, dtype=None, ensure_all_finite=False, **checks)
    validate_data(classifier, heading(X), skip_check_array=True, **checks)
    for count, of in zip(X.shape, ("sample", "feature"), strict=True):
        if not count:
            raise ValueError(
                f"Found array with 0 {of}(s) (shape={X.shape}) while a minimum of 1 is required."
            )
    return X


def _checked_labels(y: Any) -> np.ndarray:
    """Labels (N,) of one type."""
    # Scikit-learn would make floats of pandas' own whole numbers and truth values.
    labels = column_or_1d(y.to_numpy() if isinstance(y, pd.Series) else y, warn=True)
    if (missing := np.flatnonzero(pd.isna(labels))).size:
        raise ValueError(f"Input y contains NaN: row {missing[0]} has no label, but {labels[missing[0]]}")
    if labels.dtype.kind == "O":
        labels = pd.Series(labels).infer_objects().to_numpy()
    if labels.dtype.kind == "M":
        labels = labels.astype("datetime64[us]")  # to which Python has a type of its own
    if labels.dtype.kind in "fc":
        check_classification_targets(labels)
    return labels


def _classes(labels: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The classes of all rows that count, (C,), and each row's code (N,); of rows that do not, 0."""
    counted = slice(None) if weight is None else weight > 0
    try:
        classes, own = np.unique(labels[counted], return_inverse=True)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in labels.tolist()})
        raise ValueError(f"labels must be of one type, but y holds: {', '.join(kinds)}") from error
    for label in classes if classes.dtype.kind in "mOS" else ():
        # What a stored model could not give back as it was.
        if not isinstance(label, str | int | float | np.generic | date) or isinstance(
            label, bytes | np.timedelta64
        ):
            raise ValueError(
                f"a label is a word, a number, true or false, or a date, but y holds: {label!r} "
                f"({type(label).__name__}); turn labels into words, as in y.astype(str)"
            )
    if len(classes) < 2:
        raise ValueError(f"labels of two classes or more are needed, but y holds 1 class: {classes.tolist()}")
    code = np.zeros(len(labels), np.int64)
    code[counted] = own
    return classes, code


def _encoded(
    rows: InputRows, names: list[str], learned: np.ndarray, training: np.ndarray
) -> tuple[Preprocessing, np.ndarray]:
    """The preprocessing, fitted on the training rows (a mask, (n,)) of those that are learned from, and X (n, D)."""
    if isinstance(rows, np.ndarray):
        X = rows[learned]
        return Preprocessing.fit(X, names, np.flatnonzero(training)), X
    return Preprocessing.fit_frame(rows.take(learned), names, training)


def _checked_weight(sample_weight: Any, n_rows: int) -> np.ndarray | None:
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, np.float32)
    if weight.shape != (n_rows,):
        raise ValueError(f"sample_weight must be ({n_rows},), one number a row, got {weight.shape}")
    if (wrong := np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))).size:
        raise ValueError(
            f"sample_weight must be finite and not negative, got in row {wrong[0]}: {weight[wrong[0]]}"
        )
    if not weight.any():
        raise ValueError("sample_weight must be above zero for some rows, but all are 0")
    return weight


def load_classifier(
    path: str | Path, module: Callable[..., nn.Module] | None = None, version: int | None = None
) -> NeuralClassifier:
    """Open what a model asset, or `NeuralClassifier.save`, has stored, or an experiment's champion.

    Fitted again on the same rows, it becomes the same classifier again, byte for byte.

    Parameters
    ----------
    path : path or URL, or the name of an experiment
        A ``.safetensors`` file; or ``moons``: the champion in the storage that the environment names.
    module : callable, optional
        The class of a person's own network: a file never brings code with it.
    version : int, optional
        Of an experiment: another version than the champion.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ArtifactError
        If the file is damaged or holds no classifier, or the experiment has no champion or no such version.
    """
    if is_experiment(path):
        fitted = serving(storage_root(), str(path), module, version).model
    elif version is not None:
        raise ValueError(f"version: only an experiment has versions, got the file {path}")
    else:
        fitted = artifacts.load(path, module)
    if not isinstance(fitted, FittedModel):
        raise artifacts.ArtifactError(f"{path} holds no classifier but a {type(fitted).__name__}")
    training = fitted.provenance.training
    options = {name: getattr(training, name) for name in Training.model_fields if name != "seed"}
    told = fitted.provenance.source.estimator
    options |= {name: told[name] for name in ("validation_fraction",) if name in told}
    classifier = NeuralClassifier(fitted.provenance.architecture, **options, random_state=training.seed)
    return classifier._opened(fitted)


def is_experiment(path: str | Path) -> bool:
    """Whether an experiment's name is meant, and no file: `moons`, where there is no file of that name."""
    return (
        isinstance(path, str) and re.fullmatch(r"[a-z0-9_]+", path) is not None and not Path(path).is_file()
    )
