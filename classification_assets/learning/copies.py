"""Rows that are there several times, and rows that count several times: what to learn from in either case.

Learning depends on how much each row counts in all, not on the order of the rows or on how their weight is
spread over copies: a row of weight 3 is the same as three rows, one of weight 0 the same as none.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from classification_assets.learning.columns import days, inferred_kind, numbers, truths
from classification_assets.learning.frames import Given

AMBIGUOUS = 0.01
"""Up to this share of rows with equals of another class, copies are copies and not many who are alike."""

MOST = 2**22
"""Rows, at most, that whole-number weights are turned into."""

_CODES = {"numeric": numbers, "boolean": truths, "date": days}
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def learned_rows(
    rows: Given, names: list[str], y: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Which rows to learn from, and how much each counts.

    Where equal rows are of one class, they are copies (of an oversampled class, of a table joined once too
    often): one row with their weight, so that no copy decides, as an unseen row, about a network that learned
    from another. Where equal rows are of several classes, they are many who are alike, as in a table of a few
    categories, and stay apart; whole-number weights then say how many they are.

    Parameters
    ----------
    rows : Given
    names : list of D column names
    y : array (N,) int64
    weight : array (N,) or None
        Not negative.

    Returns
    -------
    indices (n,) into the rows, in an order that only the rows' content decides; weights (n,) or None if all count
    alike

    Raises
    ------
    ValueError
        If a column is of no kind or a number is infinite.
    """
    content = _hashes(_columns(rows, names), len(y))
    whole = _mixed(content, pd.util.hash_array(y))
    kept = np.arange(len(y)) if weight is None else np.flatnonzero(weight)
    order = kept[np.argsort(whole[kept], kind="stable")]
    own = np.ones(len(order)) if weight is None else weight[order].astype(np.float64)
    first = np.flatnonzero(np.r_[True, whole[order][1:] != whole[order][:-1]])
    in_all = np.add.reduceat(own, first)
    _, which, classes = np.unique(content[order[first]], return_inverse=True, return_counts=True)
    of_several = in_all[classes[which] > 1].sum() / in_all.sum()
    if of_several > AMBIGUOUS:
        if np.all(own == np.round(own)) and own.sum() <= max(MOST, len(y)):
            return np.repeat(order, own.astype(np.int64)), None
        return order, own.astype(np.float32)
    alike = np.all(in_all == in_all[0])
    return order[first], None if alike else in_all.astype(np.float32)


def _columns(rows: Given, names: list[str]) -> Iterable[np.ndarray]:
    """What networks see of each column, (N,) of numbers or of hashes of words."""
    if isinstance(rows, np.ndarray):
        yield from rows.T
        return
    for name in names:
        column = rows.column(name)
        kind = inferred_kind(name, column.type)
        yield _word_hashes(column) if kind == "categorical" else _CODES[kind](column, name)


def _word_hashes(column: pa.ChunkedArray) -> np.ndarray:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    encoded = column.unify_dictionaries().combine_chunks()
    words = np.array([*encoded.dictionary.to_pylist(), None], object)
    places = np.asarray(encoded.indices.fill_null(len(words) - 1))
    return pd.util.hash_array(words, categorize=False)[places]


def _hashes(columns: Iterable[np.ndarray], n_rows: int) -> np.ndarray:
    """A number (N,) uint64 that equal rows, and but for one pair in 10¹⁹ only they, have in common."""
    content = np.zeros(n_rows, np.uint64)
    for column in columns:
        content = _mixed(content, column if column.dtype == np.uint64 else _number_hashes(column))
    return content


def _number_hashes(column: np.ndarray) -> np.ndarray:
    # There are two zeros and many NaN: here they are one each.
    return pd.util.hash_array(np.where(np.isnan(column), np.float32(np.nan), column + np.float32(0)))


def _mixed(content: np.ndarray, more: np.ndarray) -> np.ndarray:
    return content * _FACTOR + more
