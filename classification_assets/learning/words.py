"""What words mean: columns of text become numbers, truth values, dates, or stay words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classification_assets.learning.columns import MOMENT, moments_of
from classification_assets.learning.datasets.roles import ColumnKind

WHOLE = r"^[+-]?(0|[1-9]\d*)$"
NUMBER = r"^[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?$|^[+-]?([iI][nN][fF](inity)?)$"
DAY = r"^\d{4}-\d{2}-\d{2}$"
TRUTHS = ("true", "false")
NEARLY = 0.9
"""If so many of a column's values are numbers, the others are rather mistakes."""


def typed(
    words: pa.ChunkedArray, name: str, place: str, declared: ColumnKind | None, *, strict: bool
) -> pa.ChunkedArray:
    """A column of words as what it means.

    A number with a leading zero, such as a postal code, stays a word.

    Parameters
    ----------
    words : array (N,) of strings, null where missing
    declared : kind, optional
        What the column is declared to be.
    strict : bool
        Whether a few words among numbers are an error, as they are in a feature.

    Raises
    ------
    ValueError
        If a column is declared numeric, or nearly is, and a value is no number.
    """
    there = words.drop_null()
    if not len(there):
        return pa.chunked_array([pa.nulls(len(words))])
    if declared in ("categorical", "boolean", "date"):
        return words
    return _inferred(words, there, declared) or _numbers_or_dates(words, name, place, declared, strict=strict)


def _inferred(
    words: pa.ChunkedArray, there: pa.ChunkedArray, declared: ColumnKind | None
) -> pa.ChunkedArray | None:
    if declared is None and _all(pc.is_in(pc.utf8_lower(there), pa.array(TRUTHS))):
        return pc.equal(pc.utf8_lower(words), "true")
    if declared is None and _all(pc.match_substring_regex(there, WHOLE)):
        try:
            return _signed(words).cast(pa.int64())
        except pa.ArrowInvalid:
            return _signed(words).cast(pa.float64())
    return None


def _numbers_or_dates(
    words: pa.ChunkedArray, name: str, place: str, declared: ColumnKind | None, *, strict: bool
) -> pa.ChunkedArray:
    numeric = pc.match_substring_regex(words, NUMBER)
    share = pc.mean(numeric.cast(pa.int8())).as_py()
    if share == 1:
        return _signed(words).cast(pa.float64())
    if declared == "numeric" or (strict and share >= NEARLY):
        row = int(np.flatnonzero(np.asarray(pc.invert(numeric.fill_null(True))))[0])
        advice = (
            ""
            if declared == "numeric"
            else f", or say that words are meant (columns: {{{name}: categorical}})"
        )
        raise ValueError(
            f"{place}: column {name!r} holds numbers, but not in row {row}: {words[row].as_py()[:80]!r}; correct it, "
            f"leave it empty if it is not known (or list the word under missing:){advice}"
        )
    return as_dates(words)


def as_dates(words: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of words as dates or moments if all of them are, in ISO 8601; else as it is."""
    there = words.drop_null()
    if len(there) and _all(pc.match_substring_regex(there, MOMENT)):
        try:
            if _all(pc.match_substring_regex(there, DAY)):
                return words.cast(pa.timestamp("s")).cast(pa.date32())
            return pa.chunked_array([moments_of(chunk) for chunk in words.chunks], pa.timestamp("us"))
        except pa.ArrowInvalid:
            pass  # the 30th of February
    return words


def without_missing(words: pa.ChunkedArray, missing: Sequence[str]) -> pa.ChunkedArray:
    """Words without the spaces around them, null where they say that the value is missing."""
    trimmed = pc.utf8_trim_whitespace(words)
    gone = pc.is_in(trimmed, pa.array(list(missing), pa.string()))
    return pc.if_else(gone, pa.scalar(None, pa.string()), trimmed)


def _signed(words: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.replace_substring_regex(words, r"^\+", "")


def _all(truths: pa.ChunkedArray) -> bool:
    return bool(pc.all(truths).as_py())
