"""The rows of a data set with their folds, encoded once: all that later steps read."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from classification_assets.learning.preparation.features import Stacked, Standardized
from classification_assets.learning.preparation.fold_memory import (
    LEAST_REMEMBERED,
    MOST_REMEMBERED,
    FoldMemory,
    RowIdentity,
    deal,
    group_keys,
    label_keys,
)
from classification_assets.learning.preparation.folds import Fold, Folds
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.preparation.requirements import refuse_unusable
from classification_assets.learning.tables.row_keys import array_keys
from classification_assets.learning.tables.source import Source
from classification_assets.learning.tables.table import Table


@dataclass(frozen=True)
class Split:
    """Encoded rows and the fold of each.

    Attributes
    ----------
    X : array (N, D) float32
        Columns in their own units; NaN where missing, categories as codes.
    y : array (N,) int64
        Class codes, 0 to C - 1.
    fold : array (N,) int8
        Values of `Fold`.
    weight : array (N,) float32 or None
        Row weights.
    classes : list of C labels
        As they were in the data.
    preprocessing : Preprocessing
        Fitted on the training fold alone.
    source : Source
        See `Table`.
    group : array (N,) int64 or None
        Rows of one group stay together, wherever rows are set aside.
    timestamp : array (N,) int64 or None
        The number of each row's timestamp, later ones larger: rows that are set aside are neighbours in time.
    identity : RowIdentity or None
        By what rows are known again in a later table.
    keys : array (N,) uint64 or None
        See `RowIdentity.keys`.
    folds : Folds or None
        The declaration by which the folds were chosen.
    group_keys : array (N,) uint64 or None
        Keys of the groups.
    gone : FoldMemory or None
        The folds of rows that an earlier split had, and this one has not.
    """

    X: np.ndarray
    y: np.ndarray
    fold: np.ndarray
    weight: np.ndarray | None
    classes: list[Any]
    preprocessing: Preprocessing
    source: Source
    group: np.ndarray | None = None
    timestamp: np.ndarray | None = None
    identity: RowIdentity | None = None
    keys: np.ndarray | None = None
    folds: Folds | None = None
    group_keys: np.ndarray | None = None
    gone: FoldMemory | None = None

    @classmethod
    def of(cls, table: Table, folds: Folds, memory: FoldMemory | None = None) -> Self:
        """Choose the folds of a table's rows and fit the preprocessing on its training fold.

        Rows of a `memory`, that of an earlier split of the table, keep their fold; see `deal`.

        Raises
        ------
        ValueError
            If the rows are too few for the folds, or a column cannot be used.
        """
        classes, y = table.labels()
        refuse_unusable(table, classes, y)
        group, time = table.group(), table.time()
        try:
            identity, labels = RowIdentity.of(table), label_keys(classes, y)
            keys = identity.keys(table)
            if memory is not None and memory.identity.missing(table):
                memory = None  # by what rows were known is not there any more
            known_by = keys if memory is None or memory.identity == identity else memory.identity.keys(table)
            fold, gone = deal(folds, table, y, known_by, labels, memory)
            preprocessing, X = Preprocessing.fit_table(
                table.rows,
                table.features,
                fold == Fold.TRAIN,
                table.roles.columns,
                table.source.readings,
            )
        except ValueError as error:
            raise table.refusal(error) from error
        weight = table.weight()
        _refuse_weightless(table, fold, weight)
        group = None if group is None else group.astype(np.int64)
        timestamp = None if time is None else np.unique(time, return_inverse=True)[1].astype(np.int64)
        keeps = memory is not None and memory.identity == identity and len(gone) > 0
        most = min(max(len(y), LEAST_REMEMBERED), MOST_REMEMBERED)
        return cls(
            X,
            y,
            fold,
            weight,
            classes,
            preprocessing,
            table.source,
            group,
            timestamp,
            identity,
            keys,
            folds,
            None if group is None else group_keys(table),
            memory.some(gone[:most]) if memory is not None and keeps else None,
        )

    @classmethod
    def of_arrays(
        cls,
        X: np.ndarray,
        labels: np.ndarray,
        fold: np.ndarray,
        *,
        names: list[str],
        weight: np.ndarray | None = None,
        source: Source | None = None,
    ) -> Self:
        """From numbers X (N, D), labels (N,) of any sortable type and each row's fold (N,)."""
        classes, y = np.unique(labels, return_inverse=True)
        preprocessing = Preprocessing.fit(X, names, np.flatnonzero(fold == Fold.TRAIN))
        return cls(
            X,
            y.astype(np.int64),
            fold,
            weight,
            classes.tolist(),
            preprocessing,
            source or Source(),
            identity=RowIdentity(columns=tuple(sorted(names))),
            keys=array_keys(X, names),
        )

    def memory(self) -> FoldMemory | None:
        """The fold of every row, and of those that have gone, by which a later split is dealt."""
        if self.identity is None or self.keys is None or self.folds is None:
            return None
        here = FoldMemory(
            self.folds, self.identity, self.keys, label_keys(self.classes, self.y), self.fold, self.group_keys
        )
        return here if self.gone is None else here.and_gone(self.gone)

    def rows(self, fold: Fold) -> np.ndarray:
        """Indices of a fold's rows, ascending."""
        return np.flatnonzero(self.fold == fold)

    def counted_rows(self, fold: Fold) -> np.ndarray:
        """Indices of a fold's rows of a weight above 0, ascending."""
        rows = self.rows(fold)
        return rows if self.weight is None else rows[self.weight[rows] > 0]

    def filled(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Some rows of X without gaps, as figures need them."""
        return self.preprocessing.filled(self.X[rows])

    def class_counts(self) -> pd.DataFrame:
        """Rows of each class in each fold, for reading; of weighted ones, those that count."""
        C = len(self.classes)
        counts = {fold.label: np.bincount(self.y[self.counted_rows(fold)], minlength=C) for fold in Fold}
        return pd.DataFrame({"class": self.classes} | counts)

    def columns(self) -> pd.DataFrame:
        """The facts that preprocessing learned about each column, for reading."""
        return self.preprocessing.described()

    def posterior(self, X: np.ndarray) -> np.ndarray | None:
        """True class probabilities (N, C) at X (N, D) where the source knows them, else None."""
        return None if self.source.dataset is None else self.source.dataset.posterior(X)


def _refuse_weightless(table: Table, fold: np.ndarray, weight: np.ndarray | None) -> None:
    """Check that a row counts in every fold that has some.

    Raises
    ------
    ValueError
        If all rows of one have a weight of 0.
    """
    if weight is None:
        return
    counts = {own: int((weight[fold == own] > 0).sum()) for own in Fold if (fold == own).any()}
    for own, n_counted in counts.items():
        if not n_counted:
            rows = int((fold == own).sum())
            raise ValueError(
                f"{table.where}: column {table.roles.weight!r}: all {rows:,} rows of the {own.label} fold have a "
                f"weight of 0, so that none {_PURPOSE[own]}; {_advice(table, own)}"
            )


_PURPOSE = {
    Fold.TRAIN: "is learned from",
    Fold.VALIDATION: "stops, calibrates and chooses",
    Fold.TEST: "says how good a model is",
}


def _advice(table: Table, fold: Fold) -> str:
    if fold is Fold.TEST and table.n_test:
        return f"give rows of {table.source.declared('test')} a weight above 0"
    if table.roles.time is not None:
        place = {Fold.TRAIN: "oldest", Fold.VALIDATION: "newer", Fold.TEST: "newest"}[fold]
        return (
            f"the split is by {table.roles.time!r}, and the {place} rows are the {fold.label} fold: leave rows of "
            "weight 0 out of the table, or choose other shares (split.validation, split.test)"
        )
    return "leave rows of weight 0 out of the table, or give more rows a weight above 0"


COPIED_BYTES = 2**26
"""Up to this a table is standardized once, above it a block at a time, which takes no second table's memory."""


def features_of(split: Split, device: str) -> Tensor | Standardized:
    """Features of a split's rows (N, D), as networks see them, on a device."""
    if 4 * len(split.X) * split.preprocessing.width <= COPIED_BYTES:
        return torch.from_numpy(split.preprocessing.features(split.X)).to(device)
    return Standardized(_on(device, split.X), split.preprocessing.arithmetic)


def features_by_fold(split: Split, learned: Sequence[np.ndarray], device: str) -> Tensor | Stacked:
    """Features (F N, D) of a split's rows as networks of F folds see them, one fold's below the other's.

    What preprocessing knows of the rows is learned, for each fold, from those that its networks learn from (indices).
    """
    known = [split.preprocessing.relearned(split.X, rows) for rows in learned]
    if 4 * len(known) * len(split.X) * split.preprocessing.width <= COPIED_BYTES:
        return torch.cat([torch.from_numpy(own.features(X)) for own, X in known]).to(device)
    whole = _on(device, split.X)
    return Stacked(
        [Standardized(whole if X is split.X else _on(device, X), own.arithmetic) for own, X in known]
    )


def _on(device: str, X: np.ndarray) -> Tensor:
    with warnings.catch_warnings():
        # A table that was read may not be written to, which nobody does.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(X).to(device)
