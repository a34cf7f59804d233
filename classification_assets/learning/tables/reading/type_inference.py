"""Type inference: columns of words become numbers, truth values, dates, or stay words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classification_assets.learning.tables.coercion import NUMBER, TIMESTAMP, timestamps_of
from classification_assets.learning.tables.column_reading import ReadColumn
from classification_assets.learning.tables.recognition import Spelling, in_yaml, recognized
from classification_assets.learning.tables.roles import ColumnKind

WHOLE = r"^[+-]?(0|[1-9]\d*)$"
DAY = r"^\d{4}-\d{2}-\d{2}$"
COMMA = r"^[+-]?\d+,\d+$|^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$|^[+-]?\d{1,3}(\.\d{3})+,\d+$"
"""A number with a comma: for a decimal point, or between thousands."""
POINTS = r"([+-]?[1-9]\d{0,2})(\.\d{3})+(,\d*)?"
"""A number with points between thousands, and perhaps a decimal comma."""
TRUTH = r"(?i)^(true|false)$"
OTHER_DAY = r"^\d{1,2}([./]\d{1,2}[./]|-\d{1,2}-)\d{4}( \d{1,2}:\d{2}(:\d{2})?)?$"
"""A day with the year at its end: which of the other two is the month, only a person knows."""
NEARLY = 0.9
"""If so many of a column's values are numbers, the others are rather mistakes."""


def type_of(
    words: pa.ChunkedArray,
    name: str,
    where: str,
    declared: ColumnKind | None,
    *,
    strict: bool,
    spelling: Spelling,
    readable: bool = False,
    gap: str = "",
) -> pa.DataType | ReadColumn:
    """The type of a column of words, or how they are to be read, which `converted` gives it.

    A number with a leading zero, such as a postal code, stays a word.

    Parameters
    ----------
    words : array (N,) of strings, null where missing
    declared : kind, optional
        What the column is declared to be.
    strict : bool
        Whether a few words among numbers are an error, as they are in a feature.
    spelling : Spelling
        Where the decimal sign is a comma, a number with a point there is a word.
    readable : bool
        Whether numbers and dates are looked for that are written in other ways: see `recognized`.
    gap : str
        What to do, in this format, if a value is not known; ``{}`` stands for the word that is there now.

    Raises
    ------
    ValueError
        If a column is declared numeric, or nearly is, and a value is no number, or its numbers have commas, or its
        dates are not written as ISO 8601 has it.
    """
    if declared in ("categorical", "boolean") and len(words.drop_null()):
        return pa.string()
    pointed = _with_points(words, spelling.decimal)
    if type := _plain_type(words, pointed, declared):
        return type
    if readable and (reading := recognized(words, spelling, declared)):
        return reading
    if declared != "date":
        _refuse_nearly_numbers(words, pointed, name, where, declared, strict, spelling.decimal, gap)
    return pa.string()


def _plain_type(
    words: pa.ChunkedArray, pointed: pa.ChunkedArray, declared: ColumnKind | None
) -> pa.DataType | None:
    """The type of a column all of whose words are truth values, plain numbers or ISO 8601 dates; null if it is empty.

    `pointed` are the words with decimal points.
    """
    there = pointed.drop_null()
    if not len(there):
        return pa.null()
    if declared == "date":
        return None
    if declared is None and _all(there, lambda part: pc.match_substring_regex(part, TRUTH)):
        return pa.bool_()
    if declared is None and _all(there, lambda part: pc.match_substring_regex(part, WHOLE)):
        return _whole_type(there)
    if _all(there, lambda part: pc.match_substring_regex(part, NUMBER)):
        return pa.float64()
    return None if declared else _date_type(words)


def _refuse_nearly_numbers(
    written: pa.ChunkedArray,
    words: pa.ChunkedArray,
    name: str,
    where: str,
    declared: ColumnKind | None,
    strict: bool,
    decimal: str,
    gap: str,
) -> None:
    there, numeric = words.drop_null(), pc.match_substring_regex(words, NUMBER)
    share = pc.mean(numeric.cast(pa.int8())).as_py()
    advice = "" if declared else f", or say that words are meant (columns: {{{name}: categorical}})"
    if decimal == "." and (strict or declared) and _have_commas(there):
        raise ValueError(
            f"{where}: column {name!r} holds numbers with a comma, such as {_example(there, COMMA)!r}; if it is the "
            f"decimal one, say so (decimal: ','), else write a decimal point and nothing between thousands{advice}"
        )
    if declared or (strict and share >= NEARLY):
        row = int(np.flatnonzero(np.asarray(pc.invert(numeric.fill_null(True))))[0])
        wrong = written[row].as_py()[:80]
        raise ValueError(
            f"{where}: column {name!r} holds numbers, but not in row {row}: {wrong!r}; correct it, or "
            f"{gap.replace('{}', in_yaml(wrong))}{advice}"
        )
    if strict and _all(written.drop_null(), lambda part: pc.match_substring_regex(part, OTHER_DAY)):
        raise ValueError(
            f"{where}: column {name!r} holds dates such as {written.drop_null()[0].as_py()!r}; write the year first, "
            f"as in 2024-02-29 or 2024-02-29T12:30:00, or say whether the day comes first (day_first: true){advice}"
        )


