"""A model on the rows of another split than its own: encoded by its own preprocessing, its own rows known again.

Shapes: N rows of a split, D features of the model, C classes.
"""

from __future__ import annotations

import numpy as np

from classification_assets.learning.evaluation.unfit_rows import UnfitRowsError
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.table import Table


def class_order(fitted: FittedModel, split: Split) -> np.ndarray:
    """The index (C,) of each of a split's classes among the model's.

    Raises
    ------
    UnfitRowsError
        If the model knows other classes.
    """
    known, there = list(fitted.provenance.classes), list(split.classes)
    if known == there:
        return np.arange(len(known))
    names, wanted = [str(label) for label in known], [str(label) for label in there]
    if sorted(names) != sorted(wanted):
        raise UnfitRowsError(
            f"{fitted.provenance.architecture.name} knows the classes {_listed(names)}, got rows of the classes "
            f"{_listed(wanted)}; train it again"
        )
    return np.array([names.index(name) for name in wanted])


def reads_rows(fitted: FittedModel, split: Split) -> bool:
    """Whether the rows themselves are needed: the split's encoding and keys are not those of the model."""
    other_keys = fitted.learned is not None and fitted.learned.identity != split.identity
    return other_keys or fitted.provenance.preprocessing != split.preprocessing


def encoded_rows(fitted: FittedModel, split: Split, table: Table | None) -> np.ndarray:
    """The rows of a split (N, D) as the model's own preprocessing encodes them.

    Parameters
    ----------
    table : Table, optional
        The rows themselves, in the split's order; needed where the model was trained on another split.

    Raises
    ------
    UnfitRowsError
        If a column is missing, a value is not of its column's kind, or the rows are needed and not given.
    """
    preprocessing = fitted.provenance.preprocessing
    if preprocessing == split.preprocessing:
        return split.X
    name = fitted.provenance.architecture.name
    if table is None:
        raise UnfitRowsError(f"{name} was trained on another split, so that its rows are needed too")
    if lost := [column for column in preprocessing.names if column not in table.rows.names]:
        raise UnfitRowsError(
            f"{name} was trained on the columns {_listed(list(preprocessing.names))}, of which the table has no "
            f"{_listed(lost)}; train it again"
        )
    try:
        return preprocessing.encode_rows(table.rows)
    except ValueError as error:
        raise UnfitRowsError(f"{name} cannot read the rows: {error}; train it again") from error


def points_for(fitted: FittedModel, split: Split, X: np.ndarray) -> np.ndarray:
    """Points X (N, D) that a split's preprocessing has encoded, as the model's own encodes them."""
    preprocessing = fitted.provenance.preprocessing
    if preprocessing == split.preprocessing:
        return X
    frame = split.preprocessing.decode(X)
    try:
        return preprocessing.encode(frame)
    except ValueError as error:
        name = fitted.provenance.architecture.name
        raise UnfitRowsError(f"{name} cannot read the rows: {error}; train it again") from error


def known_rows(
    fitted: FittedModel, split: Split, X: np.ndarray, table: Table | None
) -> tuple[np.ndarray, np.ndarray]:
    """Which rows of a split, X (N, D) as the model encodes them, the model has learned from.

    Returns
    -------
    learned : array (N,) bool
        Whether a row was learned from.
    validated : array (N,) int64
        The place of a row in the model's `validation_probabilities`, -1 of others.

    Raises
    ------
    UnfitRowsError
        If that cannot be known.
    """
    name = fitted.provenance.architecture.name
    if split.keys is None or split.identity is None:
        # Rows in memory that nobody can know again: a model that is scored on them was trained on this split.
        validated = np.full(len(split.y), -1, np.int64)
        rows = split.rows(Fold.VALIDATION)
        validated[rows] = np.arange(len(rows))
        return split.fold == Fold.TRAIN, validated
    if fitted.learned is None:
        raise UnfitRowsError(
            f"{name} does not say which rows it has learned from, as models that were stored by an earlier version; "
            "train it again"
        )
    keys, identity = split.keys, fitted.learned.identity
    if identity != split.identity:
        if table is None or identity.missing(table):
            lost = identity.missing(table) if table is not None else list(identity.columns)
            raise UnfitRowsError(
                f"{name} knows its rows by {_listed(list(identity.columns))}, and the table has no {_listed(lost)}; "
                "train it again"
            )
        keys = identity.keys(table)
    learned, validated = fitted.learned.rows_of(keys, class_order(fitted, split)[split.y], split.fold)
    rows = np.flatnonzero(validated >= 0)
    names = fitted.provenance.preprocessing.names
    changed = rows[~fitted.learned.unchanged(X[rows], names, validated[rows])]
    if fitted.provenance.architecture.learns_from_validation:
        learned[changed] = True  # with other features, but the model has learned from the row
    else:
        learned[changed] |= split.fold[changed] != Fold.VALIDATION
    validated[changed] = -1
    return learned, validated


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
