"""Recognition of columns of words that are numbers or dates, and reading them: one place for every format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from classification_assets.learning.tables.arrow_types import is_words
from classification_assets.learning.tables.coercion import is_timestamp
from classification_assets.learning.tables.column_reading import ColumnReading, ReadColumn, says_missing
from classification_assets.learning.tables.date_words import (
    LOOKS_LIKE_DATE,
    DateWord,
    date_word,
    day_comes_first,
)
from classification_assets.learning.tables.number_words import (
    MONEY,
    POINTED,
    SCALES,
    NumberWord,
    number_word,
    whole_unit,
)
from classification_assets.learning.tables.roles import ColumnKind
from classification_assets.learning.tables.rows import Rows
from classification_assets.learning.tables.word_values import converted_rows

LEVELS = 20
"""Different whole numbers, written as words in a format that knows numbers, up to which they are categories."""

MOSTLY = 0.5
"""Share of a column's different words from which it is a text, if they are neither numbers nor dates nor missing."""

PARTLY = 0.3
"""Share of a column's cells, being numbers or dates, from which there is a doubt whether the column holds some."""

NEARLY_ALL = 0.9
"""Share of different words that look like numbers or dates from which there is one."""

_TRIED = 500
"""Different words by which a column is known to hold neither numbers nor dates: a text may have millions."""

_LISTED = 5
_FEW_NUMBERS = 3
_THOUSAND, _GROUP = 1000, 3


@dataclass(frozen=True)
class Spelling:
    """A declaration of how values are written.

    Attributes
    ----------
    decimal : str
        What stands before a number's fraction.
    missing : tuple of str
        Words that say a value is missing.
    day_first : bool, optional
        Whether 01/02/2024 is in February.
    source : str
        Where values are from: a text, in which all are words, a typed file, which knows numbers, or a frame, of which
        nothing can be declared.
    """

    decimal: str = "."
    missing: tuple[str, ...] = ()
    day_first: bool | None = None
    source: Literal["text", "typed", "frame"] = "frame"

    @property
    def typed(self) -> bool:
        """Whether a word is rather meant to be one, since numbers would have been given as such."""
        return self.source != "text"


@dataclass
class _Sorted:
    """The words of a column by what they are, with how often each is there."""

    missing: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, NumberWord] = field(default_factory=dict)
    dates: dict[str, DateWord] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    counts: Mapping[str, int] = field(default_factory=dict)

    def besides(self, known: Sequence[str]) -> Counter[str]:
        """Words that are neither known nor say that a value is missing."""
        left_out = {*known, *self.missing}
        return Counter({word: count for word, count in self.counts.items() if word not in left_out})

    def cells(self, words: Iterable[str]) -> int:
        return sum(self.counts[word] for word in words)


def recognized(
    words: pa.Array | pa.ChunkedArray, spelling: Spelling, declared: ColumnKind | None = None
) -> ReadColumn | None:
    """How a column of words (N,) is to be read, if it holds numbers or dates and nothing else but words for missing.

    Parameters
    ----------
    declared : kind, optional
        What the column is declared to be.
    """
    if declared in ("categorical", "boolean") or is_text(words, spelling, declared):
        return None
    found = _sorted(word_counts(words), spelling, declared)
    if found.others or (found.numbers and found.dates):
        return None
    if found.numbers:
        return _numbers(found, spelling, declared)
    return _dates(found, spelling, declared)


def word_counts(words: pa.Array | pa.ChunkedArray) -> dict[str, int]:
    """How often each word is there, without the spaces around it; missing ones are left out."""
    counts: Counter[str] = Counter()
    for pair in pc.value_counts(words.drop_null()).to_pylist():
        counts[pair["values"].strip()] += pair["counts"]
    return counts


def doubts(rows: Rows, kinds: Mapping[str, ColumnKind], spelling: Spelling) -> dict[str, str]:
    """Columns of words, among those that were not declared to be of a kind, that rather hold numbers or dates; and why
    they are not read so, with what to declare.

    Parameters
    ----------
    kinds : mapping
        Inferred kinds of the columns that are looked at.
    """
    words = [
        name
        for name, kind in kinds.items()
        if kind == "categorical" and is_words(rows.schema.field(name).type)
    ]
    told = {name: doubt(word_counts(rows.column(name)), name, spelling) for name in words}
    return {name: reason for name, reason in told.items() if reason}


def doubt(counts: Mapping[str, int], name: str, spelling: Spelling) -> str:
    """Why a column of words, given by how often each is there, cannot be read though it rather holds numbers or dates.

    Empty if it does not, or its words may well be meant.
    """
    # Of very many different words, the most frequent ones tell.
    found = _sorted(dict(Counter(counts).most_common(20 * _TRIED)), spelling, None)
    there = found.cells(found.counts) - found.cells(found.missing)
    known = list(found.dates if len(found.dates) > len(found.numbers) else found.numbers)
    if len(known) < _FEW_NUMBERS or found.cells(known) < PARTLY * there:
        return _why_not_known(found, name, spelling)
    if known[0] in found.dates:
        return "" if all(map(is_timestamp, found.counts)) else _why_no_dates(found, known, name, spelling)
    # A format that knows numbers has words where words are meant.
    if spelling.typed and len(known) <= LEVELS and _are_bare(found):
        return ""
    return _why_no_numbers(found, known, name, spelling)


