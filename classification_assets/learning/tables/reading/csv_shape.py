"""Shape of a CSV file: which line is the header, what stands before it, and columns without a name."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from classification_assets.learning.tables.column_reading import says_missing
from classification_assets.learning.tables.date_words import date_word
from classification_assets.learning.tables.number_words import number_word
from classification_assets.learning.tables.reading import text_files as text
from classification_assets.learning.tables.reading.text_files import (
    opened_text,
    refuse_encoding,
    refuse_twins,
)

if TYPE_CHECKING:
    from classification_assets.learning.tables.reading.file_format import Format

LOOKED_AT = 200
"""Rows by which the shape of a file is known."""

BEFORE = 20
"""Lines that may stand before the header without being declared."""

ROW_NAMES = "__index_level_0__"
"""The name of a first column that has none: what pandas calls the numbers of rows in Parquet, which is no feature."""

_SEPARATORS = (";", "\t", ",", "|")


@dataclass(frozen=True)
class Shape:
    """The content of a file's lines.

    Attributes
    ----------
    names : list of str
        Names of the columns.
    skipped : int
        Lines before the header, or before the first row where there is none.
    header : bool
        Whether there is one.
    surplus : int
        Separators at the end of every line that stand before nothing.
    notes : tuple of str
        What was found, in words, where it is not what a table usually looks like.
    """

    names: list[str]
    skipped: int
    header: bool
    surplus: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Line:
    """Values of a line, or of several, without the spaces around them; the number of the first one, from 1 on."""

    number: int
    values: list[str]

    @property
    def is_comment(self) -> bool:
        """Whether it looks like one in many programs."""
        return self.values[0].startswith("#")

    @property
    def filled(self) -> int:
        return sum(map(bool, self.values))


def shape_of(file: Path, written: Format, path: str, separator: str) -> Shape:
    """The shape of a file, from its first lines and its declaration.

    Raises
    ------
    ValueError
        If it is not sure what the lines are: the message says what was seen and what to declare.
    """
    try:
        # A quotation mark that is not closed is a matter of later lines.
        first, *rest = _first_lines(file, written, separator) or [_Line(1, [])]
    except UnicodeError:
        refuse_encoding(file, path, written.encoding)
        raise
    except csv.Error as error:
        raise ValueError(f"{path}: the header cannot be read: {error}") from error
    if not first.filled and not any(line.filled for line in rest):
        raise ValueError(f"{path}: the first line must hold the columns' names, but it is empty")
    if not written.header:
        return _headless(written, path, [first, *rest], separator)
    if first.values[0].lower().startswith("sep="):
        raise ValueError(
            f"{path}: the first line must hold the columns' names, got {separator.join(first.values)!r}, which only "
            "Excel reads; leave that line out"
        )
    before, header, body = _around_header([first, *rest], written, path, separator)
    notes = [f"line {line.number} stands before the header: {_shown(line, separator)}" for line in before]
    names, surplus = _named(header, body, path, separator, notes)
    if len(set(names)) < len(names) and _is_row(header, body):
        raise ValueError(f"{path}: {_no_header(header, separator)}")
    refuse_twins(names, path)
    if not body:
        raise ValueError(f"{path}: there is a header, but no rows below it")
    if len(names) == 1:
        _refuse_other_separator(header, path)
    return Shape(names, header.number - 1, True, surplus, tuple(notes))


def no_header(file: Path, written: Format, separator: str) -> str:
    """The declaration to advise if the header of a file is rather a row of it; empty if it is none."""
    if not written.header:
        return ""
    header, *body = _first_lines(file, written, separator)
    return _no_header(header, separator) if _is_row(header, body) else ""


def lines_of(file: Path, written: Format, separator: str) -> Iterator[_Line]:
    """The lines of a file that hold something, after those to skip."""
    with opened_text(file, written.encoding, newline="") as opened:
        for _ in range(written.skip_rows):
            opened.readline(text.LONGEST)
        lines = iter(lambda: opened.readline(text.LONGEST), "")
        reader = csv.reader(_without_comments(lines, written.comment), delimiter=separator)
        number = written.skip_rows + 1
        for values in reader:
            if values:
                yield _Line(number, [value.strip() for value in values])
            number = written.skip_rows + reader.line_num + 1


def uncommented(file: Path, written: Format, target: Path) -> Path:
    """The file itself, or a copy at `target` in which lines that begin with the sign of a comment are empty."""
    if written.comment is None:
        return file
    with (
        opened_text(file, written.encoding, newline="") as opened,
        target.open("w", encoding=written.encoding, newline="") as out,
    ):
        out.writelines(_without_comments(iter(lambda: opened.readline(text.LONGEST), ""), written.comment))
    return target


def _without_comments(lines: Iterable[str], comment: str | None) -> Iterator[str]:
    for line in lines:
        yield "\n" if comment is not None and line.lstrip().startswith(comment) else line


def _first_lines(file: Path, written: Format, separator: str) -> list[_Line]:
    found: list[_Line] = []
    try:
        # Those before an error are known.
        found.extend(islice(lines_of(file, written, separator), LOOKED_AT))
    except csv.Error:
        if not found:
            raise
    return found


def _headless(written: Format, path: str, lines: Sequence[_Line], separator: str) -> Shape:
    width = Counter(len(line.values) for line in lines).most_common(1)[0][0]
    surplus = _surplus(lines, width, len(written.names) or None)
    names = list(written.names) or [f"column_{number}" for number in range(1, width - surplus + 1)]
    if len(names) + surplus != width:
        raise ValueError(
            f"{path}: line {lines[0].number} has {width} values, {_shown(lines[0], separator)}, but names lists "
            f"{len(names)}: {', '.join(names)}"
        )
    refuse_twins(names, path)
    return Shape(names, written.skip_rows, False, surplus, ())


def _around_header(
    lines: Sequence[_Line], written: Format, path: str, separator: str
) -> tuple[Sequence[_Line], _Line, Sequence[_Line]]:
    """Lines before the header, the header, and rows; lines of one value at most before a wider one are no header."""
    # What begins as a comment and has as many values as what follows may be a header.
    width = next((len(line.values) for line in lines if not line.is_comment), 0)
    wide = next(
        (
            index
            for index, line in enumerate(lines)
            if line.filled > 1 and not (line.is_comment and len(line.values) != width)
        ),
        0,
    )
    header = lines[wide]
    if not wide or written.skip_rows or any(_counts_alike(lines[0], header, other) for other in _SEPARATORS):
        return (), lines[0], lines[1:]
    if wide > BEFORE or not _are_names(header.values):
        raise ValueError(
            f"{path}: line {lines[0].number} has one value, {_shown(lines[0], separator)}, and line {header.number} "
            f"has {len(header.values)}, {_shown(header, separator)}: say how many lines stand before the header (such "
            f"as skip_rows: {header.number - 1}), how a comment begins (comment: '#'), or that there is no header "
            "(header: false)"
        )
    return lines[:wide], header, lines[wide + 1 :]


def _counts_alike(line: _Line, other: _Line, separator: str) -> bool:
    """Whether two lines have as many values, several, if another separator stands between them."""
    counts = [",".join(one.values).count(separator) for one in (line, other)]
    return len(line.values) == 1 and counts[0] == counts[1] > 0


def _are_names(values: Sequence[str]) -> bool:
    named = values[1:] if len(values) > 1 and not values[0] else values
    while named and not named[-1]:
        named = named[:-1]
    return bool(named) and not any(
        says_missing(value) or number_word(value) is not None or date_word(value) is not None
        for value in named
    )


def _named(
    header: _Line, body: Sequence[_Line], path: str, separator: str, notes: list[str]
) -> tuple[list[str], int]:
    """Names of the columns and the number of separators at the end of each row that stand before nothing."""
    names = list(header.values)
    while len(names) > 1 and not names[-1] and _is_empty(body, len(names) - 1):
        names.pop()
    surplus = _surplus(body, len(names))
    if len(header.values) > len(names) or surplus:
        notes.append(f"lines end with {separator!r}, behind which nothing stands")
    wide = {len(line.values) for line in body} == {len(names) + 1}
    if wide and not surplus and "" not in names and _are_row_names(body):
        notes.append(f"the rows have a value more than the header: row names, such as {body[0].values[0]!r}")
        return [ROW_NAMES, *names], 0
    if not names[0] and len(names) > 1 and ROW_NAMES not in names:
        notes.append("the first column has no name: row names")
        names[0] = ROW_NAMES
    if "" in names:
        if header.filled < 2:
            raise ValueError(f"{path}: the first line must hold the columns' names, but it is empty")
        raise ValueError(
            f"{path}: every column needs a name, but column {names.index('') + 1} has none in line {header.number}, "
            f"{_shown(header, separator)}{_later_header(body, separator)}"
        )
    return names, surplus


def _later_header(lines: Sequence[_Line], separator: str) -> str:
    """The declaration to advise if one of the next lines may be the header."""
    later = (
        line for line in lines[:BEFORE] if line.filled == len(line.values) > 1 and _are_names(line.values)
    )
    if (found := next(later, None)) is None:
        return ""
    before = found.number - 1
    return (
        f"; if line {found.number}, {_shown(found, separator)}, is the header, say so (skip_rows: {before})"
    )


def _surplus(lines: Sequence[_Line], width: int, named: int | None = None) -> int:
    """How many values more than names all lines have, if all of these are empty."""
    if named is not None:
        return max(0, width - named) if all(not any(line.values[named:]) for line in lines) else 0
    surplus = min((len(line.values) for line in lines), default=width) - width
    return surplus if surplus > 0 and not any(any(line.values[width:]) for line in lines) else 0


def _is_empty(lines: Sequence[_Line], index: int) -> bool:
    return not any(any(line.values[index:]) for line in lines)


def _are_row_names(lines: Sequence[_Line]) -> bool:
    """Whether the first values tell rows apart: words or whole numbers, each but once."""
    firsts = [line.values[0] for line in lines]
    return len(set(firsts)) == len(firsts) and all(
        first.isdigit() or number_word(first) is None for first in firsts
    )


def _is_row(header: _Line, body: Sequence[_Line]) -> bool:
    """Whether a header's values are numbers, dates, gaps or words that stand below it, too."""
    if not any(number_word(value) is not None or date_word(value) is not None for value in header.values):
        return False
    return all(
        number_word(value) is not None
        or date_word(value) is not None
        or says_missing(value)
        or any(len(line.values) > index and line.values[index] == value for line in body)
        for index, value in enumerate(header.values)
    )


def _no_header(header: _Line, separator: str) -> str:
    return (
        f"line {header.number} is rather a row than a header: {_shown(header, separator)}; if there is no header, say "
        f"so and name the columns (header: false, names: [<{len(header.values)} names>])"
    )


def _refuse_other_separator(header: _Line, path: str) -> None:
    for other in _SEPARATORS:
        if other in header.values[0]:
            raise ValueError(
                f"{path}: the header is one column, {header.values[0][:80]!r}; perhaps separator: {other!r} is right"
            )


def _shown(line: _Line, separator: str) -> str:
    return repr(separator.join(line.values)[:80])
