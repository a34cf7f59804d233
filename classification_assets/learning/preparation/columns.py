"""The columns of a table as numbers: what is learned of each kind, and how its values are encoded.

A column's code is one float32 a row: a number as it is, a category its rank, NaN if it is missing. What a
network sees of the codes is arithmetic, and stands in `features.py`.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from classification_assets.learning.declaration import Declaration
from classification_assets.learning.tables.coercion import DAY_0, by_value, days, numbers, truths
from classification_assets.learning.tables.column_reading import ColumnReading
from classification_assets.learning.tables.roles import ColumnKind
from classification_assets.learning.tables.word_values import read_words

ONE_HOT = 32
"""Categories of a column, the most frequent ones, that get a feature of their own in any case."""

ALL_ONE_HOT = 256
"""Categories of all columns up to which more of them do; a rarer one is told by how frequent it is."""

ENOUGH = 5
"""Rows that such a further category must have."""

LISTED = 64
"""Values of a list of numbers, the most frequent ones, that get a feature of their own."""

CATEGORIES = 4096
"""Categories that are remembered; a rarer one is like one that was never seen."""


_POINT = re.compile(r"^([+-]?\d+)\.0+$")
_MINUTES = 24 * 60
# A column whose bulk lies within this many widths of its middle 98 % is standardized by plain mean and deviation.
_REACH = 3.0
# Values, evenly spaced, whose quantiles are taken: a hundredth of a per cent does not matter there.
_RANKED = 50_000
# Knees from the median to the 99th percentile of distances from which on tails are heavy. A normal distribution has
# 4, and bending one hides what differs in spread alone; an exponential one has 8.5.
_HEAVY = 9.0
# Different values up to which they are levels of a scale.
_LEVELS = 20
# How many times as frequent a recurring value is as those around it, and how many on either side these are.
_RECURRING, _BESIDE = 3, 3


class Column(Declaration):
    """Base of the kinds of column. ``indicator``: whether a feature says that the value was missing."""

    name: str
    indicator: bool

    @abstractmethod
    def encode(self, values: pa.Array, first: int = 0) -> np.ndarray:
        """Values (N,) as float32; `first` is the number of the first row, for messages.

        Raises
        ------
        ValueError
            If a value is not of this kind: the message names column, row and value.
        """

    @abstractmethod
    def relearned(self, codes: np.ndarray) -> Self:
        """The same column, which gives the same features, with the facts of other rows' codes (n,)."""

    def decode(self, codes: np.ndarray) -> list[Any]:
        """The values that codes (N,) stand for, None where missing."""
        return [None if np.isnan(code) else self._value(float(code)) for code in codes]

    def word(self, code: float) -> str:
        """The word for a code, at an axis."""
        return str(self._value(code))

    def _value(self, code: float) -> Any:
        return code


class Scaled(Column):
    """A column whose code is standardized; a missing one is filled.

    ``reading``: how its words are read, where they are not plain numbers or ISO 8601 dates.
    """

    reading: ColumnReading | None = Field(None, exclude_if=lambda reading: reading is None)
    mean: float
    scale: float
    fill: float

    @classmethod
    def fit(cls, name: str, values: np.ndarray) -> Self:
        """Learn from values (n,), NaN where missing."""
        return cls(name=name, **_scale(values))

    def relearned(self, codes: np.ndarray) -> Self:
        return self.replaced(**_scale(codes) | {"indicator": self.indicator})

    def _read(self, values: pa.Array, first: int) -> pa.Array:
        return values if self.reading is None else read_words(values, self.reading, self.name, first)


class Numeric(Scaled):
    """A number, standardized; a missing one becomes the median.

    Where tails are heavy, as of amounts and counts, it is first bent: it goes on with the logarithm of its distance
    to the median in units of the knee, see `Features`, and mean and scale are those of the bent values. On spambase
    (57 frequencies of words, most of them 0) that takes the log loss of `tabular` from 0.134 to 0.123.

    Where most rows have one value, as of amounts that are mostly 0, a feature says whether it is that one;
    and where the other values come from a list (of fees, of steps of a tax), each of them has a feature too.
    """

    kind: Literal["numeric"] = "numeric"
    knee: float | None = None
    """In a bent column, the median distance to the median of the values that are not the median."""
    own: tuple[float, ...] = ()
    """Values, as float32, with a feature that says whether a number is this one."""

    @classmethod
    def fit(cls, name: str, values: np.ndarray) -> Self:
        told, some = _scale(values), _some(values)
        middle, knee = told["fill"], _knee(some, told["fill"])
        own = _own_values(some, middle)
        if knee is None:
            return cls(name=name, **told, own=own)
        return cls(name=name, **_scale(_bent(values, middle, knee)) | {"fill": middle}, knee=knee, own=own)

    def relearned(self, codes: np.ndarray) -> Self:
        if self.knee is None:
            return super().relearned(codes)
        middle = _scale(codes)["fill"]
        distance = np.abs(_some(codes) - middle)
        knee = float(np.median(distance[distance > 0])) if distance.any() else self.knee
        told = _scale(_bent(codes, middle, knee)) | {"fill": middle, "indicator": self.indicator}
        return self.replaced(**told, knee=knee)

    def encode(self, values: pa.Array, first: int = 0) -> np.ndarray:
        return numbers(self._read(values, first), self.name, first)


