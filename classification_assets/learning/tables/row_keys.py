"""Keys of rows: 64-bit hashes of a row's name or content, by which a row is known again in a later table.

A key follows from values alone. The order of rows and columns has no influence, nor has the type by which a file
happens to write a value: 3, 3.0 and the word "3" are one value, so are a date and its ISO 8601 word. Two different
rows have the same key in one of 2^64 cases.

Shapes: N rows, M other rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pandas.util import hash_array

from classification_assets.learning.tables.arrow_types import is_number
from classification_assets.learning.tables.coercion import NUMBER, is_timestamp, timestamps_of
from classification_assets.learning.tables.rows import Rows

_TRUTHS = {"true": 1.0, "false": 0.0}
_GOLDEN, _FIRST, _SECOND = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xBF58476D1CE4E5B9),
    np.uint64(0x94D049BB133111EB),
)


def row_keys(rows: Rows, columns: Sequence[str], *, rounded: bool = False) -> np.ndarray:
    """Keys (N,) uint64 of rows by their values in some columns, whose order has no influence.

    Numbers are `rounded` to float32 where rows are known by their features: networks see no more of them, and whether
    a file holds float32 or float64 changes nothing.

    Raises
    ------
    ValueError
        If a column holds values by which no row can be known, such as lists.
    """
    keys = np.zeros(rows.n_rows, np.uint64)
    for name in columns:
        try:
            found = value_keys(rows.column(name), rounded=rounded)
        except pa.ArrowNotImplementedError as error:
            held = rows.schema.field(name).type
            raise ValueError(
                f"column {name!r} holds {held}, by which no row can be known again; turn it into numbers or words, or "
                f"leave it out (in YAML: drop: [{name}])"
            ) from error
        keys += _mixed(found ^ _name_key(name))
    return keys


def array_keys(X: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Keys (N,) uint64 of rows of numbers X (N, D), as `row_keys` of a table with columns of these names, rounded."""
    keys = np.zeros(len(X), np.uint64)
    for name, column in zip(names, X.T, strict=True):
        keys += _mixed(_number_keys(np.asarray(column, np.float32)) ^ _name_key(name))
    return keys


def value_keys(column: pa.Array, *, rounded: bool = False) -> np.ndarray:
    """Keys (N,) uint64 of values, the same for equal values; missing ones are equal to one another.

    Numbers may be `rounded` to float32 before.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return _timestamp_keys(column)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_integer(column.type) and not rounded:
        return _integer_keys(column)
    if is_number(column.type) or pa.types.is_null(column.type):
        exact = np.asarray(column.cast(pa.float64(), safe=False).fill_null(np.nan))
        return _number_keys(_single(exact) if rounded else exact)
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = encoded.dictionary
    if not (pa.types.is_string(words.type) or pa.types.is_large_string(words.type)):
        if (
            is_number(words.type)
            or pa.types.is_date(words.type)
            or pa.types.is_timestamp(words.type)
            or pa.types.is_boolean(words.type)
        ):
            return value_keys(encoded.dictionary_decode(), rounded=rounded)
        words = pa.array([str(value) for value in words.to_pylist()], pa.string())
    keys = np.append(_word_keys(pc.utf8_trim_whitespace(words), rounded), _number_keys(np.array([np.nan])))
    return keys[np.asarray(encoded.indices.cast(pa.int64()).fill_null(len(keys) - 1))]


def combined(keys: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """Keys (N,) of pairs, triples … of keys (N,) each, in this order."""
    for other in others:
        keys = _mixed(keys * _GOLDEN + other)
    return keys


def slots(keys: np.ndarray, short: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The index (N,) among M other keys of the one that a key stands for, -1 where there is none.

    As `paired`, but where the others are `short` forms of keys: two different keys of one short form stand for the
    same one, since either may be meant.
    """
    if not len(others):
        return np.full(len(keys), -1, np.int64)
    here = _numbered(short, _occurrences(keys))
    order = np.argsort(there := _with_occurrences(others), kind="stable")
    place = np.minimum(np.searchsorted(there, here, sorter=order), len(others) - 1)
    found = order[place]
    return np.where(there[found] == here, found, -1)


