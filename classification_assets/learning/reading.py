"""A declared file becomes typed rows: CSV and JSON Lines in memory, Parquet in batches."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from classification_assets.learning.columns import as_category
from classification_assets.learning.local_files import COMPRESSED, LocalFiles, local_files
from classification_assets.learning.location import files_of
from classification_assets.learning.rows import JoinedRows, MemoryRows, ParquetRows, Read, Rows
from classification_assets.learning.words import as_dates, typed, without_missing

if TYPE_CHECKING:
    from classification_assets.learning.datasets import Format, TableFile, UnlabelledFile
    from classification_assets.learning.datasets.roles import ColumnKind

ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
LONGEST = 2**24
"""Bytes of a row of text: a longer one is rather a quotation mark that was never closed."""

_LINES = 2**15
"""Of JSON, that are turned into columns at one time."""


def read_files(declared: TableFile) -> Read:
    """Read what is declared, the test rows of a file of their own last.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file cannot be read as a table: the message names file, place and value, and what would be right.
    """
    main = _part(declared, declared.path)
    features = declared.feature_names(main.rows.names, declared.path)
    if declared.test is None:
        return Read(main.typed(declared.columns, features), 0, {"sha256": main.sha256})
    test = _part(declared, declared.test)
    about = {"sha256": f"{main.sha256}+{test.sha256}"}
    if lost := [name for name in main.rows.names if name not in test.rows.names]:
        raise ValueError(f"{declared.test}: there is no column {lost[0]!r}, which {declared.path} has")
    return Read(_joined(main, test, declared.columns, features), test.rows.n_rows, about)


def read_unlabelled(declared: UnlabelledFile, kinds: Mapping[str, ColumnKind]) -> Rows:
    """Rows whose columns are to be of known kinds; errors are those of `read_files`."""
    rows = _part(declared, declared.path).typed(kinds, ())
    if not rows.n_rows:
        raise ValueError(f"{declared.path}: there are columns, but no rows")
    return rows


@dataclass(frozen=True)
class _Part:
    """What one file holds; `words`: nothing in it has a type yet."""

    place: str
    rows: Rows
    sha256: str
    words: bool

    def typed(self, kinds: Mapping[str, ColumnKind], strict: Sequence[str]) -> Rows:
        """With types, columns of declared kinds as these need; in `strict` ones a few words are mistakes."""
        if not isinstance(self.rows, MemoryRows):
            return self.rows
        table = self.rows.table

        def column(name: str) -> pa.ChunkedArray:
            values, kind = table.column(name), kinds.get(name)
            if self.words:
                return typed(values, name, self.place, kind, strict=name in strict)
            return as_dates(values) if pa.types.is_string(values.type) and kind is None else values

        return MemoryRows(pa.table({name: column(name) for name in table.column_names}))


def _joined(main: _Part, test: _Part, kinds: Mapping[str, ColumnKind], strict: Sequence[str]) -> Rows:
    if (
        not (isinstance(main.rows, MemoryRows) and isinstance(test.rows, MemoryRows))
        or main.words != test.words
    ):
        return JoinedRows([main.typed(kinds, strict), test.typed(kinds, strict)], [main.place, test.place])
    both = [rows.table.select(main.rows.names) for rows in (main.rows, test.rows)]
    try:
        # Typed together, so that both have the same types.
        whole = pa.concat_tables(both, promote_options="permissive")
    except pa.ArrowTypeError as error:
        raise ValueError(
            f"{test.place}: a column is of another type than in {main.place}: {error}"
        ) from error
    return _Part(main.place, MemoryRows(whole), "", main.words).typed(kinds, strict)


def _part(written: Format, path: str) -> _Part:
    found = files_of(path, [ending for ending, format in ENDINGS.items() if format == "parquet"])
    files = local_files(found)
    format = written.format if written.format != "auto" else _format(files.names[0], path)
    if format == "parquet":
        return _Part(path, _parquet(files, found), files.sha256, words=False)
    if len(found) > 1:
        raise ValueError(f"{path}: a folder is read if it holds Parquet files; a {format} table is one file")
    table = _json_lines(written, files, path) if format == "jsonl" else _csv(written, files, path, format)
    files.unchanged()
    if not table.num_rows:
        raise ValueError(f"{path}: there is a header, but no rows below it")
    return _Part(path, MemoryRows(table), files.sha256, words=format != "jsonl")


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
    for path, place in zip(files.paths, found, strict=True):
        try:
            schema = pq.read_schema(path)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{place}: is no Parquet file, or a damaged one: {error}") from error
        _refuse_twins(schema.names, str(place))
        first = first or schema
        if schema.remove_metadata() != first.remove_metadata():
            raise ValueError(f"{place}: {_difference(first, schema)}; the files of a folder must agree")
    return ParquetRows(files.paths, files.unchanged, files.keeps)


def _difference(first: pa.Schema, other: pa.Schema) -> str:
    for field in first:
        if field.name not in other.names:
            return f"there is no column {field.name!r}, which the first file has"
        if (type := other.field(field.name).type) != field.type:
            return f"column {field.name!r} holds {type}, in the first file {field.type}"
    return f"the columns are {', '.join(other.names)}, in the first file {', '.join(first.names)}"


def _refuse_twins(names: Sequence[str], place: str) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(
            f"{place}: columns must have different names, however: {twice[0]!r} is there "
            f"{Counter(names)[twice[0]]} times"
        )


def _csv(written: Format, files: LocalFiles, path: str, format: str) -> pa.Table:
    """All values as words, without the spaces around them; those that say so are missing."""
    separator = written.separator or ("\t" if format == "tsv" else ",")
    ragged: list[Any] = []

    def keep(row: Any) -> str:
        ragged.append(row)
        return "error"

    _refuse_binary(files.paths[0], path, written.encoding)
    names = _header(files.paths[0], written, path, separator)
    try:
        table = pa.csv.read_csv(
            files.paths[0],
            pa.csv.ReadOptions(
                # In one thread: only then does Arrow know the number of a row with too few values.
                use_threads=False,
                block_size=LONGEST,
                encoding=written.encoding,
                column_names=names,
                skip_rows_after_names=1,
            ),
            pa.csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=keep),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=True
            ),
        )
    except (pa.ArrowInvalid, UnicodeError) as error:
        if ragged:
            row = ragged[0]
            line = f"line {row.number}" if row.number else "a line"
            raise ValueError(
                f"{path}: {line} has {row.actual_columns} values, the header {row.expected_columns}: "
                f"{row.text[:80]!r}; a value that holds {separator!r} must be quoted"
            ) from error
        _refuse_encoding(files.paths[0], path, written.encoding)
        if "straddling" in str(error) or "try to increase block size" in str(error):
            raise ValueError(
                f"{path}: a row is longer than {LONGEST:,} bytes; is a quotation mark not closed?"
            ) from error
        raise ValueError(f"{path}: is no table of {format.upper()}: {error}") from error
    columns = [without_missing(column, written.missing) for column in table.columns]
    return pa.Table.from_arrays(columns, names)


def _header(file: Path, written: Format, path: str, separator: str) -> list[str]:
    import csv

    try:
        with file.open(encoding=written.encoding, newline="") as opened:
            line = next(csv.reader(iter(lambda: opened.readline(LONGEST), ""), delimiter=separator), [])
            empty = all(not rest.strip() for rest in iter(lambda: opened.readline(LONGEST), "")) and bool(
                line
            )
    except UnicodeError:
        _refuse_encoding(file, path, written.encoding)
        raise
    except csv.Error as error:
        raise ValueError(f"{path}: the header cannot be read: {error}") from error
    names = [name.strip().removeprefix("\ufeff") for name in line]
    if not any(names):
        raise ValueError(f"{path}: the first line must hold the columns' names, however: it is empty")
    if "" in names:
        raise ValueError(f"{path}: every column needs a name, however: column {names.index('') + 1} has none")
    _refuse_twins(names, path)
    if empty:
        raise ValueError(f"{path}: there is a header, but no rows below it")
    if len(names) == 1:
        for other in (";", "\t", ",", "|"):
            if other in names[0]:
                raise ValueError(
                    f"{path}: the header is one column, {names[0][:80]!r}; perhaps separator: {other!r} is right"
                )
    return names


def _refuse_binary(file: Path, path: str, encoding: str) -> None:
    with file.open("rb") as opened:
        start = opened.read(4096)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding == "utf-8":
        raise ValueError(f"{path}: is UTF-16, not utf-8: say encoding: utf-16")
    if start.startswith(b"PK\x03\x04"):
        raise ValueError(f"{path}: is a zip or a spreadsheet, not text; export the sheet as CSV")
    if b"\0" in start and "16" not in encoding and "32" not in encoding:
        raise ValueError(f"{path}: holds bytes of value 0, so it is no text; is the ending right?")


def _refuse_encoding(file: Path, path: str, encoding: str) -> None:
    import codecs

    decoder, line, offset = codecs.getincrementaldecoder(encoding)(), 1, 0
    with file.open("rb") as opened:
        while data := opened.read(2**20):
            try:
                line += decoder.decode(data).count("\n")
            except UnicodeDecodeError as error:
                wrong = error.object[error.start : error.start + 1]
                line += error.object[: error.start].count(b"\n")
                raise ValueError(
                    f"{path}: line {line} is not {encoding}: byte {wrong!r} near offset {offset + error.start}; "
                    "say the encoding, such as encoding: latin-1 or cp1252"
                ) from error
            offset += len(data)


def _json_lines(written: Format, files: LocalFiles, path: str) -> pa.Table:
    parts = [_as_table(block, path) for block in _blocks(written, files.paths[0], path)]
    if not parts:
        raise ValueError(f'{path}: holds no rows; each line is an object, as in {{"age": 3, "label": "a"}}')
    names = list(dict.fromkeys(name for part in parts for name in part.column_names))
    return pa.table({name: _unified([part, name] for part in parts) for name in names})


def _blocks(written: Format, file: Path, path: str) -> Iterator[list[dict[str, Any]]]:
    block: list[dict[str, Any]] = []
    try:
        with file.open(encoding=written.encoding) as opened:
            for number, line in enumerate(iter(lambda: opened.readline(LONGEST), ""), start=1):
                if not line.strip():
                    continue
                if len(line) >= LONGEST:
                    raise ValueError(f"{path}: line {number} is longer than {LONGEST:,} characters")
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise ValueError(f"{path}: line {number} is no JSON: {error}: {line[:80]!r}") from error
                if not isinstance(row, dict):
                    raise ValueError(
                        f"{path}: line {number} must be an object with a value a column, however: {line[:80]!r}"
                    )
                for name, value in row.items():
                    if isinstance(value, list | dict):
                        raise ValueError(
                            f"{path}: line {number}: {name!r} must be one value, however: {str(value)[:80]}"
                        )
                block.append(row)
                if len(block) == _LINES:
                    yield block
                    block = []
    except UnicodeError:
        _refuse_encoding(file, path, written.encoding)
        raise
    if block:
        yield block


def _as_table(block: list[dict[str, Any]], path: str) -> pa.Table:
    names = list(dict.fromkeys(name for row in block for name in row))
    return pa.table({name: _array([row.get(name) for row in block]) for name in names})


def _array(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([as_category(value) for value in values], pa.string())


def _unified(parts: Any) -> pa.ChunkedArray:
    """The blocks' arrays with one type: whole numbers become numbers, and anything else words."""
    arrays = [
        part.column(name) if name in part.column_names else pa.chunked_array([pa.nulls(part.num_rows)])
        for part, name in parts
    ]
    types = {array.type for array in arrays} - {pa.null()}
    if types <= {pa.int64(), pa.float64()}:
        target = pa.null() if not types else pa.float64() if len(types) == 2 else types.pop()
    elif len(types) == 1:
        target = types.pop()
    else:
        target = pa.string()
    if target == pa.string():
        arrays = [
            pa.chunked_array([[as_category(value) for value in array.to_pylist()]], target)
            for array in arrays
        ]
    return pa.chunked_array([chunk for array in arrays for chunk in array.cast(target).chunks], target)
