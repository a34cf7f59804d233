"""Preparing of rows to fit on: checked, encoded, and with those set aside that stop and calibrate."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from sklearn.utils import check_consistent_length

from classification_assets.learning.classifier.inputs import (
    checked_labels,
    checked_rows,
    checked_weight,
    classes_and_codes,
    encoded,
)
from classification_assets.learning.classifier.options import (
    by_class,
    declared_architecture,
    told_class_weight,
)
from classification_assets.learning.preparation.duplicates import learned_rows
from classification_assets.learning.preparation.folds import Fold, stratified
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.frames import given, numbered
from classification_assets.learning.tables.source import Source


class Preparable(Protocol):
    """As much of a classifier as decides how rows are prepared."""

    architecture: Any
    class_weight: Any
    validation_fraction: float
    n_features_in_: int
    feature_names_in_: np.ndarray


def prepared(
    classifier: Preparable, X: Any, y: Any, sample_weight: Any, seed: int
) -> tuple[Split, np.ndarray]:
    """The rows that are learned from, encoded, with those that stop and calibrate; and the classes (C,).

    The classifier learns names and number of the columns.

    Raises
    ------
    ValueError
        If the rows, the labels or the weights cannot be used.
    """
    architecture = declared_architecture(classifier.architecture)
    X = checked_rows(classifier, X, reset=True, y=y)
    labels = checked_labels(y)
    check_consistent_length(X, labels)
    weight = checked_weight(sample_weight, len(labels))
    classes, code = classes_and_codes(labels, weight)
    weight = by_class(classifier.class_weight, classes, code, weight)
    named = hasattr(classifier, "feature_names_in_")
    names = list(classifier.feature_names_in_) if named else numbered(classifier.n_features_in_)
    rows = given(X, names)
    learned, weight = learned_rows(rows, names, code, weight)
    code = code[learned]
    fold = np.full(len(code), Fold.TRAIN, np.int8)
    if not architecture.learns_from_validation:
        # No row is set aside for test: whoever calls `fit` holds that fold.
        fold = stratified(code, {Fold.VALIDATION: _n_validation(code, classifier.validation_fraction)}, seed)
    preprocessing, X = encoded(rows, names, learned, fold == Fold.TRAIN)
    told = {
        "validation_fraction": classifier.validation_fraction,
        "named": named,
        "labels": classes.dtype.str,
    }
    if classifier.class_weight is not None:
        told["class_weight"] = told_class_weight(classifier.class_weight)
    return Split(X, code, fold, weight, classes.tolist(), preprocessing, Source(estimator=told)), classes


def _n_validation(y: np.ndarray, fraction: float) -> int:
    if not 0 < fraction < 1:
        raise ValueError(f"validation_fraction must be above 0 and below 1, got {fraction}")
    shared = np.bincount(y)
    shared = shared[shared >= 3]  # of fewer rows, `stratified` lends none
    wanted = max(round(fraction * len(y)), len(shared))
    return min(wanted, int(shared.sum()) - len(shared))
