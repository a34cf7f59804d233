"""Rows of several tables as those of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from classification_assets.learning.tables.arrow_types import as_type, is_number
from classification_assets.learning.tables.rows import Rows


class JoinedRows(Rows):
    """Rows of several tables, one after the other; `places` names them in messages.

    They have the columns of the first that all have, and its types; where numbers, timestamps or categories are of
    another type elsewhere, one that holds both, and where the first has no value, the next one's.

    Raises
    ------
    ValueError
        When the rows are read, if a value does not become one of its column's type.
    """

    def __init__(self, parts: Sequence[Rows], places: Sequence[str]) -> None:
        self.parts, self.places = list(parts), list(places)
        first = parts[0].schema
        shared = [field for field in first if all(field.name in part.names for part in parts)]
        types = [_common([part.schema.field(own.name).type for part in parts]) for own in shared]
        self.schema = pa.schema(list(map(pa.Field.with_type, shared, types)), first.metadata)
        self.n_rows = sum(part.n_rows for part in parts)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        chosen = self.names if columns is None else list(columns)
        schema = pa.schema([self.schema.field(name) for name in chosen])
        for part, where in zip(self.parts, self.places, strict=True):
            first = 0
            for batch in part.batches(chosen):
                try:
                    typed = list(map(as_type, batch.columns, schema.types))
                except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                    raise ValueError(f"{where}: {self._disagreement(batch, first) or error}") from error
                yield pa.RecordBatch.from_arrays(typed, schema=schema)
                first += batch.num_rows

    def _disagreement(self, batch: pa.RecordBatch, first: int) -> str:
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            type = self.schema.field(name).type
            for row in range(len(values)):
                try:
                    as_type(values[row : row + 1], type)
                except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                    own = [part.schema.field(name).type for part in self.parts]
                    other = next(index for index, there in enumerate(own) if there != values.type)
                    return (
                        f"column {name!r} holds {values.type}, and {own[other]} in {self.places[other]}, which "
                        f"row {first + row} does not become: {str(values[row].as_py())[:80]!r}; "
                        "write both files alike"
                    )
        return ""


def _common(types: Sequence[pa.DataType]) -> pa.DataType:
    known = [type for type in types if not pa.types.is_null(type)] or list(types)
    if len(set(known)) > 1 and all(map(is_number, known)):
        return pa.int64() if all(map(pa.types.is_integer, known)) else pa.float64()
    if len(set(known)) > 1 and all(pa.types.is_date(type) or pa.types.is_timestamp(type) for type in known):
        return pa.timestamp("us")
    if len(set(known)) > 1 and pa.types.is_dictionary(known[0]):
        # A file's own may count no further than its categories.
        return pa.dictionary(pa.int32(), known[0].value_type)
    return known[0]
