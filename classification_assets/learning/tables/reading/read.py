"""A declared file becomes typed rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from classification_assets.learning.tables.arrow_types import is_number, is_words
from classification_assets.learning.tables.reading.csv_files import words_of
from classification_assets.learning.tables.reading.fingerprint import fingerprint_elsewhere
from classification_assets.learning.tables.reading.json_lines import objects_of
from classification_assets.learning.tables.reading.label_words import relabelled, without_label
from classification_assets.learning.tables.reading.local_files import COMPRESSED, LocalFiles, local_files
from classification_assets.learning.tables.reading.location import PARQUET, files_of
from classification_assets.learning.tables.reading.text_files import refuse_twins
from classification_assets.learning.tables.reading.type_inference import (
    converted,
    refuse_other_words,
    type_of,
)
from classification_assets.learning.tables.rows import JoinedRows, LoadedRows, ParquetRows, Rows, spooled

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
    main = _part(written, path, roles.target)
    strict = roles.feature_names(main.rows.names, path)
    if roles.weight is not None:
        strict = (*strict, roles.weight)
    if test_path is None:
        (main,) = _settled([main], roles.target, written.missing)
        return LoadedRows(main.typed(roles.columns, strict), 0, main.format, main.sha256, told)
    test = _part(written, test_path, roles.target)
    needed = [name for name in main.rows.names if not roles.ignores(name)]
    if lost := [name for name in needed if name not in test.rows.names]:
        raise ValueError(f"{test_path}: there is no column {lost[0]!r}, which {path} has")
    main, test = _settled([main, test], roles.target, written.missing)
    hashes = f"{main.sha256}+{test.sha256}"
    rows = _joined(main, test, roles.columns, strict)
    return LoadedRows(rows, test.rows.n_rows, main.format, hashes, told)


def read_unlabelled(declared: UnlabelledFile, kinds: Mapping[str, ColumnKind]) -> Rows:
    """Rows whose columns are to be of known kinds; errors are those of `read_files`."""
    rows = _part(declared, declared.path).typed(kinds, ())
    if not rows.n_rows:
        raise ValueError(f"{declared.path}: there are columns, but no rows")
    return rows


@dataclass(frozen=True)
class _Part:
    """Rows of one file; in CSV and TSV all values are words, JSON Lines know no dates, any may hold decimal commas."""

    where: str
    rows: Rows
    format: str
    sha256: str = ""
    decimal: str = "."
    said: frozenset[str] = frozenset()
    """Words that stood for a missing value elsewhere than in the target."""

    def typed(self, kinds: Mapping[str, ColumnKind], strict: Sequence[str]) -> Rows:
        """With types, columns of declared kinds as these need; in `strict` ones a few words are mistakes."""
        types = [self._type(field, kinds.get(field.name), field.name in strict) for field in self.rows.schema]
        if types == self.rows.schema.types:
            return self.rows
        schema = pa.schema(list(zip(self.rows.names, types, strict=True)))
        batches = (
            pa.RecordBatch.from_arrays(
                [converted(*pair, self.decimal) for pair in zip(batch.columns, types, strict=True)],
                schema=schema,
            )
            for batch in self.rows.batches()
        )
        return spooled(batches, schema)

    def words(self, name: str) -> pa.ChunkedArray:
        """A column (N,) of words."""
        parts = [batch.column(0).cast(pa.string()) for batch in self.rows.batches([name])]
        return pa.chunked_array(parts, pa.string())

    def _type(self, field: pa.Field, kind: ColumnKind | None, strict: bool) -> pa.DataType:
        # Where values have types, a word is a word, but for dates, which JSON does not know, and decimal commas.
        written = self.format in TEXT
        dates = self.format == "jsonl" and kind is None
        numbers = self.decimal == "," and (strict or kind == "numeric")
        if not written and not (is_words(field.type) and (dates or numbers)):
            return field.type
        type = type_of(
            self.words(field.name), field.name, self.where, kind, strict=strict, decimal=self.decimal
        )
        is_date = pa.types.is_date(type) or pa.types.is_timestamp(type)
        return type if written or (dates and is_date) or (numbers and is_number(type)) else field.type


def _settled(parts: Sequence[_Part], target: str, missing: tuple[str, ...]) -> list[_Part]:
    """The same parts, with no label where a word in one of them says that there is none: see `without_label`."""
    texts = [part for part in parts if part.format in TEXT and target in part.rows.names]
    labels = pa.chunked_array([chunk for part in texts for chunk in part.words(target).chunks], pa.string())
    gone = without_label(labels, missing, frozenset().union(*(part.said for part in texts)))
    return [
        replace(part, rows=relabelled(part.rows, target, gone)) if part in texts else part for part in parts
    ]


def _joined(main: _Part, test: _Part, kinds: Mapping[str, ColumnKind], strict: Sequence[str]) -> Rows:
    places = [main.where, test.where]
    objects = main.format == test.format == "jsonl" and main.decimal == "."
    if not objects and not (main.format in TEXT and test.format in TEXT):
        return JoinedRows([main.typed(kinds, strict), test.typed(kinds, strict)], places)
    if not objects:
        # Otherwise a column of numbers or truth values would be one of words as soon as the test fold has some.
        for name in strict:
            if kinds.get(name) in (None, "numeric"):
                refuse_other_words(
                    test.words(name),
                    main.words(name),
                    name,
                    *places[::-1],
                    declared=name in kinds,
                    decimal=main.decimal,
                )
    # Typed together, so that both have the same types.
    both = JoinedRows([main.rows, test.rows], places)
    return _Part(main.where, both, main.format, decimal=main.decimal).typed(kinds, strict)


def _part(written: Format, path: str, target: str | None = None) -> _Part:
    found = files_of(path, PARQUET)
    files = local_files(found)
    format = written.format if written.format != "auto" else _format(files.names[0], path)
    if format == "parquet":
        return _Part(path, _parquet(files, found), format, files.sha256, written.decimal)
    if len(found) > 1:
        raise ValueError(f"{path}: a folder is read if it holds Parquet files; a {format} table is one file")
    (file,) = files.paths
    said: set[str] = set()
    rows = (
        objects_of(written, file, path)
        if format == "jsonl"
        else words_of(written, file, path, format, target, said)
    )
    files.unchanged()
    if not rows.n_rows:
        raise ValueError(f"{path}: there is a header, but no rows below it")
    return _Part(path, rows, format, files.sha256, written.decimal, frozenset(said))


def _format(name: str, path: str) -> str:
    for ending, format in ENDINGS.items():
        if name.lower().endswith(ending):
            return format
    raise ValueError(
        f"{path}: the ending does not say what it is; known are {', '.join(ENDINGS)}, compressed "
        f"({', '.join(COMPRESSED)}) or not; any other name needs `format:` beside it"
    )


def _parquet(files: LocalFiles, found: Sequence[Any]) -> Rows:
    first = None
    for path, where in zip(files.paths, found, strict=True):
        try:
            schema = pq.read_schema(path)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{where}: is no Parquet file, or a damaged one: {error}") from error
        refuse_twins(schema.names, str(where))
        first = first or schema
        if schema.remove_metadata() != first.remove_metadata():
            raise ValueError(f"{where}: {_difference(first, schema)}; the files of a folder must agree")
    return ParquetRows(files.paths, files.unchanged, files.keeps)


def _difference(first: pa.Schema, other: pa.Schema) -> str:
    for field in first:
        if field.name not in other.names:
            return f"there is no column {field.name!r}, which the first file has"
        if (type := other.field(field.name).type) != field.type:
            return f"column {field.name!r} holds {type}, in the first file {field.type}"
    return f"the columns are {', '.join(other.names)}, in the first file {', '.join(first.names)}"
