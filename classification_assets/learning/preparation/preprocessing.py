"""Preprocessing: facts about the columns, learned from the training fold, kept as JSON, applied alike at prediction."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from pydantic import field_validator

from classification_assets.learning.declaration import Declaration
from classification_assets.learning.packed.torch_state import threads
from classification_assets.learning.preparation.columns import (
    FITTED,
    AnyColumn,
    Boolean,
    Categorical,
    Date,
    Numeric,
    Scaled,
    one_hot_limit,
)
from classification_assets.learning.preparation.features import Features
from classification_assets.learning.tables.arrow_types import inferred_kind
from classification_assets.learning.tables.coercion import (
    as_numbers,
    category_counts,
    is_timestamp,
    refuse_long_words,
)
from classification_assets.learning.tables.column_reading import ColumnReading, ReadColumn
from classification_assets.learning.tables.reading.type_inference import COMMA, NEARLY
from classification_assets.learning.tables.recognition import Spelling, doubt, doubts, rows_as_read
from classification_assets.learning.tables.roles import ColumnKind
from classification_assets.learning.tables.rows import MemoryRows, Rows

_CHUNK = 2**12
"""Rows that are computed on in double precision at one time: they stay in the cache, and no table is copied."""

_SEVERAL = 20
"""Different words that a column may hold however few rows there are; above, half of the rows must share theirs."""


_OF_FRAMES = Spelling()


class Preprocessing(Declaration):
    """The D columns in order, each with what was learned of it."""

    columns: tuple[AnyColumn, ...]

    @field_validator("columns")
    @classmethod
    def _names_differ(cls, columns: tuple[AnyColumn, ...]) -> tuple[AnyColumn, ...]:
        counts = Counter(column.name for column in columns)
        if twice := [name for name, count in counts.items() if count > 1]:
            raise ValueError(f"columns must have different names, but {twice[0]!r} is there more than once")
        return columns

    @classmethod
    def fit(cls, X: np.ndarray, names: Sequence[str], rows: np.ndarray | None = None) -> Self:
        """Learn from numbers X (N, D), NaN where missing, or from some of their rows (indices)."""
        chosen = slice(None) if rows is None else rows
        return cls(columns=tuple(Numeric.fit(name, X[chosen, index]) for index, name in enumerate(names)))

    @classmethod
    def fit_table(
        cls,
        rows: Rows,
        names: Sequence[str],
        training: np.ndarray,
        kinds: Mapping[str, ColumnKind] | None = None,
        readings: Mapping[str, ReadColumn] = MappingProxyType({}),
    ) -> tuple[Self, np.ndarray]:
        """Learn the columns of these names from the training rows (a mask, (N,)) and encode all rows.

        Parameters
        ----------
        kinds : mapping, optional
            Kinds that are declared and not to be inferred from the columns' types.
        readings : mapping
            How words were read as the numbers and dates that stand in the rows: later words are read so, too.

        Returns
        -------
        The preprocessing and X (N, D) float32

        Raises
        ------
        ValueError
            If a column is of no kind, a value not of its column's, or a column names the rows.
        """
        declared = kinds or {}
        kind = {
            name: declared.get(name) or inferred_kind(name, rows.schema.field(name).type) for name in names
        }
        words = [name for name in names if kind[name] == "categorical"]
        counted = _counted(rows, words, training)
        for name, (counts, _) in list(counted.items()):
            if name not in declared and counts and all(map(is_timestamp, counts)):
                kind[name] = "date"  # a file that holds words only knows no dates
                del counted[name]
                continue
            refuse_names(counts, name, declared=name in declared)
        limit = one_hot_limit([counts for counts, _ in counted.values()])
        learned: dict[str, AnyColumn] = {
            name: Categorical.fit(name, counts, missing, limit) for name, (counts, missing) in counted.items()
        }
        unfitted: dict[str, AnyColumn] = {
            name: learned[name] if name in learned else _blank(name, kind[name]) for name in names
        }
        X = cls(columns=tuple(unfitted.values())).encode_rows(rows)
        for index, name in enumerate(names):
            if name not in learned:
                learned[name] = FITTED[kind[name]].fit(name, X[training, index])
        for name, found in readings.items():
            if name in learned and isinstance(learned[name], Scaled):
                learned[name] = learned[name].replaced(reading=found.reading)
        return cls(columns=tuple(learned[name] for name in names)), X

    @classmethod
    def fit_frame(
        cls, frame: pa.Table, names: Sequence[str], training: np.ndarray
    ) -> tuple[Self, np.ndarray]:
        """As `fit_table`, of a frame for which nothing is declared: its words may be numbers or dates.

        Warns of columns of words that rather hold some, but cannot be read.
        """
        rows, readings = rows_as_read(MemoryRows(frame), names, {}, _OF_FRAMES)
        preprocessing, X = cls.fit_table(rows, names, training, readings=readings)
        for name, reason in doubts(rows, preprocessing.kinds, _OF_FRAMES).items():
            warnings.warn(f"column {name!r}, of which categories are learned, {reason}", stacklevel=4)
        return preprocessing, X

    def relearned(self, X: np.ndarray, rows: np.ndarray) -> tuple[Self, np.ndarray]:
        """The same features with the facts of some rows (indices) of encoded X (N, D), and X as those rows know it.

        Which features there are stays as it was learned, so that a network of one shape can read both: means, scales,
        medians and frequencies are those of the rows, and a category that none of them has is one never seen.
        """
        columns = tuple(column.relearned(X[rows, index]) for index, column in enumerate(self.columns))
        known = X
        for index, column in enumerate(self.columns):
            if not isinstance(column, Categorical):
                continue
            unseen = np.isin(X[:, index], np.flatnonzero(column.times(X[rows, index]) == 0))
            if unseen.any():
                known = known.copy() if known is X else known
                known[unseen, index] = len(column.categories)
        return type(self)(columns=columns), known

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the D columns."""
        return tuple(column.name for column in self.columns)

    @property
    def kinds(self) -> dict[str, ColumnKind]:
        """The kind of each column."""
        return {column.name: column.kind for column in self.columns}

    @property
    def readings(self) -> dict[str, ColumnReading]:
        """How the words of some columns are read."""
        own = {column.name: column.reading for column in self.columns if isinstance(column, Scaled)}
        return {name: reading for name, reading in own.items() if reading is not None}

    @property
    def width(self) -> int:
        """F: the features that a network sees."""
        return self.arithmetic.width

    @property
    def discrete(self) -> list[int]:
        """Places of the columns between whose values there is nothing, or too much for a page: categories, dates."""
        return [index for index, column in enumerate(self.columns) if isinstance(column, Categorical | Date)]

    @property
    def words(self) -> dict[str, Callable[[float], str]]:
        """How to read the codes of the columns that are no numbers, by their names."""
        return {column.name: column.word for column in self.columns if not isinstance(column, Numeric)}

    @cached_property
    def arithmetic(self) -> Features:
        """The half that maps encoded rows (N, D) to features (N, F), on any device."""
        return Features(self.columns)

    def encode(self, rows: Any, first: int = 0, *, shares: bool = False) -> np.ndarray:
        """Rows of a frame or an Arrow batch (by column name; others are ignored) or array, as (N, D) float32.

        Numbers are in their own units, categories their codes, missing values NaN. `first` is the number of the
        first row, for messages; with `shares` a truth value may be a number from 0 to 1.

        Raises
        ------
        ValueError
            If a column is missing or a value is not of its column's kind: the message names column, row and value.
        """
        if isinstance(rows, pd.DataFrame):
            named = rows.rename(columns=str)
            self._refuse_missing(list(named.columns))
            rows = MemoryRows.of(named[list(self.names)]).table
        if isinstance(rows, pa.RecordBatch | pa.Table):
            self._refuse_missing(rows.schema.names)
            X = np.empty((rows.num_rows, len(self.columns)), np.float32)
            for index, column in enumerate(self.columns):
                encode = column.shares if shares and isinstance(column, Boolean) else column.encode
                X[:, index] = encode(rows.column(column.name), first)
            return X
        given = np.asarray(rows)
        if given.ndim != 2 or given.shape[1] != len(self.columns):
            raise ValueError(f"expected rows of shape (N, {len(self.columns)}), got {given.shape}")
        if given.dtype == np.float32 and all(isinstance(column, Numeric) for column in self.columns):
            return as_numbers(given, self.names, missing=True)
        frame = pd.DataFrame(given, columns=list(self.names)).infer_objects()
        return self.encode(frame, first, shares=shares)

    def encode_rows(self, rows: Rows) -> np.ndarray:
        """All rows of a table as (N, D) float32, read in batches; errors are those of `encode`."""
        X, first = np.empty((rows.n_rows, len(self.columns)), np.float32), 0
        for batch in rows.batches(self.names):
            X[first : first + batch.num_rows] = self.encode(batch, first)
            first += batch.num_rows
        return X

    def features(self, X: np.ndarray) -> np.ndarray:
        """Features, as a network sees them, of encoded rows X (N, D): float32 (N, F)."""
        features = np.empty((len(X), self.width), np.float32)
        # Chunks are small: waking a second thread for each costs more than it computes.
        with threads(1):
            for start in range(0, len(X), _CHUNK):
                part = slice(start, start + _CHUNK)
                features[part] = self.arithmetic(_tensor(X[part])).numpy()
        return features

    def filled(self, X: np.ndarray) -> np.ndarray:
        """Encoded rows X (N, D) without gaps, for figures: medians, and the most frequent category."""
        return self.arithmetic.filled(_tensor(X)).numpy()

    def decode(self, X: np.ndarray) -> pd.DataFrame:
        """Encoded rows X (N, D) as they were, for reading; a category that was not known is "another"."""
        return pd.DataFrame(
            {column.name: column.decode(x) for column, x in zip(self.columns, X.T, strict=True)}
        )

    def described(self) -> pd.DataFrame:
        """The facts that were learned about each column, for reading."""
        return pd.DataFrame(
            [
                {
                    "feature": column.name,
                    "kind": column.kind,
                    "mean": getattr(column, "mean", None),
                    "scale": getattr(column, "scale", None),
                    "categories": len(column.categories) if isinstance(column, Categorical) else None,
                    "gaps": column.indicator,
                }
                for column in self.columns
            ]
        ).dropna(axis="columns", how="all")

    def _refuse_missing(self, names: Sequence[str]) -> None:
        if missing := [name for name in self.names if name not in names]:
            raise ValueError(f"missing columns: {', '.join(missing)}; expected are {', '.join(self.names)}")


