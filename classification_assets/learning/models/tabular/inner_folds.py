"""Cross-validation within the rows that are learned from: each member sees all folds but one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from classification_assets.learning.preparation.folds import deal_groups, stretches
from classification_assets.learning.seeds import INNER_FOLDS

SCORED = 4_000
"""Rows, at most, on which a member that never sees them is scored during training; all would cost more than it."""


@dataclass(frozen=True)
class InnerFolds:
    """R times F folds of n rows. Member m of a kind leaves out fold m % F of repeat m // F.

    Attributes
    ----------
    rows : array (n,)
        Indices into the table.
    fold : array (R, n)
        The fold of each row in each repeat.
    count : int
        F, the number of folds.
    """

    rows: np.ndarray
    fold: np.ndarray
    count: int

    @classmethod
    def of(
        cls,
        rows: np.ndarray,
        y: np.ndarray,
        folds: int,
        repeats: int,
        seed: int,
        *,
        group: np.ndarray | None = None,
        timestamp: np.ndarray | None = None,
        copy: np.ndarray | None = None,
    ) -> Self:
        """Deal the rows of each class out to the folds in turns, in another order for each repeat.

        Folds differ by one row at most, in all and of each class. What a member never sees must be as hard for it
        as rows of other folds of the table are: so rows of a group, and else copies, stay together, and folds come
        as near to one size as these allow; where rows have timestamps, each fold is a stretch of time. There are never
        more folds than rows, groups, copies or timestamps.

        Parameters
        ----------
        rows : array (n,)
        y, group, timestamp, copy : arrays (N,)
            The table's labels, and each row's number; of the last three, one at most.
        """
        y = y[rows]
        group, timestamp, copy = (
            None if numbers is None else numbers[rows] for numbers in (group, timestamp, copy)
        )
        together = next((numbers for numbers in (group, timestamp, copy) if numbers is not None), None)
        count = min(folds, len(rows) if together is None else len(np.unique(together)))
        fold = np.empty((repeats, len(rows)), np.int16)
        for repeat, fold_of_row in enumerate(fold):
            rng = np.random.default_rng([seed, INNER_FOLDS, repeat])
            if group is not None:
                fold_of_row[:] = deal_groups(y, group, np.full(count, 1 / count), int(rng.integers(2**32)))
            elif timestamp is not None:
                fold_of_row[:] = stretches(timestamp, np.arange(1, count) * len(rows) / count)
            else:
                fold_of_row[:] = _dealt(y, copy, count, rng)
        return cls(rows, fold, count)

    @property
    def members(self) -> int:
        """Members of each kind, R times F."""
        return len(self.fold) * self.count

    def unseen(self, member: int) -> np.ndarray:
        """The mask (n,) of the rows that a member of a kind never sees."""
        return self.fold[member // self.count] == member % self.count

    def seen_by(self, members: Sequence[int]) -> list[np.ndarray]:
        """Rows of the table that each member, kind by kind, learns from."""
        return [self._seen[member % self.members] for member in members]

    def unseen_by(self, members: Sequence[int]) -> list[np.ndarray]:
        """Up to `SCORED` rows of the table that each member, kind by kind, never sees."""
        return [self._unseen[member % self.members] for member in members]

    def some(self, most: int) -> np.ndarray:
        """Up to so many of the n rows, drawn evenly from the folds, ascending."""
        if len(self.rows) <= most:
            return np.arange(len(self.rows))
        order = np.argsort(self.fold[0], kind="stable")
        return np.sort(order[np.linspace(0, len(order) - 1, most).astype(np.int64)])

    def with_others(self, y: np.ndarray) -> np.ndarray:
        """The mask (n,) of the rows whose class also occurs outside of their fold, in the first repeat."""
        class_in_fold = y.astype(np.int64) * self.count + self.fold[0]
        return np.bincount(y)[y] > np.bincount(class_in_fold)[class_in_fold]

    @cached_property
    def _seen(self) -> list[np.ndarray]:
        return [self.rows[~self.unseen(member)] for member in range(self.members)]

    @cached_property
    def _unseen(self) -> list[np.ndarray]:
        unseen = [self.rows[self.unseen(member)] for member in range(self.members)]
        return [rows[:: -(-len(rows) // SCORED)] for rows in unseen]


def _dealt(y: np.ndarray, copy: np.ndarray | None, count: int, rng: np.random.Generator) -> np.ndarray:
    """The fold (n,) of rows of classes y (n,), those of one number `copy` (n,) in the same."""
    if copy is None:
        return _in_turns(y, np.ones(len(y), np.int64), count, rng)
    _, first, original, copies = np.unique(copy, return_index=True, return_inverse=True, return_counts=True)
    return _in_turns(y[first], copies, count, rng)[original]


def _in_turns(y: np.ndarray, copies: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    order = rng.permutation(len(y))
    # Within a class, rows with the most copies come first: that makes the folds' sizes most alike.
    order = order[np.lexsort((-copies[order], y[order]))]
    fold = np.empty(len(y), np.int64)
    fold[order] = np.arange(len(y)) % count
    return fold