def refuse_other_words(
    words: pa.ChunkedArray,
    beside: pa.ChunkedArray,
    name: str,
    where: str,
    other: str,
    *,
    declared: bool,
    decimal: str = ".",
) -> None:
    """Check that a column of numbers or truth values, as which `beside` (in the file `other`) is read, is one here too.

    Parameters
    ----------
    declared : bool
        Whether the column is said to be numeric.

    Raises
    ------
    ValueError
        If one of the words is none, with its row.
    """
    known, read = _with_points(beside.drop_null(), decimal), _with_points(words, decimal)
    for what, pattern, kind in (("numbers", NUMBER, "categorical"), ("true or false", TRUTH, "boolean")):
        wrong = pc.invert(pc.match_substring_regex(read, pattern)).fill_null(False)
        if not pc.any(wrong).as_py() or not len(known):
            continue
        if _all(known, partial(pc.match_substring_regex, pattern=pattern)):
            row = int(np.flatnonzero(np.asarray(wrong))[0])
            advice = "" if declared else f", or say what is meant (columns: {{{name}: {kind}}})"
            raise ValueError(
                f"{where}: column {name!r} holds {what} in {other}, but not in row {row} here: "
                f"{words[row].as_py()[:80]!r}; correct it, leave it empty if it is not known{advice}"
            )


def _date_type(words: pa.ChunkedArray) -> pa.DataType | None:
    """The type of dates or timestamps if all words of a column are some, in ISO 8601."""
    there = words.drop_null()
    if len(there) and _all(there, lambda part: pc.match_substring_regex(part, TIMESTAMP)):
        try:
            type = (
                pa.date32()
                if _all(there, lambda part: pc.match_substring_regex(part, DAY))
                else pa.timestamp("us")
            )
            for chunk in words.chunks:
                converted(chunk, type)
            return type
        except pa.ArrowInvalid:
            pass  # the 30th of February
    return None


def converted(values: pa.Array, type: pa.DataType, decimal: str = ".") -> pa.Array:
    """Words (N,) as values of a type that `type_of` found, other values as they are."""
    if values.type == type:
        return values
    if pa.types.is_boolean(type):
        return pc.equal(pc.utf8_lower(values), "true")
    if pa.types.is_date(type):
        return values.cast(pa.timestamp("s")).cast(type)
    if pa.types.is_timestamp(type):
        return timestamps_of(values)
    if pa.types.is_null(type):
        return pa.nulls(len(values))
    return _signed(_with_points(values, decimal)).cast(type)


def without_missing(words: pa.ChunkedArray, missing: Sequence[str]) -> pa.ChunkedArray:
    """Words without the spaces around them, null where there are none, or they say that the value is missing."""
    trimmed = pc.utf8_trim_whitespace(words)
    gone = pc.is_in(trimmed, pa.array(["", *missing], pa.string()))
    return pc.if_else(gone, pa.scalar(None, pa.string()), trimmed)


def _with_points(words: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray:
    """Words (N,) as a decimal point would have them: a comma becomes one, and a point that was one a comma.

    Of CSV they are trimmed and null where empty; in JSON Lines and Parquet an empty one is no number either.
    """
    if decimal == ".":
        return words
    words = without_missing(words, [])
    grouped = pc.match_substring_regex(words, f"^{POINTS}$").fill_null(False)
    words = pc.if_else(grouped, pc.replace_substring(words, ".", ""), words)
    for old, new in ((".", "\0"), (",", "."), ("\0", ",")):
        words = pc.replace_substring(words, old, new)
    return words


def _have_commas(words: pa.ChunkedArray) -> bool:
    """Whether so many of some words are numbers with a comma that the column is rather one of numbers."""

    def share(some: pa.ChunkedArray) -> float:
        return pc.mean(pc.match_substring_regex(some, COMMA).cast(pa.int8())).as_py()

    # Few tell, most often, that there are none.
    return share(words[:1000]) > 0 and share(words) >= 1 - NEARLY and share(_no_number(words)) >= NEARLY


def _example(words: pa.ChunkedArray, pattern: str) -> str:
    return words.filter(pc.match_substring_regex(words, pattern))[0].as_py()[:80]


def _no_number(words: pa.ChunkedArray) -> pa.ChunkedArray:
    return words.filter(pc.invert(pc.match_substring_regex(words, NUMBER)))


def _whole_type(words: pa.ChunkedArray) -> pa.DataType:
    try:
        _signed(words).cast(pa.int64())
    except pa.ArrowInvalid:
        return pa.float64()
    return pa.int64()


def _signed(words: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    if not pc.any(pc.starts_with(words, "+")).as_py():
        return words
    return pc.replace_substring_regex(words, r"^\+", "")


def _all(words: pa.ChunkedArray, holds: Callable[[pa.Array], pa.Array]) -> bool:
    """Whether something holds of all words; the first part of which it does not ends the search."""
    return all(pc.all(holds(part)).as_py() for part in words.chunks)
