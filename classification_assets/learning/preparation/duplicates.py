"""Rows that are there several times, and rows that count several times: what to learn from in either case.

Learning depends on how much each row counts in all, not on the order of the rows or on how their weight is
spread over copies: a row of weight 3 is the same as three rows, one of weight 0 the same as none.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from classification_assets.learning.tables.arrow_types import inferred_kind
from classification_assets.learning.tables.coercion import as_category, days, numbers, truths
from classification_assets.learning.tables.frames import InputRows

AMBIGUOUS = 0.01
"""Up to this share of rows with equals of another class, copies are copies and not many who are alike."""

MOST = 2**22
"""Rows, at most, that whole-number weights are turned into."""

_CODES = {"numeric": numbers, "boolean": truths, "date": days}


def learned_rows(
    rows: InputRows, names: list[str], y: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Which rows to learn from, and how much each counts.

    Where equal rows are of one class, they are copies (of an oversampled class, of a table joined once too
    often): one row with their weight, so that no copy decides, as an unseen row, about a network that learned
    from another. Where equal rows are of several classes, they are many who are alike, as in a table of a few
    categories, and stay apart; whole-number weights then say how many they are.

    Parameters
    ----------
    rows : InputRows
    names : list of D column names
    y : array (N,) int64
    weight : array (N,) or None
        Not negative.

    Returns
    -------
    indices (n,) into the rows, in an order that only the rows' content decides, and no scale of a column; weights
    (n,), or None if all count alike

    Raises
    ------
    ValueError
        If a column is of no kind or a number is infinite.
    """
    kept = np.arange(len(y)) if weight is None else np.flatnonzero(weight)
    order, content = _sorted(_columns(rows, names), kept)
    by_class = np.lexsort((y[order], content))
    order, content = order[by_class], content[by_class]
    own = np.ones(len(order)) if weight is None else weight[order].astype(np.float64)
    first = np.flatnonzero(_changes(content) | _changes(y[order]))
    in_all = np.add.reduceat(own, first)
    if _are_many(content[first], in_all):
        if np.all(own == np.round(own)) and own.sum() <= max(MOST, len(y)):
            return np.repeat(order, own.astype(np.int64)), None
        return order, own.astype(np.float32)
    alike = np.all(in_all == in_all[0])
    return order[first], None if alike else in_all.astype(np.float32)


def copy_numbers(X: np.ndarray, y: np.ndarray, rows: np.ndarray) -> np.ndarray | None:
    """A number of each row of X (N, D) that only its copies, as in `learned_rows`, share: (N,) int64.

    Rows that are not among `rows` (indices) have none: -1. Where there are no copies, or equal rows are many who
    are alike, it is None.
    """
    order, content = _sorted(X.T, rows)
    if content[-1] == len(order) - 1:
        return None
    by_class = np.lexsort((y[order], content))
    first = np.flatnonzero(_changes(content[by_class]) | _changes(y[order][by_class]))
    if _are_many(content[by_class][first], np.diff(np.append(first, len(order)))):
        return None
    numbers = np.full(len(y), -1, np.int64)
    numbers[order] = content
    return numbers


def _are_many(content: np.ndarray, weight: np.ndarray) -> bool:
    """Whether rows with equals of another class are not few, of pairs of content and class: (n,), and their weight."""
    of_several = weight[(np.bincount(content) > 1)[content]].sum()
    return bool(of_several > AMBIGUOUS * weight.sum())


def _columns(rows: InputRows, names: list[str]) -> Iterable[np.ndarray]:
    """Each column (N,), as networks see it, in numbers that can be compared."""
    if isinstance(rows, np.ndarray):
        yield from rows.T
        return
    for name in names:
        column = rows.column(name)
        kind = inferred_kind(name, column.type)
        yield _ranks(column) if kind == "categorical" else _CODES[kind](column, name)


def _ranks(column: pa.ChunkedArray) -> np.ndarray:
    """The position of each word among the words in order, (N,) float32, NaN where missing."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    encoded = column.unify_dictionaries().combine_chunks()
    words = np.array([str(as_category(word)) for word in encoded.dictionary.to_pylist()], object)
    _, ranks = np.unique(words, return_inverse=True)
    return np.append(ranks, np.nan)[np.asarray(encoded.indices.fill_null(len(words)))]


def _sorted(columns: Iterable[np.ndarray], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n,) by the first column, equals by the second and so on; and a number of each that its equals share."""
    content, all_differ = np.zeros(len(rows), np.int64), False
    for column in columns:
        # Every column is looked at: a value that cannot be used is found there.
        if all_differ:
            continue
        # No infinite value is in a table, so that there is room for the missing ones, which are equal.
        own = np.where(np.isnan(column), np.inf, column)[rows]
        order = np.lexsort((own, content))
        rows, own, content = rows[order], own[order], content[order]
        content = np.cumsum(_changes(own) | _changes(content)) - 1
        all_differ = content[-1] == len(rows) - 1
    return rows, content


def _changes(values: np.ndarray) -> np.ndarray:
    """Where another value begins, (n,) bool."""
    return np.append(True, values[1:] != values[:-1])
