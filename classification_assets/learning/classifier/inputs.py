"""Rows, labels and weights that `NeuralClassifier` is given: checked, in scikit-learn's words where it has some."""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.tables.frames import InputRows, at_hand, dense, heading, is_frame


def checked_rows(classifier: BaseEstimator, X: Any, **options: Any) -> Any:
    """A frame, or an array of two dimensions; names and number of its columns learned, or compared with those of `fit`.

    Raises
    ------
    ValueError, TypeError
        As scikit-learn words it, or if the rows are still to be computed.
    """
    X = at_hand(X)
    checks = {"y": "no_validation", "reset": False} | options
    if not is_frame(X):
        y = checks.pop("y")
        if y is None:
            validate_data(classifier, X, y, skip_check_array=True)
        # Scikit-learn asks for a format of its own; which one does not matter here.
        found = validate_data(
            classifier, X, dtype=None, accept_sparse="csr", ensure_all_finite=False, **checks
        )
        return dense(found) if sparse.issparse(found) else found
    validate_data(classifier, heading(X), skip_check_array=True, **checks)
    _refuse_empty(X)
    return X


def in_order(X: Any, names: list[str]) -> Any | None:
    """The columns of these names of a frame, in their order; None if one is not there."""
    frame = nw.from_native(X, eager_only=True)
    if not set(names) <= set(frame.columns):
        return None
    chosen = frame.select(names).to_native()
    _refuse_empty(chosen)
    return chosen


def _refuse_empty(X: Any) -> None:
    """Check that a frame has rows and columns.

    Raises
    ------
    ValueError
        In scikit-learn's words.
    """
    for count, of in zip(X.shape, ("sample", "feature"), strict=True):
        if not count:
            raise ValueError(
                f"Found array with 0 {of}(s) (shape={X.shape}) while a minimum of 1 is required."
            )


def checked_labels(y: Any) -> np.ndarray:
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


def classes_and_codes(labels: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
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


def encoded(
    rows: InputRows, names: list[str], learned: np.ndarray, training: np.ndarray
) -> tuple[Preprocessing, np.ndarray]:
    """The preprocessing, fitted on the training rows (a mask, (n,)) of those that are learned from, and X (n, D)."""
    if isinstance(rows, np.ndarray):
        X = rows[learned]
        return Preprocessing.fit(X, names, np.flatnonzero(training)), X
    return Preprocessing.fit_frame(rows.take(learned), names, training)


def checked_weight(sample_weight: Any, n_rows: int) -> np.ndarray | None:
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
