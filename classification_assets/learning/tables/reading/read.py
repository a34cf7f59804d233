"""A declared file becomes typed rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pyarrow as pa

from classification_assets.learning.tables.arrow_types import is_number, is_words
from classification_assets.learning.tables.column_reading import ColumnReading, ReadColumn, says_missing
from classification_assets.learning.tables.joined_rows import JoinedRows
from classification_assets.learning.tables.reading.csv_files import separator_of, words_of
from classification_assets.learning.tables.reading.csv_shape import no_header
from classification_assets.learning.tables.reading.fingerprint import fingerprint_elsewhere
from classification_assets.learning.tables.reading.json_lines import objects_of
from classification_assets.learning.tables.reading.label_words import Gaps, relabelled, without_label
from classification_assets.learning.tables.reading.local_files import COMPRESSED, local_files
from classification_assets.learning.tables.reading.location import PARQUET, files_of
from classification_assets.learning.tables.reading.parquet_files import parquet_rows
from classification_assets.learning.tables.reading.type_inference import (
    converted,
    refuse_other_words,
    type_of,
)
from classification_assets.learning.tables.recognition import Spelling, is_text, recognized
from classification_assets.learning.tables.rows import LoadedRows, Rows, spooled
from classification_assets.learning.tables.word_values import (
    UnreadableWordError,
    read_words,
    type_of_reading,
)

if TYPE_CHECKING:
    from classification_assets.learning.tables.reading.file_format import Format, UnlabelledFile
    from classification_assets.learning.tables.roles import ColumnKind, Roles

ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    **dict.fromkeys(PARQUET, "parquet"),
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}

TEXT = ("csv", "tsv")
"""The formats in which every value is a word."""

_GAPS = {
    **dict.fromkeys(TEXT, "leave it empty if it is not known (or list all words that say so: missing: [{}])"),
    "jsonl": "write null if it is not known",
    "parquet": "leave it missing if it is not known",
}


def read_files(path: str, test_path: str | None, written: Format, roles: Roles) -> LoadedRows:
    """LoadedRows a table's file, and after its rows those of the test fold's file where that has one of its own.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file cannot be read as a table: the message names file, where and value, and what would be right.
    """
    # Before they are read: of what changes meanwhile, it is known later that it was not what was read.
    told = fingerprint_elsewhere(path, *([test_path] if test_path else []))
    needed = [name for name in (roles.target, roles.id, roles.weight, roles.group, roles.time) if name]
    main = _part(written, path, needed, roles.target)
    try:
        strict = roles.feature_names(main.rows.names, path)
    except ValueError as error:
        if main.no_header:
            raise ValueError(f"{error}; {main.no_header}") from error
        raise
    if roles.weight is not None:
        strict = (*strict, roles.weight)
    wanted = _Wanted(roles.columns, strict, strict if roles.time is None else (*strict, roles.time))
    if test_path is None:
        (main,) = _settled([main], roles.target, written.missing)
        typed = main.typed(wanted)
        return LoadedRows(typed.rows, 0, main.format, main.sha256, told, typed.readings, main.notes)
    test = _part(written, test_path, needed, roles.target)
    used = [name for name in main.rows.names if not roles.ignores(name)]
    if lost := [name for name in used if name not in test.rows.names]:
        raise ValueError(f"{test_path}: there is no column {lost[0]!r}, which {path} has")
    main, test = _settled([main, test], roles.target, written.missing)
    hashes = f"{main.sha256}+{test.sha256}"
    joined = _joined(main, test, wanted)
    notes = (*main.notes, *(f"{test_path}: {note}" for note in test.notes))
    return LoadedRows(joined.rows, test.rows.n_rows, main.format, hashes, told, joined.readings, notes)


def read_unlabelled(
    declared: UnlabelledFile,
    kinds: Mapping[str, ColumnKind],
    readings: Mapping[str, ColumnReading] = MappingProxyType({}),
) -> Rows:
    """Rows whose columns are to be of known kinds, words read as they were before; errors are those of `read_files`."""
    typed = _part(declared, declared.path).typed(_Wanted(kinds, (), (), readings))
    if not typed.rows.n_rows:
        raise ValueError(f"{declared.path}: there are columns, but no rows")
    return typed.rows


@dataclass(frozen=True)
class _Wanted:
    """The kinds that columns are to become.

    Attributes
    ----------
    kinds : mapping
        Declared kinds.
    strict : sequence of str
        Columns in which a few words among numbers are mistakes.
    readable : sequence of str
        Columns in which numbers and dates are looked for that are written in other ways.
    readings : mapping
        How columns were read before.
    """

    kinds: Mapping[str, ColumnKind]
    strict: Sequence[str]
    readable: Sequence[str]
    readings: Mapping[str, ColumnReading] = field(default_factory=dict)


@dataclass(frozen=True)
class _Typed:
    """Rows with types, and how words among them were read."""

    rows: Rows
    readings: dict[str, ReadColumn]


@dataclass(frozen=True)
class _Part:
    """Rows of one file; in CSV and TSV all values are words, JSON Lines know no dates, any may hold decimal commas."""

    where: str
    rows: Rows
    format: str
    spelling: Spelling
    sha256: str = ""
    notes: tuple[str, ...] = ()
    no_header: str = ""
    said: frozenset[str] = frozenset()
    """Words that stood for a missing value elsewhere than in the target."""

    def typed(self, wanted: _Wanted) -> _Typed:
        """With types, columns of declared kinds as these need."""
        found = {field.name: self._type(field, wanted) for field in self.rows.schema}
        readings = {name: own for name, own in found.items() if isinstance(own, ReadColumn)}
        known = {name: own.reading for name, own in readings.items()}
        known |= {name: own for name, own in found.items() if isinstance(own, ColumnReading)}
        types = [
            type_of_reading(known[field.name]) if field.name in known else found[field.name]
            for field in self.rows.schema
        ]
        if types == self.rows.schema.types:
            return _Typed(self.rows, {})
        schema = pa.schema(list(zip(self.rows.names, types, strict=True)))
        return _Typed(spooled(self._converted(schema, known), schema), readings)

    def _converted(
        self, schema: pa.Schema, readings: Mapping[str, ColumnReading]
    ) -> Iterator[pa.RecordBatch]:
        first = 0
        for batch in self.rows.batches():
            try:
                columns = [
                    read_words(column, readings[field.name], field.name, first)
                    if field.name in readings
                    else converted(column, field.type, self.spelling.decimal)
                    for field, column in zip(schema, batch.columns, strict=True)
                ]
            except UnreadableWordError as error:
                raise ValueError(f"{self.where}: {error}") from error
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
            first += batch.num_rows

    def words(self, name: str) -> pa.ChunkedArray:
        """A column (N,) of words."""
        parts = [batch.column(0).cast(pa.string()) for batch in self.rows.batches([name])]
        return pa.chunked_array(parts, pa.string())

    def _is_text(self, name: str, kind: ColumnKind | None) -> bool:
        """Whether a column's first rows are a text, so that the others need not be read."""
        first = next(self.rows.batches([name]), None)
        return first is None or is_text(first.column(0).cast(pa.string()), self.spelling, kind)

    def _type(self, field: pa.Field, wanted: _Wanted) -> pa.DataType | ReadColumn | ColumnReading:
        name, kind, strict = field.name, wanted.kinds.get(field.name), field.name in wanted.strict
        if is_words(field.type) and name in wanted.readings:
            return wanted.readings[name]
        # Where values have types, a word is a word, but for dates, which JSON does not know, decimal commas, and what
        # is no category whatever it is meant to be.
        written, readable = self.format in TEXT, field.name in wanted.readable
        looked_at = not written and readable and is_words(field.type) and not self._is_text(name, kind)
        if looked_at and (reading := recognized(self.words(name), self.spelling, kind)):
            return reading
        dates = self.format == "jsonl" and kind is None
        numbers = self.spelling.decimal == "," and (strict or kind == "numeric")
        if not written and not (is_words(field.type) and (dates or numbers)):
            return field.type
        type = type_of(
            self.words(name),
            name,
            self.where,
            kind,
            strict=strict,
            spelling=self.spelling,
            readable=written and readable,
            gap=_GAPS[self.format],
        )
        if written or isinstance(type, ReadColumn):
            return type
        is_date = pa.types.is_date(type) or pa.types.is_timestamp(type)
        return type if (dates and is_date) or (numbers and is_number(type)) else field.type


