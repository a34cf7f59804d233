"""Words of a column that is known to hold numbers or dates, as these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classification_assets.learning.tables.arrow_types import is_words
from classification_assets.learning.tables.column_reading import ColumnReading
from classification_assets.learning.tables.date_words import date_word
from classification_assets.learning.tables.number_words import MONEY, SCALES, number_word, whole_unit
from classification_assets.learning.tables.rows import MemoryRows, Rows, spooled


class UnreadableWordError(ValueError):
    """A word is not written as those of its column are."""


def read_words(values: pa.Array, reading: ColumnReading, name: str, first: int = 0) -> pa.Array:
    """Words (N,) as float64 or timestamps, null where they say that the value is missing; other values as they are.

    Raises
    ------
    UnreadableWordError
        If a word is none: the message names column, row (counted from `first`) and value.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if not is_words(values.type):
        return values
    encoded = values.dictionary_encode()
    found: list[Any] = []
    for index, word in enumerate(encoded.dictionary.to_pylist()):
        try:
            found.append(_value(word.strip(), reading))
        except ValueError as error:
            row = first + pc.index(encoded.indices, pa.scalar(index, encoded.indices.type)).as_py()
            advice = "" if error.args[0] is None else f" ({error.args[0]})"
            raise UnreadableWordError(
                f"column {name!r} holds {reading.words}, but not in row {row}: {word[:80]!r}{advice}; correct it, or "
                "leave it empty if it is not known"
            ) from error
    type = pa.float64() if reading.kind == "numeric" else pa.timestamp("us")
    return pa.array(found, type).take(encoded.indices)


def converted_rows(rows: Rows, readings: Mapping[str, ColumnReading]) -> Rows:
    """Rows with the words of some columns read as they are to be."""
    names = [name for name in readings if is_words(rows.schema.field(name).type)]
    if not names:
        return rows
    fields = [
        field.with_type(type_of_reading(readings[field.name])) if field.name in names else field
        for field in rows.schema
    ]
    schema = pa.schema(fields)

    def batches() -> Iterator[pa.RecordBatch]:
        first = 0
        for batch in rows.batches():
            columns = [
                read_words(column, readings[field.name], field.name, first) if field.name in names else column
                for field, column in zip(schema, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
            first += batch.num_rows

    if isinstance(rows, MemoryRows):
        return MemoryRows(pa.Table.from_batches(batches(), schema))
    return spooled(batches(), schema)


def type_of_reading(reading: ColumnReading) -> pa.DataType:
    """The type of what `read_words` gives."""
    return pa.float64() if reading.kind == "numeric" else pa.timestamp("us")


def _value(word: str, reading: ColumnReading) -> Any:
    """The number or timestamp that a word is, None if it is missing; a ValueError, perhaps with a reason, if none."""
    if reading.is_missing(word):
        return None
    if reading.kind == "date":
        date = date_word(word, reading.compact)
        timestamp = None if date is None else date.timestamp(reading.day_first)
        if timestamp is None:
            raise ValueError(None)
        return np.datetime64(timestamp, "us")
    number = number_word(word, reading.decimal)
    if number is None:
        raise ValueError(None)
    unit, scale = (
        (number.unit, SCALES.get(number.scale, 1.0)) if reading.scaled else (whole_unit(number), 1.0)
    )
    if unit != reading.unit and (unit or not (reading.unit in MONEY or number.value == 0)):
        raise ValueError(f"in {unit}" if unit else f"without {reading.unit}")
    if number.comma == "perhaps" and not reading.thousands:
        raise ValueError("its comma may stand between thousands or before a fraction")
    return number.value * scale
