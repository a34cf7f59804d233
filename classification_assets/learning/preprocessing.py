"""What is learned about the columns from the training fold, as JSON, applied identically at prediction."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from classification_assets.learning.declaration import Declaration


class Preprocessing(Declaration):
    """Columns by name, and the mean and scale that standardize them."""

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def fit(cls, X: np.ndarray, names: list[str]) -> Self:
        """Learn from the training rows X (N, D); a constant column keeps its scale."""
        scaler = StandardScaler().fit(X.astype(np.float64))
        return cls(names=tuple(names), mean=tuple(scaler.mean_.tolist()), scale=tuple(scaler.scale_.tolist()))

    def encode(self, rows: Any) -> np.ndarray:
        """Rows of a frame (by column name; others are ignored) or array, as (N, D) float32 in their own units.

        Raises
        ------
        ValueError
            If a column is missing, or a value is no finite number: the message names column, row and value.
        """
        if isinstance(rows, pd.DataFrame):
            missing = [name for name in self.names if name not in rows.columns]
            if missing:
                raise ValueError(
                    f"missing columns: {', '.join(missing)}; expected are {', '.join(self.names)}"
                )
            rows = rows[list(self.names)].to_numpy()
        X = np.asarray(rows)
        if X.ndim != 2 or X.shape[1] != len(self.names):
            raise ValueError(f"expected rows of shape (N, {len(self.names)}), however: {X.shape}")
        try:
            X = X.astype(np.float32)
        except (TypeError, ValueError) as error:
            raise ValueError(f"every feature must be a number, however: {error}") from error
        if not np.isfinite(X).all():
            row, column = np.argwhere(~np.isfinite(X))[0]
            raise ValueError(
                f"every feature must be a finite number, however: column {self.names[column]!r}, "
                f"row {row}: {X[row, column]}"
            )
        return X

    def features(self, X: np.ndarray) -> np.ndarray:
        """What a network sees of X (N, D): standardized float32 (N, D)."""
        return ((X - np.asarray(self.mean)) / np.asarray(self.scale)).astype(np.float32)
