"""Shift of the labels between two versions of a table: how far apart, and whether chance alone does as much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from classification_assets.learning.tables.table import Table

DRAWS = 1_999
"""Random deals of all rows to both versions; more are not needed to tell one in a hundred."""


@dataclass(frozen=True)
class LabelShift:
    """Rows of C classes in two versions of a table.

    Attributes
    ----------
    names : list of str
        The classes of both versions, C.
    counts : ndarray, (2, C)
        Rows of each class, before and now.
    independent : ndarray, (2, C)
        The same, where the rows of one group count as one: they share their label more often than not.
    """

    names: list[str]
    counts: np.ndarray
    independent: np.ndarray

    @classmethod
    def between(cls, before: Table, now: Table) -> LabelShift:
        rows = [class_rows(before), class_rows(now)]
        names = list(rows[0] | rows[1])
        counts = np.array([[each.get(name, 0) for name in names] for each in rows], np.int64)
        a_group = np.array([_rows_a_group(before), _rows_a_group(now)])
        return cls(names, counts, np.ceil(counts / a_group[:, None]).astype(np.int64))

    @property
    def shares(self) -> np.ndarray:
        """Share of each class, (2, C)."""
        return self.counts / self.counts.sum(axis=1, keepdims=True)

    @property
    def distance(self) -> float:
        """Total variation distance of the class shares: 0, the same, to 1, no class in common."""
        return float(np.abs(self.shares[1] - self.shares[0]).sum() / 2)

    @property
    def most_changed(self) -> str:
        """The class whose share has changed most, in words."""
        before, now = self.shares
        most = int(np.abs(now - before).argmax())
        return f"class {self.names[most]}, from {before[most]:.1%} to {now[most]:.1%}"

    def chance(self) -> float:
        """Probability of such a distance if all rows were dealt to both versions by chance (a permutation test).

        Exact for few rows and for many classes, where a chi-squared distribution is not.
        """
        pool, (n_before, n_now) = self.independent.sum(axis=0), self.independent.sum(axis=1)
        rng = np.random.default_rng(0)
        dealt = rng.multivariate_hypergeometric(pool, n_now, DRAWS, method="marginals")
        distances = np.abs((pool - dealt) / n_before - dealt / n_now).sum(axis=1) / 2
        return float((1 + (distances >= self.distance - 1e-12).sum()) / (1 + DRAWS))


def class_rows(table: Table) -> dict[str, int]:
    """Rows of each class, by its name; 1 and 1.0 are one class, as whole numbers with gaps become floats."""
    counts = table.class_counts()
    return {
        str(int(name)) if isinstance(name, float) and name.is_integer() else str(name): int(rows)
        for name, rows in zip(counts["class"], counts["rows"], strict=True)
    }


def _rows_a_group(table: Table) -> float:
    group = table.group()
    return 1.0 if group is None else len(group) / (int(group.max()) + 1)
