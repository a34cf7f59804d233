"""Arrow's values as arrays of float32, one number a row and NaN where missing; what is none is named with its row."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classification_assets.learning.tables.arrow_types import is_number, is_words

LONGEST_WORD = 1000
"""Bytes of a category, which is stored with the model."""

DAY_0 = np.datetime64("2000-01-01T00:00:00", "us")
"""A date is days since then: float32 tells minutes apart for decades around it."""

TIMESTAMP = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?$"
"""A date or timestamp as a word."""

NUMBER = r"^[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?$|^[+-]?([iI][nN][fF](inity)?)$"
"""A number as a word; one with a leading zero, such as a postal code, is none."""

_DAY = np.timedelta64(1, "D") / np.timedelta64(1, "us")

# A column of 0, 1 and gaps is often written with points.
_TRUE, _FALSE = {"true", "yes", "y", "t", "1", "1.0", "on"}, {"false", "no", "n", "f", "0", "0.0", "off"}


def numbers(values: pa.Array, name: str, first: int = 0, what: str = "feature") -> np.ndarray:
    """Numbers as float32 (N,), NaN where missing; `what` each one is, for messages."""
    values = _plain(values)
    wrong = pc.is_valid(values)
    if is_words(values.type):
        # As in CSV: whether a file gives numbers types, or writes them as words, changes nothing.
        words = pc.utf8_trim_whitespace(values)
        wrong = pc.invert(pc.match_substring_regex(words, NUMBER))
        if not pc.any(wrong).as_py():
            values = pc.replace_substring_regex(words, r"^\+", "").cast(pa.float64())
    if not (is_number(values.type) or pa.types.is_null(values.type) or pa.types.is_boolean(values.type)):
        row, value = _first(values, wrong.fill_null(False))
        raise ValueError(
            f"every {what} must be a number, got in column {name!r}, row {first + row}: {value!r}"
        )
    exact = _exact(values)
    with np.errstate(over="ignore"):
        found = exact.astype(np.float32)
    if (wrong := np.flatnonzero(np.isinf(found))).size:
        value = exact[wrong[0]]
        advice = "; leave it empty if it is not known" if what == "feature" else ""
        raise ValueError(
            f"every {what} must be a finite number, got in column {name!r}, row {first + wrong[0]}: {value} "
            f"(up to 3e38{advice})"
        )
    return found


def truths(values: pa.Array, name: str, first: int = 0) -> np.ndarray:
    """True as 1 and false as 0 in float32 (N,), NaN where missing."""

    def truth(text: str) -> float:
        word = text.lower()
        return 1.0 if word in _TRUE else 0.0 if word in _FALSE else np.inf

    found = by_value(values, truth)
    if (wrong := np.flatnonzero(np.isinf(found))).size:
        value = _plain(values)[int(wrong[0])].as_py()
        raise ValueError(
            f"column {name!r} is boolean, so its values are true or false (yes/no, 1/0), got in "
            f"row {first + wrong[0]}: {value!r}"
        )
    return found


def days(values: pa.Array, name: str, first: int = 0) -> np.ndarray:
    """Dates and timestamps as days since `DAY_0`, float32 (N,), NaN where missing; a zone is turned into UTC."""
    values = _plain(values)
    if pa.types.is_null(values.type):
        return np.full(len(values), np.nan, np.float32)
    try:
        timestamps = timestamps_of(values)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        row, value = _first(values, pc.is_valid(values), timestamps_of)
        raise ValueError(
            f"column {name!r} is a date, as in 2024-02-29 or 2024-02-29T12:30:00, got in "
            f"row {first + row}: {value!r} (a date that tells neither by itself nor by its column which number is the "
            "month needs, in YAML, day_first: true or false)"
        ) from error
    found = np.full(len(values), np.nan)
    there = np.asarray(pc.is_valid(timestamps))
    since = np.asarray(timestamps.drop_null().cast(pa.int64())) - DAY_0.astype(np.int64)
    found[there] = since / _DAY
    return found.astype(np.float32)


def timestamps_of(values: pa.Array) -> pa.Array:
    """Dates, timestamps or ISO 8601 words as timestamps in UTC, to the microsecond; without a zone they are in UTC.

    Raises
    ------
    pa.ArrowInvalid, pa.ArrowNotImplementedError
        If a value is none.
    """
    if is_words(values.type):
        zoned = pc.match_substring_regex(values, r"(Z|[+-]\d\d:?\d\d)$").fill_null(False)
        if not pc.any(zoned).as_py():
            return values.cast(pa.timestamp("us"))
        none = pa.scalar(None, values.type)
        in_utc = pc.if_else(zoned, values, none).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
        return pc.coalesce(in_utc, pc.if_else(zoned, none, values).cast(pa.timestamp("us")))
    if not (pa.types.is_date(values.type) or pa.types.is_timestamp(values.type)):
        raise pa.ArrowInvalid(f"{values.type} is no date")
    return pc.cast(values, pa.timestamp("us"), safe=False)


def is_timestamp(word: str) -> bool:
    """Whether a word is a date or timestamp in ISO 8601."""
    return re.match(TIMESTAMP, word) is not None


def refuse_long_words(values: pa.Array, name: str, first: int = 0) -> None:
    """Check that no word is too long to be a category.

    Raises
    ------
    ValueError
        If one is, with column and row.
    """
    values = _plain(values)
    if not is_words(values.type):
        return
    lengths = pc.binary_length(values)
    if (longest := pc.max(lengths).as_py() or 0) > LONGEST_WORD:
        raise ValueError(
            f"column {name!r}, row {first + pc.index(lengths, longest).as_py()}: a text of {longest:,} bytes is no "
            f"category (at most {LONGEST_WORD:,}); leave the column out (in YAML: drop: [{name}]) or turn it into "
            "numbers"
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


def by_value(values: pa.Array, code: Callable[[str], float]) -> np.ndarray:
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


def as_numbers(rows: Any, names: Sequence[str], *, missing: bool = False) -> np.ndarray:
    """Rows as (N, D) float32.

    Raises
    ------
    ValueError
        If the shape does not fit the D names, or a value is no finite number (NaN may be, if `missing`).
    """
    given = np.asarray(rows)
    if given.ndim != 2 or given.shape[1] != len(names):
        raise ValueError(f"expected rows of shape (N, {len(names)}), got {given.shape}")
    X = np.empty(given.shape, np.float32)
    with np.errstate(over="ignore"):
        if given.dtype.kind in "fiub":
            X[:] = given
        else:
            for column, name in enumerate(names):
                try:
                    X[:, column] = given[:, column]
                except (TypeError, ValueError) as error:
                    raise ValueError(
                        f"every feature must be a number, got in column {name!r}: {error}"
                    ) from error
    wrong = np.isinf(X) if missing else ~np.isfinite(X)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(
            f"every feature must be a finite number, got in column {names[column]!r}, "
            f"row {row}: {given[row, column]}"
        )
    return X