def _settled(parts: Sequence[_Part], target: str, missing: tuple[str, ...]) -> list[_Part]:
    """The same parts, with no label where a word in one of them says that there is none: see `without_label`."""
    texts = [part for part in parts if part.format in TEXT and target in part.rows.names]
    labels = pa.chunked_array([chunk for part in texts for chunk in part.words(target).chunks], pa.string())
    gone = without_label(labels, missing, frozenset().union(*(part.said for part in texts)))
    return [
        replace(part, rows=relabelled(part.rows, target, gone)) if part in texts else part for part in parts
    ]


def _joined(main: _Part, test: _Part, wanted: _Wanted) -> _Typed:
    places = [main.where, test.where]
    decimal = main.spelling.decimal
    objects = main.format == test.format == "jsonl" and decimal == "."
    if not objects and not (main.format in TEXT and test.format in TEXT):
        first = main.typed(wanted)
        # The test fold is read as the rows that are learned from.
        known = {name: found.reading for name, found in first.readings.items()}
        second = test.typed(replace(wanted, readings=known))
        return _Typed(JoinedRows([first.rows, second.rows], places), second.readings | first.readings)
    # Typed together, so that both have the same types.
    both = _Part(main.where, JoinedRows([main.rows, test.rows], places), main.format, main.spelling)
    if objects:
        return both.typed(wanted)
    # Otherwise a column of numbers or truth values would be one of words as soon as the test fold has some.
    for name in wanted.strict:
        kind = wanted.kinds.get(name)
        if kind in (None, "numeric") and not recognized(both.words(name), both.spelling, kind):
            refuse_other_words(
                test.words(name),
                main.words(name),
                name,
                *places[::-1],
                declared=name in wanted.kinds,
                decimal=decimal,
            )
    return both.typed(wanted)


