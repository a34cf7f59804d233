"""Keys of rows: 64-bit hashes of a row's name or content, by which a row is known again in a later table.

A key follows from values alone. The order of rows and columns has no influence, nor has the type by which a file
happens to write a value: 3, 3.0 and the word "3" are one value, so are a date and its ISO 8601 word. Two different
rows have the same key in one of 2^64 cases.

Shapes: N rows, M other rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
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


def row_keys(rows: Rows, columns: Sequence[str]) -> np.ndarray:
    """Keys (N,) uint64 of rows by their values in some columns, whose order has no influence."""
    keys = np.zeros(rows.n_rows, np.uint64)
    for name in columns:
        keys += _mixed(value_keys(rows.column(name)) ^ _name_key(name))
    return keys


def array_keys(X: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Keys (N,) uint64 of rows of numbers X (N, D), as `row_keys` of a table with columns of these names."""
    keys = np.zeros(len(X), np.uint64)
    for name, column in zip(names, X.T, strict=True):
        keys += _mixed(_number_keys(column) ^ _name_key(name))
    return keys


def value_keys(column: pa.Array) -> np.ndarray:
    """Keys (N,) uint64 of values, the same for equal values; missing ones are equal to one another."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return _timestamp_keys(column)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if is_number(column.type) or pa.types.is_null(column.type):
        return _number_keys(np.asarray(column.cast(pa.float64(), safe=False).fill_null(np.nan)))
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = encoded.dictionary
    if not (pa.types.is_string(words.type) or pa.types.is_large_string(words.type)):
        if is_number(words.type) or pa.types.is_temporal(words.type) or pa.types.is_boolean(words.type):
            return value_keys(encoded.dictionary_decode())
        words = pa.array([str(value) for value in words.to_pylist()], pa.string())
    keys = np.append(_word_keys(words), _number_keys(np.array([np.nan])))
    return keys[np.asarray(encoded.indices.fill_null(len(keys) - 1))]


def combined(keys: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """Keys (N,) of pairs, triples … of keys (N,) each, in this order."""
    for other in others:
        keys = _mixed(keys * _GOLDEN + other)
    return keys


def paired(keys: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The index (N,) among M other keys that each key is paired with, -1 where there is none.

    Equal keys are paired in the order in which they come, and each of the others once at most: of three copies
    here and two there, the third stays alone.
    """
    if not len(others):
        return np.full(len(keys), -1, np.int64)
    if np.array_equal(keys, others):
        return np.arange(len(keys))  # nothing has changed, as on most days
    here, order = _with_occurrences(keys), np.argsort(there := _with_occurrences(others), kind="stable")
    position = np.minimum(np.searchsorted(there, here, sorter=order), len(others) - 1)
    found = order[position]
    return np.where(there[found] == here, found, -1)


def unpaired(index: np.ndarray, n_others: int) -> np.ndarray:
    """Those of M other keys, ascending, that no key is paired with, given the index (N,) that `paired` found."""
    alone = np.ones(n_others, bool)
    alone[index[index >= 0]] = False
    return np.flatnonzero(alone)


def _with_occurrences(keys: np.ndarray) -> np.ndarray:
    """Keys (N,) in which the first, second … occurrence of a key differ."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    occurrence = np.arange(len(keys)) - np.repeat(first, np.diff(np.append(first, len(keys))))
    numbers = np.empty(len(keys), np.uint64)
    numbers[order] = occurrence.astype(np.uint64)
    # The first occurrence keeps the key, so that unique keys stay as they are.
    return np.where(numbers == 0, keys, _mixed(keys + numbers * _GOLDEN))


def _number_keys(numbers: np.ndarray) -> np.ndarray:
    exact = np.asarray(numbers, np.float64)
    # Zero and minus zero are equal and have different bytes; so have values that are no number.
    return hash_array(np.where(np.isnan(exact), np.nan, exact) + 0.0)


def _timestamp_keys(column: pa.Array) -> np.ndarray:
    since = timestamps_of(column).cast(pa.int64())
    keys = _mixed(np.asarray(since.fill_null(0)).astype(np.uint64) ^ _SECOND)
    missing = np.asarray(since.is_null())
    return np.where(missing, _number_keys(np.array([np.nan])), keys) if missing.any() else keys


def _word_keys(words: pa.Array) -> np.ndarray:
    texts = words.to_pylist()
    keys = hash_array(np.array([*texts, ""], object))[:-1]
    numbers = {
        index: _TRUTHS[text.lower()] if text.lower() in _TRUTHS else float(text)
        for index, text in enumerate(texts)
        if text is not None and (text.lower() in _TRUTHS or re.match(NUMBER, text))
    }
    if numbers:
        keys[list(numbers)] = _number_keys(np.array([*numbers.values()]))
    dates = [index for index, text in enumerate(texts) if text is not None and is_timestamp(text)]
    for index in dates:
        try:
            keys[index] = _timestamp_keys(words[index : index + 1])[0]
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue  # the 31st of February is a word
    return keys


def _name_key(name: str) -> np.uint64:
    return hash_array(np.array([name], object))[0]


def _mixed(keys: np.ndarray) -> np.ndarray:
    """The finalizer of SplitMix64 (Steele et al. 2014), (N,) to (N,)."""
    keys = (keys ^ (keys >> np.uint64(30))) * _FIRST
    keys = (keys ^ (keys >> np.uint64(27))) * _SECOND
    return keys ^ (keys >> np.uint64(31))
