"""Cross-validation within the rows that are learned from: what each member sees, and what it never sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from classification_assets.learning.folds import deal_groups

SCORED = 4_000
"""Rows that a member never sees, at most, whose loss is followed during training: all would cost more than it."""

_USE = 4_000  # of a seed: members' own draws count from other numbers


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
        F.
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
        group: np.ndarray | None = None,
    ) -> Self:
        """Deal the rows of each class out to the folds in turns, in an order of each repeat's own.

        Folds differ by one row at most, in all and of each class; with groups, whose rows stay together, they
        come as near to that as groups allow. There are never more folds than rows, or groups.

        Parameters
        ----------
        rows : array (n,)
        y, group : arrays (N,)
            The table's labels and groups.
        """
        count = min(folds, len(rows) if group is None else len(np.unique(group[rows])))
        fold = np.empty((repeats, len(rows)), np.int16)
        for repeat in range(repeats):
            rng = np.random.default_rng([seed, _USE, repeat])
            if group is not None:
                shares, own = np.full(count, 1 / count), int(rng.integers(2**32))
                fold[repeat] = deal_groups(y[rows], group[rows], shares, own)
                continue
            order = rng.permutation(len(rows))
            order = order[np.argsort(y[rows[order]], kind="stable")]
            fold[repeat, order] = np.arange(len(rows)) % count
        return cls(rows, fold, count)

    @property
    def members(self) -> int:
        """Of one kind."""
        return len(self.fold) * self.count

    def unseen(self, member: int) -> np.ndarray:
        """Which of the n rows a member of a kind never sees, (n,) bool."""
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

    @cached_property
    def _seen(self) -> list[np.ndarray]:
        return [self.rows[~self.unseen(member)] for member in range(self.members)]

    @cached_property
    def _unseen(self) -> list[np.ndarray]:
        unseen = [self.rows[self.unseen(member)] for member in range(self.members)]
        return [own[:: -(-len(own) // SCORED)] for own in unseen]
