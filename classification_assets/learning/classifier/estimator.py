"""NeuralClassifier: an ensemble of networks with scikit-learn's interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from numbers import Integral
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from pydantic import ValidationError
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import nn

from classification_assets.learning.artifacts import storage as artifacts
from classification_assets.learning.classifier.inputs import (
    checked_labels,
    checked_rows,
    in_order,
)
from classification_assets.learning.classifier.options import (
    as_it_was_if_refused,
    declared_architecture,
    declared_training,
    device_name,
    fields,
    warn_of_ignored,
    with_fields,
)
from classification_assets.learning.classifier.pickling import packed, unpacked
from classification_assets.learning.classifier.preparing import prepared
from classification_assets.learning.declaration import broken_rules
from classification_assets.learning.device import resolve_device
from classification_assets.learning.models import onnx_export as onnx_model
from classification_assets.learning.models.architectures import Architecture
from classification_assets.learning.models.fit import fit
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.models.progress import Progress
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.frames import (
    at_hand,
    given,
    is_frame,
    numbered,
    with_columns,
)
from classification_assets.learning.tables.labels import as_array

_NESTED = "architecture__"


class NeuralClassifier(ClassifierMixin, BaseEstimator):
    """A calibrated ensemble of neural networks, trained in one pass.

    Takes tables as they are: numbers, words, truth values and dates, missing values included.

    Parameters
    ----------
    architecture : str, dict, Architecture or class
        A shipped architecture's name, a declaration such as ``{"hidden": [16, 16], "activation": "relu"}``, or a
        class of networks of one's own, called as in `Module`. The default chooses for itself how large and how many
        its networks are and how long they train. Its fields are parameters, too: ``architecture__hidden``.
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
    class_weight : dict of label to float, "balanced" or None
        How much each row of a class counts, times its `sample_weight`; balanced: all classes alike. It changes what
        probabilities mean: they are those of classes that are as frequent as they weigh.
    device : str or torch.device
        auto, cpu, cuda, cuda:N or mps.
    random_state : int, RandomState or None
    verbose : bool or None
        Show a progress bar; None: in a terminal or a notebook.

    Attributes
    ----------
    classes_ : array (C,)
    n_features_in_ : int
    feature_names_in_ : array (D,) of str
        Only if the rows came with names.
    fitted_ : FittedModel
        The trained networks, their history and provenance.
    n_iter_ : int
        Epochs that were trained.
    loss_curve_ : list of float
        The mean training loss of the networks after each of them.

    Notes
    -----
    There is neither `partial_fit` nor `warm_start`: a fit chooses, stops and calibrates on all rows at once. Fit the
    old and the new rows together.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> X, y = make_moons(400, noise=0.2, random_state=0)
    >>> classifier = NeuralClassifier(random_state=0).fit(X, y)
    >>> classifier.predict_proba(X).shape
    (400, 2)
    """

    # Where it is public: pickles name it, and outlive the file that it stands in.
    __module__ = "classification_assets.learning.classifier"

    def __init__(
        self,
        architecture: str | Mapping[str, Any] | Architecture | Callable[..., nn.Module] = "tabular",
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
        class_weight: Mapping[Any, float] | str | None = None,
        device: str | torch.device = "auto",
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
        self.class_weight = class_weight
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        params = super().get_params(deep)
        if deep:
            params |= {f"{_NESTED}{name}": value for name, value in fields(self.architecture).items()}
        return params

    def set_params(self, **params: Any) -> Self:
        nested = {
            name.removeprefix(_NESTED): params.pop(name) for name in list(params) if name.startswith(_NESTED)
        }
        super().set_params(**params)
        if nested:
            self.architecture = with_fields(self.architecture, nested)
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "partial_fit":
            raise AttributeError(
                "there is no partial_fit: a fit chooses, stops and calibrates on all rows at once; fit the old and the "
                "new rows together"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        return packed(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A pickle of an earlier version knows fewer parameters.
        super().__setstate__(vars(NeuralClassifier()) | unpacked(state))

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
        seed = self.seed()
        architecture, _ = declared_architecture(self.architecture), declared_training(self, seed)
        warn_of_ignored(self, architecture)
        with as_it_was_if_refused(self):
            split, classes = prepared(self, X, y, sample_weight, seed)
            self.fit_split(split, seed=seed)
            self.classes_ = classes
        return self

    def fit_split(self, split: Split, seed: int | None = None) -> Self:
        """Train on a split's training fold; its validation fold stops and calibrates.

        The seed is drawn from `random_state` unless it is given.
        """
        architecture = declared_architecture(self.architecture)
        declared = declared_training(self, self.seed() if seed is None else seed)
        try:
            training = architecture.trained_with(declared)
        except ValidationError as error:
            raise ValueError(broken_rules(error, "training")) from error
        device = resolve_device(device_name(self.device), architecture.device).name
        progress = Progress(architecture.name, bar=self.verbose)
        try:
            fitted = fit(architecture, split, training, device, progress)
        finally:
            progress.close()
        opened(self, fitted)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities (N, C) float64 of rows X (N, D), columns in the order of `classes_`; each row sums to 1.

        Columns of a frame that were not there in `fit` are ignored.
        """
        check_is_fitted(self, "fitted_")
        # Networks compute in float32; who takes probabilities counts on sums that are 1 in Python's own numbers.
        probabilities = self.fitted_.predict_proba(self._encoded(X)).astype(np.float64)
        return probabilities / probabilities.sum(1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class (N,) of each row."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(1)]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy on rows X (N, D) of labels y (N,), of any type that `fit` takes."""
        check_is_fitted(self, "fitted_")
        if not isinstance(self.classes_.tolist()[0], date):
            return super().score(X, y, sample_weight)
        # Scikit-learn's metrics know no dates.
        predicted, labels = self.predict(X), checked_labels(y)
        check_consistent_length(predicted, labels, sample_weight)
        return float(np.average(predicted == labels, weights=sample_weight))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms (N, C) of what `predict_proba` gives."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @property
    def n_iter_(self) -> int:
        """Epochs that were trained."""
        return len(self.fitted_.history["step"])

    @property
    def loss_curve_(self) -> list[float]:
        """The mean training loss, after each epoch, of the networks that still learned."""
        return np.nanmean(self.fitted_.history["train_loss"], axis=1).tolist()

    def encode(self, X: Any) -> np.ndarray:
        """Rows X (N, D) as (N, D) float32, as the file that `to_onnx` writes takes them.

        Numbers are as they are, truth values 0 or 1, dates days since 2000-01-01 UTC, categories codes; missing is NaN.
        """
        check_is_fitted(self, "fitted_")
        return self._encoded(X)

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

    def seed(self) -> int:
        """The seed of a fit: `random_state` itself if it is a number, else drawn from it."""
        state = check_random_state(self.random_state)
        if isinstance(self.random_state, Integral):
            return int(self.random_state)  # as it is: what was opened repeats its own training
        return int(state.randint(2**31))

    def _encoded(self, X: Any) -> np.ndarray:
        return self.encoded_by(self.fitted_.provenance.preprocessing, _is_named(self.fitted_), X)

    def encoded_by(self, preprocessing: Preprocessing, named: bool, X: Any) -> np.ndarray:
        """Rows X (N, D) as a preprocessing encodes them, which was fitted on columns that were `named` or not.

        The columns' names come from there: tools blank or delete `feature_names_in_`, which is for scikit-learn.
        """
        names, X = list(preprocessing.names), at_hand(X)
        if is_frame(X) and named:
            if getattr(self, "feature_names_in_", None) is None and (known := in_order(X, names)) is not None:
                return preprocessing.encode(given(known, names), shares=True)
            X = with_columns(X, names)
        return preprocessing.encode(given(checked_rows(self, X), names), shares=True)


def opened(classifier: NeuralClassifier, fitted: FittedModel) -> NeuralClassifier:
    """The classifier, fitted as a trained model says."""
    classifier.fitted_ = fitted
    told = fitted.provenance.source.estimator
    classifier.classes_ = as_array(fitted.provenance.classes, told.get("labels"))
    names = fitted.provenance.preprocessing.names
    classifier.n_features_in_ = len(names)
    if _is_named(fitted):
        classifier.feature_names_in_ = np.array(names, object)
    elif hasattr(classifier, "feature_names_in_"):
        del classifier.feature_names_in_
    return classifier


def _is_named(fitted: FittedModel) -> bool:
    """Whether the columns came with names."""
    names = fitted.provenance.preprocessing.names
    return fitted.provenance.source.estimator.get("named", list(names) != numbered(len(names)))