class Boolean(Scaled):
    """True is 1 and false 0; a missing one becomes the more frequent of the two."""

    kind: Literal["boolean"] = "boolean"

    def encode(self, values: pa.Array, first: int = 0) -> np.ndarray:
        return truths(values, self.name, first)

    def shares(self, values: pa.Array, first: int = 0) -> np.ndarray:
        """As `encode`, but numbers from 0 to 1 as they are: others lay profiles and grids between two truths.

        Raises
        ------
        ValueError
            If a value is neither: the message names column, row and value.
        """
        if not pa.types.is_floating(values.type):
            return self.encode(values, first)
        found = numbers(values, self.name, first)
        if (wrong := np.flatnonzero((found < 0) | (found > 1))).size:
            raise ValueError(
                f"column {self.name!r} is boolean, so its values are true, false or a number from 0 to 1, got in "
                f"row {first + wrong[0]}: {found[wrong[0]]:g}"
            )
        return found

    def _value(self, code: float) -> Any:
        return code >= 0.5


class Date(Scaled):
    """A date or timestamp: days since `DAY_0`, and where in the year, the week and (if it has a time) the day it is."""

    kind: Literal["date"] = "date"
    periods: tuple[float, ...]
    """In days: each gives a sine and a cosine. Only those that the training rows go round at least once."""

    def encode(self, values: pa.Array, first: int = 0) -> np.ndarray:
        return days(self._read(values, first), self.name, first)

    def word(self, code: float) -> str:
        day, _, time = super().word(code).partition("T")
        return day if time == "00:00" else f"{time}\n{day}"

    def _value(self, code: float) -> Any:
        # A code tells minutes apart, not seconds.
        return str((DAY_0 + np.timedelta64(round(code * _MINUTES), "m")).astype("datetime64[m]"))

    @classmethod
    def fit(cls, name: str, values: np.ndarray) -> Self:
        """Learn from values (n,), NaN where missing."""
        there = values[~np.isnan(values)]
        span = float(np.ptp(there)) if len(there) else 0.0
        timed = bool((there % 1 != 0).any())
        known = [365.2425, 7.0] + [1.0] * timed
        return cls(name=name, periods=tuple(period for period in known if span >= period), **_scale(values))


class Categorical(Column):
    """One of some values: the most frequent ones one-hot, and of many also how frequent the value is.

    The code is the category's rank by frequency in the training fold; a value that was not seen there has the
    code after the last, and is no error.
    """

    kind: Literal["categorical"] = "categorical"
    categories: tuple[str, ...]
    frequency: tuple[float, ...]
    """Standardized logarithm of each category's share, with that of an unseen value last; empty if all are one-hot."""
    limit: int = ONE_HOT
    """Number of categories with a feature of their own, at most."""

    def encode(self, values: pa.Array, first: int = 0) -> np.ndarray:
        places = self._places()
        # Whole numbers are written with a point where their column has gaps, and without one where it has none.
        whole = {_POINT.sub(r"\1", text): index for text, index in reversed(places.items())}

        def index(text: str) -> int:
            return places.get(text, whole.get(_POINT.sub(r"\1", text), len(places)))

        return by_value(values, index)

    def word(self, code: float) -> str:
        return super().word(code) if 0 <= round(code) <= len(self.categories) else ""

    def _value(self, code: float) -> Any:
        return self.categories[round(code)] if round(code) < len(self.categories) else "another"

    def _places(self) -> dict[str, int]:
        return {category: index for index, category in enumerate(self.categories)}

    @property
    def shown(self) -> int:
        """How many categories have a feature of their own."""
        return min(len(self.categories), self.limit)

    @classmethod
    def fit(cls, name: str, counts: Mapping[str, int], missing: bool, limit: int = ONE_HOT) -> Self:
        """Learn from how often each category is in the training rows."""
        ranked = sorted(counts, key=lambda category: (-counts[category], category))[:CATEGORIES]
        limit = max(ONE_HOT, min(limit, _frequent(counts)))
        frequency: tuple[float, ...] = ()
        if len(counts) > limit:
            frequency = _frequencies(np.array([counts[category] for category in ranked]))
        return cls(name=name, indicator=missing, categories=tuple(ranked), frequency=frequency, limit=limit)

    def relearned(self, codes: np.ndarray) -> Self:
        if not self.frequency:
            return self
        times = self.times(codes)
        # Nothing is known of a table without a category.
        return self.replaced(frequency=_frequencies(times)) if times.any() else self

    def times(self, codes: np.ndarray) -> np.ndarray:
        """How often each category is among codes (n,)."""
        known = codes[codes < len(self.categories)].astype(np.int64)
        return np.bincount(known, minlength=len(self.categories))


