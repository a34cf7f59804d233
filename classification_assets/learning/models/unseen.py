"""Cells of rows to predict that hold a category which training has never seen: how many, of which column and row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from classification_assets.learning.preparation.columns import Categorical
from classification_assets.learning.preparation.preprocessing import Preprocessing


@dataclass
class UnseenCells:
    """Cells with a category that is not among those which preprocessing remembers of the training rows.

    Attributes
    ----------
    preprocessing : Preprocessing
    n_rows : int
        Rows that were gone through.
    columns : dict
        Of each column with such cells: ``cells`` (their number), ``such_as`` (the first one, in words) and ``known``
        (categories of the training rows, at most three).
    """

    preprocessing: Preprocessing
    n_rows: int = 0
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, X: np.ndarray, rows: pa.RecordBatch) -> np.ndarray:
        """Go through encoded rows X (N, D), which were these; give the number of such cells of each row, (N,) int32."""
        total = np.zeros(len(X), np.int32)
        self.n_rows += len(X)
        for column, codes in zip(self.preprocessing.columns, X.T, strict=True):
            if not isinstance(column, Categorical):
                continue
            # A missing one is NaN, and no category.
            unseen = codes >= len(column.categories)
            if not unseen.any():
                continue
            total += unseen
            first = rows.column(column.name)[int(unseen.argmax())].as_py()
            told = self.columns.setdefault(
                column.name, {"cells": 0, "such_as": str(first)[:40], "known": list(column.categories[:3])}
            )
            told["cells"] += int(unseen.sum())
        return total