def paired(keys: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The index (N,) among M other keys that each key is paired with, -1 where there is none.

    Equal keys are paired in the order in which they come, and each of the others once at most: of three copies
    here and two there, the third stays alone.
    """
    if np.array_equal(keys, others):
        return np.arange(len(keys))  # nothing has changed, as on most days
    return slots(keys, keys, others)


def unpaired(index: np.ndarray, n_others: int) -> np.ndarray:
    """Those of M other keys, ascending, that no key is paired with, given the index (N,) that `paired` found."""
    alone = np.ones(n_others, bool)
    alone[index[index >= 0]] = False
    return np.flatnonzero(alone)


def _with_occurrences(keys: np.ndarray) -> np.ndarray:
    """Keys (N,) in which the first, second … occurrence of a key differ."""
    return _numbered(keys, _occurrences(keys))


def _occurrences(keys: np.ndarray) -> np.ndarray:
    """Whether a key is its first, second … occurrence: (N,) uint64 from 0 on."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    occurrence = np.arange(len(keys)) - np.repeat(first, np.diff(np.append(first, len(keys))))
    numbers = np.empty(len(keys), np.uint64)
    numbers[order] = occurrence.astype(np.uint64)
    return numbers


def _numbered(keys: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    # The first occurrence keeps the key, so that unique keys stay as they are.
    return np.where(numbers == 0, keys, _mixed(keys + numbers * _GOLDEN))


def _number_keys(numbers: np.ndarray) -> np.ndarray:
    exact = np.asarray(numbers, np.float64)
    # Zero and minus zero are equal and have different bytes; so have values that are no number.
    return hash_array(np.where(np.isnan(exact), np.nan, exact) + 0.0)


def _integer_keys(column: pa.Array) -> np.ndarray:
    """As those of floating numbers, but of whole numbers that none of them equals, such as long ids, their own."""
    keys = _number_keys(np.asarray(column.cast(pa.float64(), safe=False).fill_null(np.nan)))
    whole = np.asarray(column.fill_null(0))
    if whole.dtype.itemsize == 8:
        rounded = whole.astype(np.float64)
        # Beyond 2^63 or 2^64 casting back would overflow.
        top = float(np.iinfo(whole.dtype).max)
        same = np.where(rounded < top, rounded, 0).astype(whole.dtype) == whole
        keys = np.where(same, keys, _mixed(whole.astype(np.uint64) ^ _FIRST))
    return keys


def _timestamp_keys(column: pa.Array) -> np.ndarray:
    since = timestamps_of(column).cast(pa.int64())
    keys = _mixed(np.asarray(since.fill_null(0)).astype(np.uint64) ^ _SECOND)
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        rest = np.asarray(column.cast(pa.int64()).fill_null(0)) % 1000
        keys = np.where(rest == 0, keys, _mixed(keys + rest.astype(np.uint64) * _GOLDEN))
    missing = np.asarray(since.is_null())
    return np.where(missing, _number_keys(np.array([np.nan])), keys) if missing.any() else keys


def _word_keys(words: pa.Array, rounded: bool) -> np.ndarray:
    texts = ["" if text is None else text for text in words.to_pylist()]
    keys = hash_array(np.array([*texts, ""], object))[:-1]
    numbers = {index: number for index, text in enumerate(texts) if (number := _as_number(text)) is not None}
    if numbers:
        values = np.array([*numbers.values()])
        keys[list(numbers)] = _number_keys(_single(values) if rounded else values)
    if not rounded and (longer := [index for index, text in enumerate(texts) if _is_long(text)]):
        try:
            keys[longer] = _integer_keys(words.take(pa.array(longer)).cast(pa.int64()))
        except pa.ArrowInvalid:
            for index in longer:
                keys[index] = hash_array(np.array([texts[index]], object))[0]
    if dates := [index for index, text in enumerate(texts) if is_timestamp(text)]:
        try:
            keys[dates] = _timestamp_keys(words.take(pa.array(dates)))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            _one_by_one(words, dates, keys)
    return keys


def _one_by_one(words: pa.Array, dates: Sequence[int], keys: np.ndarray) -> None:
    """Fill in the keys of words that look like dates; the 31st of February is a word."""
    for index in dates:
        try:
            keys[index] = _timestamp_keys(words[index : index + 1])[0]
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue


def _as_number(text: str) -> float | None:
    """The number or truth value that a word is; None if it is none, or too large or small to be told from others."""
    if (truth := _TRUTHS.get(text.lower())) is not None:
        return truth
    if not re.match(NUMBER, text):
        return None
    number = float(text)
    overflows = np.isinf(number) and "inf" not in text.lower()
    underflows = number == 0 and re.search(r"[1-9]", re.split("[eE]", text)[0])
    return None if overflows or underflows else number


def _is_long(text: str) -> bool:
    """Whether a word is a whole number that float64 does not hold."""
    return re.fullmatch(r"[+-]?[1-9]\d{15,}", text) is not None and int(float(text)) != int(text)


def _single(numbers: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.asarray(numbers, np.float32)


@lru_cache(maxsize=4096)
def _name_key(name: str) -> np.uint64:
    return hash_array(np.array([name], object))[0]


def _mixed(keys: np.ndarray) -> np.ndarray:
    """The finalizer of SplitMix64 (Steele et al. 2014), (N,) to (N,)."""
    keys = (keys ^ (keys >> np.uint64(30))) * _FIRST
    keys = (keys ^ (keys >> np.uint64(27))) * _SECOND
    return keys ^ (keys >> np.uint64(31))