def _why_not_known(found: _Sorted, name: str, spelling: Spelling) -> str:
    """Why words that are no numbers or dates in a spelling of one meaning look like some."""
    words = list(found.others)
    if len(words) < _FEW_NUMBERS:
        return ""
    example = f"such as {words[0][:40]!r}"
    if spelling.decimal == "." and _most(number_word(word, ",") is not None for word in words):
        say = "make them numbers" if spelling.source == "frame" else "say so (decimal: ',')"
        return f"holds what may be numbers with a decimal comma, {example}: {say}, {_meant(name)}"
    if _most(LOOKS_LIKE_DATE.fullmatch(word) is not None for word in words):
        return (
            f"holds what may be dates or times, {example}, but in a spelling that has several meanings: write dates as "
            f"2024-02-29 or 2024-02-29T12:30:00 and times as numbers, {_meant(name)}"
        )
    return ""


def _most(holds: Iterable[bool]) -> bool:
    told = list(holds)
    return sum(told) >= NEARLY_ALL * len(told)


def _why_no_dates(found: _Sorted, known: list[str], name: str, spelling: Spelling) -> str:
    such = f"holds dates such as {known[0]!r}"
    if others := found.besides(known):
        return such + _beside(others, found, name, spelling)
    say = "write the year first" if spelling.source == "frame" else "say so (day_first: true, or false)"
    return f"{such}, which do not tell whether the day comes first: {say}, {_meant(name)}"


def _why_no_numbers(found: _Sorted, known: list[str], name: str, spelling: Spelling) -> str:
    such, units = f"holds numbers such as {known[0]!r}", _units(found)
    if others := found.besides(known):
        return such + _beside(others, found, name, spelling)
    if len(units) > 1:
        shown = ", ".join(repr(unit) if unit else "none" for unit in sorted(units))
        return f"{such} with several units ({shown}): write all in one, {_meant(name)}"
    if not _thousands(found, next(iter(units)), spelling):
        say = (
            "make them numbers"
            if spelling.source == "frame"
            else "say which one is the decimal one (decimal: ',')"
        )
        return f"{such}, whose comma or point may stand between thousands or before a fraction: {say}, {_meant(name)}"
    return f"{such} as words: say what is meant (columns: {{{name}: numeric}}, or {{{name}: categorical}})"


def _beside(others: Counter[str], found: _Sorted, name: str, spelling: Spelling) -> str:
    listed = [word for word, _ in others.most_common(_LISTED)]
    shown = ", ".join(repr(word[:40]) for word in listed) + ", …" * (len(others) > _LISTED)
    declared = f"list them (missing: [{', '.join(map(in_yaml, listed))}])"
    say = {
        "frame": "make them missing",
        "typed": f"write null in their place, or {declared}",
        "text": declared,
    }[spelling.source]
    there = found.cells(found.counts) - found.cells(found.missing)
    return (
        f", but other words in {sum(others.values()):,} of {there:,} cells ({shown}): if these say that a value is "
        f"missing, {say}, {_meant(name)}"
    )


def _meant(name: str) -> str:
    return f"or say that words are meant (columns: {{{name}: categorical}})"


def in_yaml(word: str) -> str:
    """A word as YAML takes it for a word, within a list."""
    plain = word.replace(" ", "").isalpha() and word.isascii()
    if plain and word.casefold() not in ("yes", "no", "y", "n", "on", "off", "true", "false", "null"):
        return word
    return "'" + word.replace("'", "''") + "'"


def rows_as_read(
    rows: Rows, names: Sequence[str], kinds: Mapping[str, ColumnKind], spelling: Spelling
) -> tuple[Rows, dict[str, ReadColumn]]:
    """Rows whose columns of these names are numbers or dates where their words are, and how these were read."""
    readings = {}
    for name in names:
        type = rows.schema.field(name).type
        if is_words(type) and (found := recognized(rows.column(name), spelling, kinds.get(name))):
            readings[name] = found
    return converted_rows(rows, {name: found.reading for name, found in readings.items()}), readings


def is_text(words: pa.Array | pa.ChunkedArray, spelling: Spelling, declared: ColumnKind | None) -> bool:
    """Whether the first different words of a column, or of its first rows, are mostly neither numbers nor dates."""
    first = words[: 4 * _TRIED].drop_null().unique()[:_TRIED].to_pylist()
    found = _sorted({word.strip(): 1 for word in first}, spelling, declared)
    return len(found.others) > MOSTLY * len(first)


def _sorted(counts: Mapping[str, int], spelling: Spelling, declared: ColumnKind | None) -> _Sorted:
    found = _Sorted(counts=counts)
    for word, count in counts.items():
        if says_missing(word, spelling.missing):
            found.missing[word] = count
        elif declared != "date" and (number := number_word(word, spelling.decimal)) is not None:
            found.numbers[word] = number
        elif declared != "numeric" and (date := _known_date(word, declared)) is not None:
            found.dates[word] = date
        else:
            found.others[word] = count
    return found


