"""Memory of folds: a row that was dealt to a fold stays there when its table grows, shrinks or is reordered.

A row is known again by its `id`, where the table has one, else by the content of its features; rows of a group by
their group. Of a row that has gone the fold is remembered too, for as many rows as the table has.

Shapes: N rows of a table, M remembered rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa

from classification_assets.learning.declaration import Declaration
from classification_assets.learning.preparation.folds import Fold, Folds, deal_groups, refuse_shared_groups
from classification_assets.learning.tables.row_keys import combined, paired, row_keys, unpaired, value_keys
from classification_assets.learning.tables.table import Table

LEAST_REMEMBERED, MOST_REMEMBERED = 10_000, 2**18
"""Rows that have gone whose folds are remembered: as many as the table has, at least and at most so many."""


class RowIdentity(Declaration):
    """By what a row is known again."""

    by: Literal["id", "content"] = "content"
    columns: tuple[str, ...] = ()
    """The column that names rows, or the features, sorted by name."""

    group: str | None = None
    """The column of groups, whose rows stay together."""

    @classmethod
    def of(cls, table: Table) -> Self:
        """By the `id` where it names every row, and each one differently; else by the content of the features."""
        group = table.roles.group
        if table.roles.id is not None:
            ids = table.rows.column(table.roles.id)
            if not ids.null_count and len(np.unique(value_keys(ids))) == len(ids):
                return cls(by="id", columns=(table.roles.id,), group=group)
        return cls(by="content", columns=tuple(sorted(table.features)), group=group)

    def missing(self, table: Table) -> list[str]:
        """Columns by which rows were known and that a table does not have."""
        return [name for name in self.columns if name not in table.rows.names]

    def keys(self, table: Table) -> np.ndarray:
        """Keys (N,) uint64 of a table's rows."""
        return row_keys(table.rows, self.columns, rounded=self.by == "content")


