"""The columns of a table as numbers: what is learned of each kind, and how its values are encoded.

A column's code is one float32 a row: a number as it is, a category its rank, NaN if it is missing. What a
network sees of the codes is arithmetic, and stands in `features.py`.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from classification_assets.learning.datasets.roles import ColumnKind
from classification_assets.learning.declaration import Declaration
from classification_assets.learning.rows import is_number

ONE_HOT = 32
"""Categories, the most frequent ones, that get a column of their own; a rarer one is told by how frequent it is."""

CATEGORIES = 4096
"""Categories that are remembered; a rarer one is like one that was never seen."""

LONGEST_WORD = 1000
"""Bytes of a category, which is stored with the model."""

DAY_0 = np.datetime64("2000-01-01T00:00:00", "us")
"""A date is days since then: float32 tells minutes apart for decades around it."""

MOMENT = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?$"
"""A date or moment as a word."""

NUMBER = r"^[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?$|^[+-]?([iI][nN][fF](inity)?)$"
"""A number as a word; one with a leading zero, such as a postal code, is none."""

_POINT = re.compile(r"^([+-]?\d+)\.0+$")
_DAY = np.timedelta64(1, "D") / np.timedelta64(1, "us")
_MINUTES = 24 * 60
# A column of 0, 1 and gaps is often written with points.
_TRUE, _FALSE = {"true", "yes", "y", "t", "1", "1.0", "on"}, {"false", "no", "n", "f", "0", "0.0", "off"}
# A column whose bulk lies within this many widths of its middle 98 % is standardized by plain mean and deviation.
_REACH = 3.0
# Values, evenly spaced, whose quantiles are taken: a hundredth of a per cent does not matter there.
_RANKED = 50_000


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

    def decode(self, codes: np.ndarray) -> list[Any]:
        """What codes (N,) stand for, None where missing."""
        return [None if np.isnan(code) else self._value(float(code)) for code in codes]

    def _value(self, code: float) -> Any:
        return code


class Scaled(Column):
    """A column whose code is standardized; a missing one is filled."""

    mean: float
    scale: float
    fill: float

    @classmethod
    def fit(cls, name: str, values: np.ndarray) -> Self:
        """Learn from values (n,), NaN where missing."""
        return cls(name=name, **_scale(values))


class Numeric(Scaled):
    """A number, standardized; a missing one becomes the median."""

    kind: Literal["numeric"] = "numeric"

    def encode(self, values: pa.Array, first: int = 0) -> np.ndarray:
        return numbers(values, self.name, first)


class Boolean(Scaled):
    """True is 1 and false 0; a missing one becomes the more frequent of the two."""

    kind: Literal["boolean"] = "boolean"

    def encode(self, values: pa.Array, first: int = 0) -> np.ndarray:
        return truths(values, self.name, first)

    def _value(self, code: float) -> Any:
        return code >= 0.5


class Date(Scaled):
    """A date or moment: days since `DAY_0`, and where in the year, the week and (if it has a time) the day it is."""

    kind: Literal["date"] = "date"
    periods: tuple[float, ...]
    """In days: each gives a sine and a cosine. Only those that the training rows go round at least once."""

    def encode(self, values: pa.Array, first: int = 0) -> np.ndarray:
        return days(values, self.name, first)

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

    def encode(self, values: pa.Array, first: int = 0) -> np.ndarray:
        places = self._places()
        # Whole numbers are written with a point where their column has gaps, and without one where it has none.
        whole = {_POINT.sub(r"\1", text): place for text, place in reversed(places.items())}

        def place(text: str) -> int:
            return places.get(text, whole.get(_POINT.sub(r"\1", text), len(places)))

        return _by_value(values, place)

    def _value(self, code: float) -> Any:
        return self.categories[round(code)] if round(code) < len(self.categories) else "another"

    def _places(self) -> dict[str, int]:
        return {category: place for place, category in enumerate(self.categories)}

    @property
    def shown(self) -> int:
        """How many categories have a feature of their own."""
        return min(len(self.categories), ONE_HOT)

    @classmethod
    def fit(cls, name: str, counts: Mapping[str, int], missing: bool) -> Self:
        """Learn from how often each category is in the training rows."""
        ranked = sorted(counts, key=lambda category: (-counts[category], category))[:CATEGORIES]
        frequency: tuple[float, ...] = ()
        if len(counts) > ONE_HOT:
            # No labels are needed, so nothing leaks; an unseen value counts as half a row.
            times = np.array([counts[category] for category in ranked])
            logarithm = np.log(np.append(times, 0.5))
            mean = np.average(logarithm[:-1], weights=times)
            deviation = np.sqrt(np.average((logarithm[:-1] - mean) ** 2, weights=times))
            frequency = tuple(((logarithm - mean) / (deviation or 1.0)).tolist())
        return cls(name=name, indicator=missing, categories=tuple(ranked), frequency=frequency)


AnyColumn = Annotated[Numeric | Boolean | Date | Categorical, Field(discriminator="kind")]
FITTED: dict[ColumnKind, type[Numeric | Boolean | Date]] = {
    "numeric": Numeric,
    "boolean": Boolean,
    "date": Date,
}
"""The kinds whose codes need nothing learned."""


def inferred_kind(name: str, type: pa.DataType) -> ColumnKind:
    """The kind of a column of an Arrow type.

    Raises
    ------
    ValueError
        If no kind holds such values.
    """
    if pa.types.is_dictionary(type):
        inferred_kind(name, type.value_type)  # pandas' categories may be intervals, which have no name
        return "categorical"
    if _is_words(type):
        return "categorical"
    if pa.types.is_boolean(type):
        return "boolean"
    if pa.types.is_date(type) or pa.types.is_timestamp(type):
        return "date"
    # A column in which every value is missing has the type null.
    if is_number(type):
        return "numeric"
    if pa.types.is_null(type):
        return "numeric"
    raise ValueError(
        f"column {name!r} holds {type}, which no network reads; "
        f"turn it into numbers or words, or leave it out (drop: [{name}])"
    )


def numbers(values: pa.Array, name: str, first: int = 0, what: str = "feature") -> np.ndarray:
    """Numbers as float32 (N,), NaN where missing; `what` each one is, for messages."""
    values = _plain(values)
    wrong = pc.is_valid(values)
    if _is_words(values.type):
        # As in CSV: whether a file gives numbers types, or writes them as words, changes nothing.
        words = pc.utf8_trim_whitespace(values)
        wrong = pc.invert(pc.match_substring_regex(words, NUMBER))
        if not pc.any(wrong).as_py():
            values = pc.replace_substring_regex(words, r"^\+", "").cast(pa.float64())
    if not (is_number(values.type) or pa.types.is_null(values.type) or pa.types.is_boolean(values.type)):
        row, value = _first(values, wrong.fill_null(False))
        raise ValueError(
            f"every {what} must be a number, however: column {name!r}, row {first + row}: {value!r}"
        )
    exact = _exact(values)
    with np.errstate(over="ignore"):
        found = exact.astype(np.float32)
    if (wrong := np.flatnonzero(np.isinf(found))).size:
        value = exact[wrong[0]]
        advice = "; leave it empty if it is not known" if what == "feature" else ""
        raise ValueError(
            f"every {what} must be a finite number, however: column {name!r}, row {first + wrong[0]}: {value} "
            f"(up to 3e38{advice})"
        )
    return found


def truths(values: pa.Array, name: str, first: int = 0) -> np.ndarray:
    """True as 1 and false as 0 in float32 (N,), NaN where missing."""

    def truth(text: str) -> float:
        word = text.lower()
        return 1.0 if word in _TRUE else 0.0 if word in _FALSE else np.inf

    found = _by_value(values, truth)
    if (wrong := np.flatnonzero(np.isinf(found))).size:
        value = _plain(values)[int(wrong[0])].as_py()
        raise ValueError(
            f"column {name!r} is boolean, so its values are true or false (yes/no, 1/0), however: "
            f"row {first + wrong[0]}: {value!r}"
        )
    return found


def days(values: pa.Array, name: str, first: int = 0) -> np.ndarray:
    """Dates and moments as days since `DAY_0`, float32 (N,), NaN where missing; a zone is turned into UTC."""
    values = _plain(values)
    if pa.types.is_null(values.type):
        return np.full(len(values), np.nan, np.float32)
    try:
        moments = moments_of(values)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        row, value = _first(values, pc.is_valid(values), moments_of)
        raise ValueError(
            f"column {name!r} is a date, as in 2024-02-29 or 2024-02-29T12:30:00, however: "
            f"row {first + row}: {value!r}"
        ) from error
    found = np.full(len(values), np.nan)
    there = np.asarray(pc.is_valid(moments))
    since = np.asarray(moments.drop_null().cast(pa.int64())) - DAY_0.astype(np.int64)
    found[there] = since / _DAY
    return found.astype(np.float32)


def moments_of(values: pa.Array) -> pa.Array:
    """Dates, moments or ISO 8601 words as moments in UTC, to the microsecond; without a zone they are in UTC.

    Raises
    ------
    pa.ArrowInvalid, pa.ArrowNotImplementedError
        If a value is none.
    """
    if _is_words(values.type):
        zoned = pc.match_substring_regex(values, r"(Z|[+-]\d\d:?\d\d)$").fill_null(False)
        if not pc.any(zoned).as_py():
            return values.cast(pa.timestamp("us"))
        none = pa.scalar(None, values.type)
        in_utc = pc.if_else(zoned, values, none).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
        return pc.coalesce(in_utc, pc.if_else(zoned, none, values).cast(pa.timestamp("us")))
    if not (pa.types.is_date(values.type) or pa.types.is_timestamp(values.type)):
        raise pa.ArrowInvalid(f"{values.type} is no date")
    return pc.cast(values, pa.timestamp("us"), safe=False)


def is_moment(word: str) -> bool:
    """Whether a word is a date or moment in ISO 8601."""
    return re.match(MOMENT, word) is not None


def refuse_long_words(values: pa.Array, name: str, first: int = 0) -> None:
    """Check that no word is too long to be a category.

    Raises
    ------
    ValueError
        If one is, with column and row.
    """
    values = _plain(values)
    if not _is_words(values.type):
        return
    lengths = pc.binary_length(values)
    if (longest := pc.max(lengths).as_py() or 0) > LONGEST_WORD:
        raise ValueError(
            f"column {name!r}, row {first + pc.index(lengths, longest).as_py()}: a text of {longest:,} bytes is no "
            f"category (at most {LONGEST_WORD:,}); leave the column out (drop: [{name}]) or turn it into numbers"
        )


def category_counts(values: pa.Array) -> dict[str, int]:
    """How often each category is there, missing ones left out."""
    counts: dict[str, int] = {}
    for pair in pc.value_counts(_plain(values)).to_pylist():
        if (text := as_category(pair["values"])) is not None:
            counts[text] = counts.get(text, 0) + pair["counts"]
    return counts


def as_category(value: Any) -> str | None:
    """A value's name as a category: 3 and 3.0 are the same one, so are true and True; None if it is missing."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _scale(values: np.ndarray) -> dict[str, Any]:
    """Mean, scale, median and whether values are missing.

    Mean and deviation are of the values held within three widths of the middle 98 %: one value of 1e30 would
    make all others 0. Where none lies farther out, which is usual, they are the plain ones.
    """
    there = values[~np.isnan(values)].astype(np.float64)
    indicator = 0 < len(there) < len(values)
    if not len(there):
        return {"mean": 0.0, "scale": 1.0, "fill": 0.0, "indicator": False}
    low, middle, high = np.quantile(there[:: -(-len(there) // _RANKED)], [0.01, 0.5, 0.99])
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


def _by_value(values: pa.Array, code: Callable[[str], float]) -> np.ndarray:
    """The code of each value, float32 (N,), asked for once a distinct value; NaN where missing."""
    encoded = _plain(values).dictionary_encode()
    table = [
        np.nan if (text := as_category(value)) is None else code(text)
        for value in encoded.dictionary.to_pylist()
    ]
    places = np.asarray(encoded.indices.fill_null(len(table)))
    return np.array([*table, np.nan], np.float32)[places]


def _plain(values: pa.Array) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _is_words(type: pa.DataType) -> bool:
    return pa.types.is_string(type) or pa.types.is_large_string(type)


def _exact(values: pa.Array) -> np.ndarray:
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    exact = pc.cast(values, pa.float64(), safe=False)
    return np.asarray(exact.to_numpy(zero_copy_only=False), np.float64)


def _first(
    values: pa.Array, mask: pa.Array, fits: Callable[[pa.Array], Any] | None = None
) -> tuple[int, Any]:
    """The first value, among those of the mask, that does not fit."""
    for row in np.flatnonzero(np.asarray(mask)):
        try:
            if fits is not None:
                fits(values[int(row) : int(row) + 1])
                continue
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass
        return int(row), values[int(row)].as_py()
    return 0, None
