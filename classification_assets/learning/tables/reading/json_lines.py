"""JSON Lines: an object a line, whose values have types, but not always the same ones."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from classification_assets.learning.tables.coercion import as_category
from classification_assets.learning.tables.reading import text_files as text
from classification_assets.learning.tables.reading.text_files import opened_text, refuse_encoding
from classification_assets.learning.tables.rows import Rows, spooled

if TYPE_CHECKING:
    from classification_assets.learning.tables.reading.file_format import Format

LINES = 2**15
"""That are turned into columns at one time."""


def objects_of(written: Format, file: Path, path: str) -> Rows:
    """The rows of a file in which each line is an object; a value that one leaves out is missing.

    Raises
    ------
    ValueError
        If a line is none; `path` is the file's name in messages.
    """
    types: dict[str, set[pa.DataType]] = {}
    with tempfile.TemporaryDirectory(prefix="classification-assets-") as folder:
        parts: list[Path] = []
        for block in _blocks(written, file, path):
            part = _as_table(block)
            for field in part.schema:
                types.setdefault(field.name, set()).add(field.type)
            # What types the columns have is known at the end only, and until then all may be too much to hold.
            parts.append(Path(folder) / f"{len(parts)}.parquet")
            pq.write_table(part, parts[-1], compression="none")
        if not parts:
            raise ValueError(
                f'{path}: holds no rows; each line is an object, as in {{"age": 3, "label": "a"}}'
            )
        schema = pa.schema([(name, _common(own)) for name, own in types.items()])
        return spooled((_conformed(pq.read_table(part), schema) for part in parts), schema)


def _blocks(written: Format, file: Path, path: str) -> Iterator[list[dict[str, Any]]]:
    block: list[dict[str, Any]] = []
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    try:
        with opened_text(file, written.encoding) as opened:
            for number, line in enumerate(iter(lambda: opened.readline(text.LONGEST), ""), start=1):
                if not line.strip():
                    continue
                if number == 1 and line.lstrip().startswith("["):
                    raise ValueError(
                        f"{path}: is one JSON array, and of JSON Lines each line is an object: {line[:80]!r}; pandas "
                        "writes them so (to_json(orient='records', lines=True))"
                    )
                if len(line) >= text.LONGEST:
                    raise ValueError(f"{path}: line {number} is longer than {text.LONGEST:,} characters")
                try:
                    row = decoder.decode(line)
                except _RepeatedKeyError as error:
                    raise ValueError(f"{path}: line {number}: {error}: {line[:80]!r}") from error
                except ValueError as error:
                    raise ValueError(f"{path}: line {number} is no JSON: {error}: {line[:80]!r}") from error
                if not isinstance(row, dict):
                    raise ValueError(
                        f"{path}: line {number} must be an object with a value a column, got {line[:80]!r}"
                    )
                for name, value in row.items():
                    if isinstance(value, list | dict):
                        raise ValueError(
                            f"{path}: line {number}: {name!r} must be one value, got {str(value)[:80]}"
                        )
                block.append(row)
                if len(block) == LINES:
                    yield block
                    block = []
    except UnicodeError:
        refuse_encoding(file, path, written.encoding)
        raise
    if block:
        yield block


class _RepeatedKeyError(ValueError):
    """A key is there more than once in an object."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _RepeatedKeyError(f"{twice!r} is there {names.count(twice)} times")
    return found


def _as_table(block: list[dict[str, Any]]) -> pa.Table:
    names = list(dict.fromkeys(name for row in block for name in row))
    return pa.table({name: _array([row.get(name) for row in block]) for name in names})


def _array(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        if all(value is None or type(value) in (int, float) for value in values):
            # Whole numbers too large for 64 bits, or for a where beside others; as in CSV.
            return pa.array([None if value is None else float(str(value)) for value in values], pa.float64())
        return pa.array([as_category(value) for value in values], pa.string())


def _common(types: set[pa.DataType]) -> pa.DataType:
    """The type of a column whose blocks are of these: whole numbers become numbers, and anything else words."""
    known = types - {pa.null()}
    if len(known) > 1:
        return pa.float64() if known == {pa.int64(), pa.float64()} else pa.string()
    return known.pop() if known else pa.null()


def _conformed(part: pa.Table, schema: pa.Schema) -> pa.RecordBatch:
    columns = []
    for field in schema:
        if field.name not in part.column_names:
            columns.append(pa.nulls(part.num_rows, field.type))
            continue
        column = part.column(field.name).combine_chunks()
        if field.type == pa.string() != column.type:
            column = pa.array([as_category(value) for value in column.to_pylist()], pa.string())
        columns.append(column.cast(field.type, safe=False))
    return pa.RecordBatch.from_arrays(columns, schema=schema)
