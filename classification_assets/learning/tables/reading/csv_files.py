"""CSV and TSV: rows of words, which have no type yet."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from classification_assets.learning.tables.reading import text_files as text
from classification_assets.learning.tables.reading.text_files import (
    opened_text,
    refuse_binary,
    refuse_encoding,
    refuse_twins,
)
from classification_assets.learning.tables.reading.type_inference import without_missing
from classification_assets.learning.tables.rows import Rows, spooled

if TYPE_CHECKING:
    from classification_assets.learning.tables.reading.file_format import Format


def words_of(
    written: Format,
    file: Path,
    path: str,
    format: str,
    target: str | None = None,
    said: set[str] | None = None,
) -> Rows:
    """All values of a file as words, without the spaces around them; those that say so are missing.

    In the `target` an empty word alone does: of another it is known later whether it is a class, see
    `label_words.without_labels`. The words that were taken as missing elsewhere are added to `said`.

    Raises
    ------
    ValueError
        If it is no such table; `path` is its name in messages.
    """
    separator = written.separator or ("\t" if format == "tsv" else ",")
    if separator == written.decimal == ",":
        raise ValueError(
            f"{path}: a comma cannot stand between values and before a fraction; say what really does "
            "(separator: ';', or decimal: '.')"
        )
    refuse_binary(file, path, written.encoding)
    names = _header(file, written, path, separator)
    schema = pa.schema([(name, pa.string()) for name in names])
    batches = _batches(written, file, path, format, separator, schema)
    return spooled(_missing(batches, written.missing, target, set() if said is None else said), schema)


def _missing(
    batches: Iterator[pa.RecordBatch], missing: Sequence[str], target: str | None, said: set[str]
) -> Iterator[pa.RecordBatch]:
    """Batches of words without the blanks around them, null where they are missing."""
    for batch in batches:
        columns = []
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            found = without_missing(column, () if name == target else missing)
            columns.append(found)
            if target is not None and name != target and found.null_count:
                gaps = pc.unique(pc.utf8_trim_whitespace(column.filter(pc.is_null(found))))
                said.update(gaps.to_pylist())
        yield pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _batches(
    written: Format, file: Path, path: str, format: str, separator: str, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    ragged: list[Any] = []

    def keep(row: Any) -> str:
        ragged.append(row)
        return "error"

    try:
        reader = pa.csv.open_csv(
            file,
            pa.csv.ReadOptions(
                # In one thread: only then does Arrow know the number of a row with too few values.
                use_threads=False,
                block_size=text.LONGEST,
                encoding=written.encoding,
                column_names=schema.names,
                skip_rows_after_names=1,
            ),
            pa.csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=keep),
            pa.csv.ConvertOptions(column_types=schema, strings_can_be_null=False, check_utf8=True),
        )
        yield from reader
    except (pa.ArrowInvalid, UnicodeError) as error:
        if ragged:
            row = ragged[0]
            line = f"line {row.number}" if row.number else "a line"
            advice = (
                f"a value that holds {separator!r} must be quoted"
                if row.actual_columns > row.expected_columns
                else f"a value that is missing needs its {separator!r} too; or is the line cut off?"
            )
            raise ValueError(
                f"{path}: {line} has {row.actual_columns} values, the header {row.expected_columns}: "
                f"{row.text[:80]!r}; {advice}"
            ) from error
        refuse_encoding(file, path, written.encoding)
        if "straddling" in str(error) or "try to increase block size" in str(error):
            raise ValueError(
                f"{path}: a row is longer than {text.LONGEST:,} bytes; is a quotation mark not closed?"
            ) from error
        raise ValueError(f"{path}: is no table of {format.upper()}: {error}") from error


def _header(file: Path, written: Format, path: str, separator: str) -> list[str]:
    try:
        with opened_text(file, written.encoding, newline="") as opened:
            line = next(csv.reader(iter(lambda: opened.readline(text.LONGEST), ""), delimiter=separator), [])
            empty = all(
                not rest.strip() for rest in iter(lambda: opened.readline(text.LONGEST), "")
            ) and bool(line)
    except UnicodeError:
        refuse_encoding(file, path, written.encoding)
        raise
    except csv.Error as error:
        raise ValueError(f"{path}: the header cannot be read: {error}") from error
    names = [name.strip() for name in line]
    if not any(names):
        raise ValueError(f"{path}: the first line must hold the columns' names, but it is empty")
    if names[0].lower().startswith("sep="):
        raise ValueError(
            f"{path}: the first line must hold the columns' names, got {separator.join(names)!r}, which only "
            "Excel reads; leave that line out"
        )
    if "" in names:
        advice = ""
        if not names[0]:
            advice = " (as pandas writes its index; to_csv(index=False) leaves it out)"
        elif names.index("") == len(names) - 1:
            advice = f" (does every line end with {separator!r}? leave it out)"
        raise ValueError(
            f"{path}: every column needs a name, but column {names.index('') + 1} has none{advice}"
        )
    refuse_twins(names, path)
    if empty:
        raise ValueError(f"{path}: there is a header, but no rows below it")
    if len(names) == 1:
        for other in (";", "\t", ",", "|"):
            if other in names[0]:
                raise ValueError(
                    f"{path}: the header is one column, {names[0][:80]!r}; perhaps separator: {other!r} is right"
                )
    return names