def _frequencies(times: np.ndarray) -> tuple[float, ...]:
    """Standardized logarithms of how often each category is there, and of an unseen one, which counts as half a row.

    No labels are needed, so nothing leaks.
    """
    logarithm = np.log(np.append(np.maximum(times, 0.5), 0.5))
    mean = np.average(logarithm[:-1], weights=times)
    deviation = np.sqrt(np.average((logarithm[:-1] - mean) ** 2, weights=times))
    return tuple(((logarithm - mean) / (deviation or 1.0)).tolist())


def one_hot_limit(columns: Sequence[Mapping[str, int]]) -> int:
    """How many categories of a column may have a feature of their own, from how often each column's are there.

    Columns share `ALL_ONE_HOT` features: those of few categories leave theirs to the others. On six tables with a
    column of 40 to 1,000 categories `tabular` has 0.046 less log loss than with 32 features of each column.
    """
    sizes = [_frequent(counts) for counts in columns]
    fitting = [
        limit
        for limit in range(ONE_HOT, ALL_ONE_HOT + 1)
        if sum(min(size, limit) for size in sizes) <= ALL_ONE_HOT
    ]
    return max(fitting, default=ONE_HOT)


def _frequent(counts: Mapping[str, int]) -> int:
    return sum(times >= ENOUGH for times in counts.values())


AnyColumn = Annotated[Numeric | Boolean | Date | Categorical, Field(discriminator="kind")]
FITTED: dict[ColumnKind, type[Numeric | Boolean | Date]] = {
    "numeric": Numeric,
    "boolean": Boolean,
    "date": Date,
}
"""The kinds whose codes need nothing learned."""


def _bent(values: np.ndarray, middle: float, knee: float) -> np.ndarray:
    """Values (n,) as `Features` bends them."""
    distance = (values.astype(np.float64) - middle) / knee
    return np.sign(distance) * np.log1p(np.abs(distance))


def _knee(values: np.ndarray, middle: float) -> float | None:
    """Where values (n,) are to be bent, if their tails are heavy."""
    distance = np.abs(values - middle)
    off = distance[distance > 0]
    if not len(off):
        return None
    knee = float(np.median(off))
    return knee if np.quantile(distance, 0.99) > _HEAVY * knee else None


def _own_values(values: np.ndarray, middle: float) -> tuple[float, ...]:
    """The values, among (n,), that get a feature of their own: the median if most are equal to it, and a list's values.

    The others come from a list if at least half of them have one that recurs, which is one far more frequent than
    those around it. In a scale that was rounded neighbours are about as frequent.
    """
    there, times = np.unique(values.astype(np.float32), return_counts=True)
    usual = there == np.float32(middle)
    if len(there) <= _LEVELS or times[usual].sum() < len(values) / 2:
        return ()
    there, times = there[~usual], times[~usual]
    beside = np.pad(times, _BESIDE, mode="edge")
    around = [np.roll(beside, step)[_BESIDE:-_BESIDE] for step in range(-_BESIDE, _BESIDE + 1) if step]
    often = times >= ENOUGH
    recurring = often & (times > _RECURRING * np.median(around, axis=0))
    if times[recurring].sum() < times.sum() / 2:
        return (middle,)
    most_frequent = np.argsort(-times[often], kind="stable")[:LISTED]
    return (middle, *there[often][most_frequent].tolist())


def _some(values: np.ndarray) -> np.ndarray:
    """Evenly spaced values among those (n,) that are there."""
    there = values[~np.isnan(values)]
    return there[:: -(-len(there) // _RANKED) or 1].astype(np.float64)


def _scale(values: np.ndarray) -> dict[str, Any]:
    """Mean, scale, median and whether values are missing.

    Mean and deviation are of the values held within three widths of the middle 98 %, and without the outermost
    two: one value of 1e30 would make all others 0. Where none lies farther out, which is usual, they are the plain
    ones.
    """
    there = values[~np.isnan(values)].astype(np.float64)
    indicator = 0 < len(there) < len(values)
    if not len(there):
        return {"mean": 0.0, "scale": 1.0, "fill": 0.0, "indicator": False}
    some = _some(values)
    middle = np.median(some)
    # Of fewer than 100 values, interpolation would reach for the outermost.
    low, high = np.quantile(some, 0.01, method="higher"), np.quantile(some, 0.99, method="lower")
    reach = _REACH * (high - low)
    if reach > 0:
        np.clip(there, low - reach, high + reach, out=there)
    mean, deviation = float(there.mean()), float(there.std())
    # Rounding leaves a constant column a tiny deviation, by which nothing may be divided.
    varies = there.max() > there.min() and deviation > 0
    return {
        "mean": mean,
        "scale": deviation if varies else 1.0,
        "fill": float(np.float32(middle)),
        "indicator": indicator,
    }