def _part(written: Format, path: str, needed: Sequence[str] = (), target: str | None = None) -> _Part:
    found = files_of(path, PARQUET)
    files = local_files(found)
    format = written.format if written.format != "auto" else _format(files.names[0], path)
    if format == "parquet":
        rows, notes = parquet_rows(files, found, needed)
        return _Part(path, rows, format, _spelling(written, format), files.sha256, notes)
    if len(found) > 1:
        raise ValueError(f"{path}: a folder is read if it holds Parquet files; a {format} table is one file")
    (file,) = files.paths
    headless, gaps = "", Gaps(written.missing, target)
    if format == "jsonl":
        rows, notes = objects_of(written, file, path), ()
    else:
        rows, notes = words_of(written, file, path, format, gaps)
        headless = no_header(file, written, separator_of(written, format))
    files.unchanged()
    if not rows.n_rows:
        raise ValueError(f"{path}: there is a header, but no rows below it")
    spelling = _spelling(written, format)
    return _Part(path, rows, format, spelling, files.sha256, notes, headless, frozenset(gaps.said))


def _spelling(written: Format, format: str) -> Spelling:
    own = tuple(word for word in written.missing if not says_missing(word))
    return Spelling(written.decimal, own, written.day_first, "text" if format in TEXT else "typed")


def _format(name: str, path: str) -> str:
    for ending, format in ENDINGS.items():
        if name.lower().endswith(ending):
            return format
    raise ValueError(
        f"{path}: the ending does not say what it is; known are {', '.join(ENDINGS)}, compressed "
        f"({', '.join(COMPRESSED)}) or not; any other name needs `format:` beside it"
    )