@dataclass(frozen=True)
class FoldMemory:
    """The fold of every row that a split has dealt, and of some that have gone since.

    Attributes
    ----------
    folds : Folds
        The declaration by which they were dealt.
    identity : RowIdentity
    keys : array (M,) uint64
        Those of rows that have gone come last, the longest gone at the end.
    labels : array (M,) uint64
        Keys of the labels: rows that are the same but for their labels are told apart.
    fold : array (M,) int8
    groups : array (M,) uint64 or None
        Keys of the groups, where rows of one stay together.
    """

    folds: Folds
    identity: RowIdentity
    keys: np.ndarray
    labels: np.ndarray
    fold: np.ndarray
    groups: np.ndarray | None = None

    def known_groups(self, groups: np.ndarray) -> np.ndarray:
        """The index (N,) in the memory of a row of each row's group, -1 of new groups."""
        if self.groups is None or not len(self.groups):
            return np.full(len(groups), -1, np.int64)
        # Any row speaks for its group: all of them were in one fold.
        names, first = np.unique(self.groups, return_index=True)
        position = np.minimum(np.searchsorted(names, groups), len(names) - 1)
        return np.where(names[position] == groups, first[position], -1)

    def some(self, index: np.ndarray) -> Self:
        """The memory of some rows alone, which have gone."""
        return replace(
            self,
            keys=self.keys[index],
            labels=self.labels[index],
            fold=self.fold[index],
            groups=None if self.groups is None else self.groups[index],
        )

    def and_gone(self, gone: FoldMemory) -> Self:
        """The memory of these rows and, after them, of some that have gone."""
        groups = None if self.groups is None or gone.groups is None else np.append(self.groups, gone.groups)
        return replace(
            self,
            keys=np.append(self.keys, gone.keys),
            labels=np.append(self.labels, gone.labels),
            fold=np.append(self.fold, gone.fold),
            groups=groups,
        )

    def known(self, keys: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The index (N,) of each row in the memory, -1 of new ones.

        Copies are paired first where their labels agree too, and then without: a label may have been corrected.
        """
        index = paired(combined(keys, labels), combined(self.keys, self.labels))
        if not len(rest := np.flatnonzero(index < 0)):
            return index
        left = unpaired(index, len(self.keys))
        again = paired(keys[rest], self.keys[left])
        index[rest[again >= 0]] = left[again[again >= 0]]
        return index


def _of_copies(memory: FoldMemory, keys: np.ndarray) -> np.ndarray:
    """The fold (N,) in which all remembered rows of a key (N,) are, -1 where there are none or they are in several."""
    names, first = np.unique(memory.keys[order := np.argsort(memory.keys, kind="stable")], return_index=True)
    lowest, highest = (of.reduceat(memory.fold[order], first) for of in (np.minimum, np.maximum))
    position = np.minimum(np.searchsorted(names, keys), len(names) - 1)
    agree = (names[position] == keys) & (lowest == highest)[position]
    return np.where(agree, lowest[position], -1).astype(np.int8)


def group_keys(table: Table) -> np.ndarray:
    """Keys (N,) uint64 of the groups of a table that has some."""
    assert table.roles.group is not None
    return value_keys(table.rows.column(table.roles.group))


def label_keys(classes: Sequence[Any], y: np.ndarray) -> np.ndarray:
    """Keys (N,) uint64 of the labels of rows with class codes y (N,)."""
    return value_keys(pa.array([str(label) for label in classes], pa.string()))[y]


def deal(
    folds: Folds,
    table: Table,
    y: np.ndarray,
    keys: np.ndarray,
    labels: np.ndarray,
    memory: FoldMemory | None,
) -> tuple[np.ndarray, np.ndarray]:
    """The fold of each row of a table, and which remembered rows have gone.

    Rows that are remembered keep their fold, and new copies of them follow. Other new ones are dealt within each
    class, so that every fold comes to its share of the class as exactly as whole rows can; which of them go where
    follows from their keys and the seed, not from their order. A table of new rows alone, and one that is split by
    time, is dealt by `Folds.choose`.

    Parameters
    ----------
    folds : Folds
    table : Table
    y : array (N,)
        Class codes.
    keys, labels : arrays (N,) uint64
        Keys of the rows, by the identity of the memory, and of their labels.
    memory : FoldMemory, optional
        One that was dealt by another declaration is not used.

    Returns
    -------
    fold : array (N,) int8
    gone : array of indices into the memory

    Raises
    ------
    ValueError
        If there are too few rows, groups or timestamps for the folds.
    """
    group, time, n_test = table.group(), table.time(), table.n_test
    nothing = np.empty(0, np.int64)
    if group is not None:
        refuse_shared_groups(group, n_test)
    if (
        memory is None
        or memory.folds != folds
        or memory.identity.group != table.roles.group
        or time is not None
    ):
        return folds.choose(y, group=group, time=time, n_test=n_test), nothing
    index = memory.known(keys, labels)
    known = index >= 0 if group is None else memory.known_groups(group_keys(table)) >= 0
    fold = np.full(len(y), -1, np.int8)
    if group is None:
        fold[known] = memory.fold[index[known]]
        if not known.all():
            # A copy of a row that is known goes where that is: a file that was delivered twice changes no fold.
            fold[~known] = _of_copies(memory, keys[~known])
    else:
        fold[known] = memory.fold[memory.known_groups(group_keys(table))[known]]
    gone = unpaired(index, len(memory.keys))
    if n_test:
        main = np.arange(len(y)) < len(y) - n_test
        # What is in the test fold's own file is tested; a row that was there and is not now is new.
        fold[main & (fold == Fold.TEST)] = -1
        fold[~main] = Fold.TEST
        known = main & (fold >= 0)
    if not known.any():
        return folds.choose(y, group=group, time=None, n_test=n_test), nothing
    wanted = folds.sizes(len(y), len(np.unique(y)), n_test)
    if group is not None:
        _deal_groups(fold, y, group, wanted, folds.seed, n_test)
    else:
        shares = {Fold.TEST: 0.0 if n_test else folds.test, Fold.VALIDATION: folds.validation}
        of_main = slice(0, len(y) - n_test)
        _deal_rows(fold[of_main], y[of_main], keys[of_main], shares, folds.seed)
    for each in Fold:
        found = int((fold == each).sum())
        if found < min(wanted[each], len(np.unique(y))):
            raise ValueError(
                f"rows keep their fold, and of those that are left only {found} belong to the {each.label} fold, "
                f"fewer than the {len(np.unique(y))} classes; another split.seed deals all rows anew"
            )
    return fold, gone


def _deal_rows(
    fold: np.ndarray, y: np.ndarray, keys: np.ndarray, shares: dict[Fold, float], seed: int
) -> None:
    """Fill in the fold of new rows, which is -1, class by class."""
    order = np.argsort(combined(keys, np.full(len(keys), seed, np.uint64)), kind="stable")
    for code in np.unique(y[fold < 0]):
        own = y == code
        new = order[(own & (fold < 0))[order]]
        size, at = int(own.sum()), 0
        training = int((own & (fold == Fold.TRAIN)).sum())
        for held_out, share in shares.items():
            # A class with fewer than three rows cannot be in every fold, and training needs one of each.
            lacking = round(share * size) - int((own & (fold == held_out)).sum()) if size >= 3 else 0
            most = len(new) - at - (training == 0)
            count = max(0, min(lacking, most))
            fold[new[at : at + count]] = held_out
            at += count
        fold[new[at:]] = Fold.TRAIN


def _deal_groups(
    fold: np.ndarray,
    y: np.ndarray,
    group: np.ndarray,
    wanted: dict[Fold, int],
    seed: int,
    n_test: int,
) -> None:
    """Fill in the fold of new groups, which is -1: they go where rows are lacking."""
    new = np.flatnonzero(fold < 0)
    if not len(new):
        return
    lacking = np.array([max(0, wanted[each] - int((fold == each).sum())) for each in Fold], float)
    if n_test:
        lacking[Fold.TEST] = 0
    if not lacking.any():
        lacking[Fold.TRAIN] = 1
    parts = [each for each in Fold if lacking[each]]
    # Fewer new groups than parts: the parts that lack most come first.
    parts = sorted(parts, key=lambda each: -lacking[each])[: len(np.unique(group[new]))]
    shares = lacking[parts] / lacking[parts].sum()
    fold[new] = np.array(parts, np.int8)[deal_groups(y[new], group[new], shares, seed)]
