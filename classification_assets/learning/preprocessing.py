"""What is learned about the columns from the training fold, as JSON, applied identically at prediction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import field_validator
from sklearn.preprocessing import StandardScaler

from classification_assets.learning.declaration import Declaration

_CHUNK = 2**17
"""Rows that are computed on in double precision at one time: a copy of a large table would not fit."""


class Preprocessing(Declaration):
    """Columns by name, and the mean and scale that standardize them."""

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @field_validator("names")
    @classmethod
    def _names_differ(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise ValueError(
                f"columns must have different names, however: {twice[0]!r} is there more than once"
            )
        return names

    @classmethod
    def fit(cls, X: np.ndarray, names: list[str], rows: np.ndarray | None = None) -> Self:
        """Learn from X (N, D), or from some of its rows (indices); a constant column keeps its scale."""
        rows, scaler = np.arange(len(X)) if rows is None else rows, StandardScaler()
        for start in range(0, max(len(rows), 1), _CHUNK):
            scaler.partial_fit(X[rows[start : start + _CHUNK]].astype(np.float64))
        return cls(names=tuple(names), mean=tuple(scaler.mean_.tolist()), scale=tuple(scaler.scale_.tolist()))

    def encode(self, rows: Any) -> np.ndarray:
        """Rows of a frame (by column name; others are ignored) or array, as (N, D) float32 in their own units.

        Raises
        ------
        ValueError
            If a column is missing, or a value is no finite number: the message names column and value.
        """
        if isinstance(rows, pd.DataFrame):
            rows = rows.rename(columns=str)
            missing = [name for name in self.names if name not in rows.columns]
            if missing:
                raise ValueError(
                    f"missing columns: {', '.join(missing)}; expected are {', '.join(self.names)}"
                )
            rows = rows[list(self.names)].to_numpy()
        return as_numbers(rows, self.names)

    def features(self, X: np.ndarray) -> np.ndarray:
        """What a network sees of X (N, D): standardized float32 (N, D)."""
        features = np.empty(X.shape, np.float32)
        for start in range(0, len(X), _CHUNK):
            part = slice(start, start + _CHUNK)
            features[part] = (X[part] - np.asarray(self.mean)) / np.asarray(self.scale)
        return features


def as_numbers(rows: Any, names: Sequence[str]) -> np.ndarray:
    """Rows as (N, D) float32.

    Raises
    ------
    ValueError
        If the shape does not fit the D names, or a value is no finite number.
    """
    given = np.asarray(rows)
    if given.ndim != 2 or given.shape[1] != len(names):
        raise ValueError(f"expected rows of shape (N, {len(names)}), however: {given.shape}")
    X = np.empty(given.shape, np.float32)
    for column, name in enumerate(names):
        try:
            with np.errstate(over="ignore"):
                X[:, column] = given[:, column]
        except (TypeError, ValueError) as error:
            raise ValueError(f"every feature must be a number, however: column {name!r}: {error}") from error
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(
            f"every feature must be a finite number, however: column {names[column]!r}, "
            f"row {row}: {given[row, column]}"
        )
    return X
