"""The rows of a table, read in batches: in memory, or from Parquet files that may be larger than it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

BATCH = 2**16
"""Rows that are read at one time."""


class Rows(ABC):
    """Typed columns and how to go through them."""

    schema: pa.Schema
    n_rows: int

    @abstractmethod
    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows in order, some of the columns, at most `BATCH` rows at one time."""

    @property
    def names(self) -> list[str]:
        return list(self.schema.names)

    def column(self, name: str) -> pa.Array:
        """One whole column, (N,)."""
        parts = [batch.column(0) for batch in self.batches([name])]
        joined = pa.chunked_array(parts, self.schema.field(name).type)
        return joined.combine_chunks() if joined.num_chunks != 1 else joined.chunk(0)

    def sample(self, most: int) -> MemoryRows:
        """At most so many rows, evenly spaced."""
        step, first, parts = -(-self.n_rows // most) or 1, 0, []
        for batch in self.batches():
            start = -first % step
            parts.append(batch.take(pa.array(range(start, batch.num_rows, step))))
            first += batch.num_rows
        return MemoryRows(pa.Table.from_batches(parts, self.schema))

    def frame(self) -> pd.DataFrame:
        """Everything at once, for a small table."""
        return pa.Table.from_batches(list(self.batches()), self.schema).to_pandas()


class MemoryRows(Rows):
    """Rows that are held in memory."""

    def __init__(self, table: pa.Table) -> None:
        self.table, self.schema, self.n_rows = table, table.schema, table.num_rows

    @classmethod
    def of(cls, frame: pd.DataFrame, place: str = "the frame") -> MemoryRows:
        """From a frame, whose columns' names become words.

        Raises
        ------
        ValueError
            If a column holds values of several types.
        """
        arrays = []
        for index, name in enumerate(frame.columns):
            try:
                arrays.append(pa.Array.from_pandas(frame.iloc[:, index]))
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise ValueError(
                    f"{place}: column {str(name)!r} holds values of several types, or of one that no table "
                    f"holds ({str(error).splitlines()[0]}); turn it into numbers or words, or leave it out"
                ) from error
        return cls(pa.Table.from_arrays(arrays, [str(name) for name in frame.columns]))

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        table = self.table if columns is None else self.table.select(list(columns))
        yield from table.to_batches(max_chunksize=BATCH)


class ParquetRows(Rows):
    """Rows of Parquet files of one schema, one file after the other.

    Parameters
    ----------
    paths : sequence of paths
    keeps : something that must live as long as the rows, such as a temporary folder
    """

    def __init__(self, paths: Sequence[Path], keeps: Any = None) -> None:
        self.paths, self.keeps = list(paths), keeps
        # One that stays open is read to its end even if another process replaces it meanwhile.
        self.held = pq.ParquetFile(self.paths[0]) if len(self.paths) == 1 else None
        self.schema = pq.read_schema(self.paths[0])
        self.n_rows = sum(pq.read_metadata(path).num_rows for path in self.paths)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        chosen = self.names if columns is None else list(columns)
        for path in self.paths:
            file = self.held or pq.ParquetFile(path)
            for batch in file.iter_batches(BATCH, columns=chosen):
                yield batch.select(chosen)
