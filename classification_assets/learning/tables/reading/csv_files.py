"""CSV and TSV: rows of words, which have no type yet."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from classification_assets.learning.tables.reading import text_files as text
from classification_assets.learning.tables.reading.csv_shape import Shape, lines_of, shape_of, uncommented
from classification_assets.learning.tables.reading.label_words import Gaps
from classification_assets.learning.tables.reading.text_files import refuse_binary, refuse_encoding
from classification_assets.learning.tables.rows import Rows, spooled

if TYPE_CHECKING:
    from classification_assets.learning.tables.reading.file_format import Format


def words_of(
    written: Format, file: Path, path: str, format: str, gaps: Gaps | None = None
) -> tuple[Rows, tuple[str, ...]]:
    """All values of a file as words, without the spaces around them; and what is unusual about its lines, in words.

    Values that say so are missing: see `Gaps`.

    Raises
    ------
    ValueError
        If it is no such table; `path` is its name in messages.
    """
    separator = separator_of(written, format)
    if separator == written.decimal == ",":
        raise ValueError(
            f"{path}: a comma cannot stand between values and before a fraction; say what really does "
            "(separator: ';', or decimal: '.')"
        )
    refuse_binary(file, path, written.encoding)
    shape = shape_of(file, written, path, separator)
    schema = pa.schema([(name, pa.string()) for name in shape.names])
    with tempfile.TemporaryDirectory(prefix="classification-assets-") as folder:
        plain = uncommented(file, written, Path(folder) / "plain")
        batches = _batches(
            written, plain, path, format, separator, shape, schema, gaps or Gaps(written.missing)
        )
        rows = spooled(batches, schema)
    return rows, shape.notes


def separator_of(written: Format, format: str) -> str:
    """The character between values."""
    return written.separator or ("\t" if format == "tsv" else ",")


def _batches(
    written: Format,
    file: Path,
    path: str,
    format: str,
    separator: str,
    shape: Shape,
    schema: pa.Schema,
    gaps: Gaps,
) -> Iterator[pa.RecordBatch]:
    ragged: list[Any] = []
    names = [*shape.names, *(f"__surplus_{number}__" for number in range(shape.surplus))]

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
                column_names=names,
                skip_rows=shape.skipped,
                skip_rows_after_names=int(shape.header),
            ),
            pa.csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=keep),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=True
            ),
        )
        for batch in reader:
            columns = list(map(gaps.without, names, batch.columns))
            if any(column.null_count < len(column) for column in columns[len(schema) :]):
                raise ValueError(
                    f"{path}: lines end with {separator!r}, but in some a value stands behind it: "
                    f"{_behind(columns, len(schema))!r}; give it a column with a name, or leave it out"
                )
            yield pa.RecordBatch.from_arrays(columns[: len(schema)], schema=schema)
    except (pa.ArrowInvalid, UnicodeError) as error:
        if ragged:
            raise ValueError(f"{path}: {_told(ragged[0], written, file, separator, shape)}") from error
        refuse_encoding(file, path, written.encoding)
        if "straddling" in str(error) or "try to increase block size" in str(error):
            raise ValueError(
                f"{path}: a row is longer than {text.LONGEST:,} bytes; is a quotation mark not closed?"
            ) from error
        raise ValueError(f"{path}: is no table of {format.upper()}: {error}") from error


def _behind(columns: Sequence[pa.Array], width: int) -> str:
    return next(str(value) for column in columns[width:] for value in column.drop_null().to_pylist())[:80]


def _told(row: Any, written: Format, file: Path, separator: str, shape: Shape) -> str:
    """The mistake in a row of too many or too few values, and what to do about it."""
    expected = row.expected_columns
    # Arrow does not count empty lines.
    found = (
        line
        for line in lines_of(file, written, separator)
        if line.number > shape.skipped + shape.header and len(line.values) != expected
    )
    wrong = next(found, None)
    number = wrong.number if wrong is not None else row.number
    line = f"line {number}" if number else "a line"
    whole = "the header" if shape.header else "the first line"
    told = f"{line} has {row.actual_columns} values, {whole} {expected}: {row.text[:80]!r}; "
    if row.text.startswith("#"):
        return f"{told}if it is a comment, say so (comment: '#')"
    if row.actual_columns < expected:
        return f"{told}a value that is missing needs its {separator!r} too; or is the line cut off?"
    values = [] if wrong is None else wrong.values
    if not any(values[expected:]):
        return f"{told}some lines end with {separator!r}, others do not, or a value stands there: write all alike"
    advice = f"a value that holds {separator!r} must be quoted"
    if shape.header and number == shape.skipped + 2:
        advice += (
            f"; or if line {shape.skipped + 1}, {separator.join(shape.names)[:80]!r}, is no header, say how many lines "
            f"stand before it (skip_rows: {shape.skipped + 1}), or that there is none (header: false)"
        )
    return told + advice
