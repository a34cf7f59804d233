"""Requirements on a table to be learned from: labels that are classes, features that hold numbers or categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from classification_assets.learning.preparation.columns import FITTED
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.preprocessing import refuse_names
from classification_assets.learning.tables.coercion import category_counts, refuse_long_words
from classification_assets.learning.tables.datasets import GeneratedDataset

if TYPE_CHECKING:
    from classification_assets.learning.tables.table import Table

MOST_CLASSES = 1000
"""Every row's probabilities, the confusion matrix and each figure hold a number or a colour a class."""

FEW = 20
"""Different numbers that are classes however few rows there are."""


def refuse_unusable(table: Table, classes: list[Any], y: np.ndarray) -> None:
    """Check a table's labels of N rows, given as C classes and codes y (N,).

    Raises
    ------
    ValueError
        If there is one class or too many, or the labels are rather measurements or names.
    """
    N, C = len(y), len(classes)
    where = f"{table.where}: column {table.target!r}"
    if C < 2:
        left_out = table.source.without_label
        others = f" (and the {left_out:,} others have none)" if left_out else ""
        raise ValueError(
            f"{where}: two classes or more are needed, but all {N:,} rows have the label {classes[0]!r}{others}"
        )
    numbers = all(isinstance(label, int | float) and not isinstance(label, bool) for label in classes)
    whole = numbers and all(float(label).is_integer() for label in classes)
    examples = ", ".join(repr(label) for label in classes[:3])
    if numbers and not table.target_is_categorical and C > FEW and (not whole or N / C < 5):
        raise ValueError(
            f"{where}: holds {C:,} different numbers in {N:,} rows ({examples}, ...): rather a quantity than classes. "
            "Estimate it by regression (scikit-learn's HistGradientBoostingRegressor, say), or cut it into classes "
            "first (pandas.cut); if these are classes, say so (columns: {<the target>: categorical})"
        )
    if C == N:
        raise ValueError(
            f"{where}: every row has a label of its own ({examples}, ...), so there is nothing to learn from; "
            "a class needs several rows: is this the right column?"
        )
    if C > MOST_CLASSES:
        raise ValueError(
            f"{where}: there are {C:,} classes, and at most {MOST_CLASSES:,} can be told apart here; put rare ones "
            "together, or predict a coarser label"
        )


def refuse_unfit(table: Table, folds: Folds) -> None:
    """Check all that later steps would stumble over: labels, number of rows, every value of every feature.

    Raises
    ------
    ValueError
        If they are not, with the reason.
    """
    classes, y = table.labels()
    refuse_unusable(table, classes, y)
    try:
        folds.sizes(len(y), len(classes), table.n_test)
    except ValueError as error:
        raise table.refusal(error) from error
    for role in (table.weight, table.group, table.time):
        role()
    for name, kind in table.kinds().items():
        column = table.rows.column(name)
        try:
            if kind == "categorical":
                refuse_long_words(column, name)
                declared = name in table.roles.columns
                refuse_names(category_counts(column), name, declared=declared, spelling=table.spelling)
            else:
                FITTED[kind].fit(name, np.empty(0)).encode(column)
        except ValueError as error:
            raise table.refusal(error) from error


def refuse_few(dataset: Any, folds: Folds) -> None:
    """Check the same of generated data before it is drawn; of other data nothing is known yet."""
    if isinstance(dataset, GeneratedDataset):
        folds.sizes(dataset.n_samples, dataset.n_classes)