def _counted(rows: Rows, names: Sequence[str], training: np.ndarray) -> dict[str, tuple[Counter[str], bool]]:
    """How often each category of these columns is in the training rows, and whether one is missing there."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    first = 0
    for batch in rows.batches(names) if names else ():
        chosen = batch.filter(pa.array(training[first : first + batch.num_rows]))
        for name in names:
            refuse_long_words(batch.column(name), name, first)
            counts[name].update(category_counts(chosen.column(name)))
        first += batch.num_rows
    n = int(training.sum())
    return {name: (found, 0 < sum(found.values()) < n) for name, found in counts.items()}


def refuse_names(
    counts: Mapping[str, int], name: str, *, declared: bool, spelling: Spelling = _OF_FRAMES
) -> None:
    """Check that a column of words, given by how often each is there, holds categories.

    Raises
    ------
    ValueError
        If it rather names the rows or is free text, unless it is declared to be categorical.
    """
    there = sum(counts.values())
    if declared or len(counts) <= max(_SEVERAL, there / 2) or all(map(is_timestamp, counts)):
        return
    example = next(iter(counts))
    with_comma = [word for word in counts if re.match(COMMA, word.strip())]
    if len(with_comma) >= NEARLY * len(counts):
        raise ValueError(
            f"column {name!r} holds words that are numbers with a comma, such as {with_comma[0][:40]!r}; make them "
            "numbers (of a file, if the comma is the decimal one, in YAML: decimal: ','), or say that words are meant "
            f"(columns: {{{name}: categorical}})"
        )
    if reason := doubt(counts, name, spelling):
        raise ValueError(f"column {name!r} {reason}; or leave the column out (in YAML: drop: [{name}])")
    raise ValueError(
        f"column {name!r} looks like a name or free text: {len(counts):,} different values in {there:,} rows, such "
        f"as {example[:40]!r}; leave it out (in YAML: drop: [{name}]), say that it names the rows (id: {name}), or "
        f"that it is meant (columns: {{{name}: categorical}})"
    )


def _blank(name: str, kind: ColumnKind) -> AnyColumn:
    return FITTED[kind].fit(name, np.empty(0))


def _tensor(X: np.ndarray) -> torch.Tensor:
    with warnings.catch_warnings():
        # A table that was read may not be written to, which nobody does.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(np.asarray(X, np.float32))