def _known_date(word: str, declared: ColumnKind | None) -> DateWord | None:
    """The date that a word is, if there is such a day, whichever of its numbers is the month."""
    date = date_word(word, compact=declared == "date")
    return date if date is not None and any(map(date.timestamp, (True, False))) else None


def _dates(found: _Sorted, spelling: Spelling, declared: ColumnKind | None) -> ReadColumn | None:
    dates = list(found.dates.values())
    if not dates or (not found.missing and all(map(is_timestamp, found.dates))):
        return None  # ISO 8601 needs no reading
    asked = any(date.first is not None for date in dates)
    day_first = (
        None if not asked else day_comes_first(dates) if spelling.day_first is None else spelling.day_first
    )
    if any(date.timestamp(day_first) is None for date in dates):
        return None
    return _read(
        found,
        ColumnReading(kind="date", day_first=day_first, compact=declared == "date", missing=spelling.missing),
    )


def _numbers(found: _Sorted, spelling: Spelling, declared: ColumnKind | None) -> ReadColumn | None:
    numbers, units = found.numbers.values(), _units(found)
    are_codes = declared is None and (_are_labels(found) or (spelling.typed and _are_levels(found)))
    if are_codes or len(units) > 1:
        return None
    (unit,) = units
    if not _thousands(found, unit, spelling):
        return None
    return _read(
        found,
        ColumnReading(
            kind="numeric",
            unit=unit,
            scaled=_is_scaled(found),
            thousands=any(number.comma != "none" for number in numbers),
            decimal="," if spelling.decimal == "," else ".",
            missing=spelling.missing,
        ),
    )


def _read(found: _Sorted, reading: ColumnReading) -> ReadColumn:
    bounds = [word for word, number in found.numbers.items() if number.bound]
    return ReadColumn(
        reading=reading,
        missing=dict(found.missing.most_common(_LISTED)),
        n_missing=sum(found.missing.values()),
        n_bounds=found.cells(bounds),
    )


def _units(found: _Sorted) -> set[str]:
    """The units of numbers; one that has none is of the others' unit where that is a currency, or it is 0.

    A scale is a part of the unit unless there are several: see `_is_scaled`.
    """
    unit_of = (lambda number: number.unit) if _is_scaled(found) else whole_unit
    units = {unit_of(number) for number in found.numbers.values()}
    bare = {number.value for number in found.numbers.values() if not unit_of(number)}
    if len(units) == 2 and "" in units:
        (unit,) = units - {""}
        if unit in MONEY or bare == {0.0}:
            return {unit}
    return units


def _is_scaled(found: _Sorted) -> bool:
    """Whether numbers are of several scales, such as 900k and 1.2M."""
    scales = {number.scale for number in found.numbers.values() if number.value}
    return len({SCALES.get(scale, 1.0) for scale in scales}) > 1


def _are_labels(found: _Sorted) -> bool:
    """Whether numbers rather name categories: one alone, <10, 10 and >10, or brackets around everything."""
    numbers = found.numbers.values()
    exact = {number.value for number in numbers if not number.bound}
    bounds = {number.value for number in numbers if number.bound}
    if len(exact | bounds) < (_FEW_NUMBERS if bounds else 2):
        return True
    if exact and bounds and len(exact) <= len(bounds):
        return True
    # As of area codes: where brackets mean less than 0, some are above.
    return all(number.bracketed and not number.unit for number in numbers)


def _are_levels(found: _Sorted) -> bool:
    """Whether numbers are a few whole ones without anything beside them, or whole ones and nothing else."""
    whole = all(number.value.is_integer() for number in found.numbers.values())
    return _are_bare(found) and (len(found.numbers) <= LEVELS if found.missing or not whole else True)


def _are_bare(found: _Sorted) -> bool:
    """Whether numbers have no unit, thousands, bounds or brackets."""
    return not any(
        whole_unit(number) or not number.plain or number.bound or number.bracketed
        for number in found.numbers.values()
    )


def _thousands(found: _Sorted, unit: str, spelling: Spelling) -> bool:
    """Whether it is sure what commas and points are; 1,234 alone may have a decimal comma, 1.234 € no decimal point."""
    numbers = list(found.numbers.values())
    unsure = [number for number in numbers if number.comma == "perhaps"]
    if unit.partition(" ")[0] in MONEY and unit.partition(" ")[0] not in POINTED and spelling.decimal == ".":
        fractions = {number.plain.partition(".")[2] for number in numbers if "." in number.plain}
        if fractions and all(len(fraction) == _GROUP for fraction in fractions):
            return False  # 1.234 €
    if not unsure or unit in POINTED or any(number.comma == "surely" for number in numbers):
        return True
    plain = {number.plain for number in numbers if number.plain}
    if any("." in number for number in plain):
        return True
    # With three digits after a decimal comma, and zeros among them, 7 would be written 7,000.
    below = {number for number in plain if abs(float(number)) < _THOUSAND}
    ends_in_0 = any(abs(number.value) % 10 == 0 for number in unsure)
    return len(below) > 1 and below == plain and ends_in_0
