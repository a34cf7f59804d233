"""The rows of a table, read in batches: in memory, or from Parquet files that may be larger than it."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from classification_assets.learning.tables.arrow_types import as_type
from classification_assets.learning.tables.column_reading import ReadColumn, says_missing
from classification_assets.learning.tables.labels import labels_of

BATCH = 2**16
"""Rows that are read at one time."""

HELD_BYTES = 2**24
"""Bytes of rows read from a text that are kept in memory, at most."""

DENSE_BYTES = 2**30
"""Bytes, at most, of a sparse table once its zeros are written out."""

# What most of Arrow's functions do not take, and what they do.
_PLAIN = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}


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
            parts.append(batch.take(pa.array(np.arange(start, batch.num_rows, step))))
            first += batch.num_rows
        return MemoryRows(pa.Table.from_batches(parts, self.schema))

    def frame(self) -> pd.DataFrame:
        """Everything at once, for a small table."""
        return pa.Table.from_batches(list(self.batches()), self.schema).to_pandas()


@dataclass(frozen=True)
class LoadedRows:
    """The result of reading a data set.

    Attributes
    ----------
    rows : Rows
    n_test : int
        The last rows, if they came from a file of their own that is the test fold.
    format, sha256 : str
        The format of the first file, and a hash of the content of all of them.
    fingerprint : str
        Of files elsewhere, taken before they were read: see `reading.fingerprint`.
    readings : dict
        Columns of words that were read as numbers or dates.
    notes : tuple of str
        What was unusual about a file, and how it was taken.
    """

    rows: Rows
    n_test: int = 0
    format: str = ""
    sha256: str = ""
    fingerprint: str = ""
    readings: dict[str, ReadColumn] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class MemoryRows(Rows):
    """Rows that are held in memory."""

    def __init__(self, table: pa.Table) -> None:
        self.table = _plain(table)
        self.schema, self.n_rows = self.table.schema, table.num_rows

    @classmethod
    def of(cls, frame: pd.DataFrame, where: str = "the frame") -> MemoryRows:
        """From a frame, whose columns' names become words, and whose sparse columns dense ones.

        Raises
        ------
        ValueError
            If a column holds values of several types, or sparse ones would take too much memory.
        """
        sparse = [type.subtype for type in frame.dtypes if isinstance(type, pd.SparseDtype)]
        refuse_large(len(frame) * sum(type.itemsize for type in sparse), (len(frame), len(sparse)))
        arrays = []
        for index, name in enumerate(frame.columns):
            try:
                column = frame.iloc[:, index]
                whole = column.sparse.to_dense() if isinstance(column.dtype, pd.SparseDtype) else column
                arrays.append(pa.Array.from_pandas(whole))
            except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
                if (found := _numbers_with_gaps(frame.iloc[:, index])) is not None:
                    arrays.append(found)
                    continue
                raise ValueError(
                    f"{where}: column {str(name)!r} holds values of several types, or of one that no table "
                    f"holds ({str(error).splitlines()[0]}); turn it into numbers or words, or leave it out"
                ) from error
        return cls(pa.Table.from_arrays(arrays, [str(name) for name in frame.columns]))

    @classmethod
    def of_any(cls, frame: Any, where: str) -> MemoryRows:
        """From a pandas or polars frame, or whatever else speaks Arrow, as a DuckDB relation does.

        Raises
        ------
        ValueError
            If it is none, or a column holds values of several types.
        """
        if isinstance(frame, pd.DataFrame):
            return cls.of(frame, where)
        import narwhals.stable.v2 as nw  # for tables of one's own only: importing it takes time

        try:
            if nw.dependencies.is_into_dataframe(frame):
                # Polars' own way gives types that all of Arrow's functions know, within its categories too.
                return cls(nw.from_native(frame, eager_only=True).to_arrow())
            if isinstance(frame, pa.RecordBatch) or hasattr(frame, "__arrow_c_stream__"):
                return cls(pa.table(frame))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ValueError(
                f"{where}: a {type(frame).__name__} does not become a table of numbers, words, truth values and "
                f"dates: {error}"
            ) from error
        lazy = nw.dependencies.is_into_lazyframe(frame)
        raise ValueError(
            f"{where}: a pandas or polars frame or an Arrow table is needed, got {type(frame).__name__}"
            + ("; it holds no rows yet: return what its collect() or compute() gives" if lazy else "")
        )

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        table = self.table if columns is None else self.table.select(list(columns))
        yield from table.to_batches(max_chunksize=BATCH)


def refuse_large(n_bytes: int, shape: tuple[int, int]) -> None:
    """Check that what was sparse, of a shape (N, D), can be held with every zero written out.

    Raises
    ------
    ValueError
        If it cannot.
    """
    if n_bytes > DENSE_BYTES:
        raise ValueError(
            f"a sparse table of {shape[0]:,} rows and {shape[1]:,} columns takes {n_bytes / 2**30:,.1f} GiB with its "
            f"zeros, and at most {DENSE_BYTES / 2**30:g} are taken; make fewer columns of it first, with TruncatedSVD, "
            "SelectKBest or the vectorizer's max_features, say"
        )


class ParquetRows(Rows):
    """Rows of Parquet files, one file after the other.

    Parameters
    ----------
    paths : sequence of paths
    unchanged : callable, optional
        Called at the end of each passage; raises if a file is no longer what it was.
    keeps : something that must live as long as the rows, such as a temporary folder
    schema : Schema, optional
        What the files' columns become; one that a file has not is missing in its rows. Default: that of the first.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        unchanged: Callable[[], None] | None = None,
        keeps: Any = None,
        schema: pa.Schema | None = None,
    ) -> None:
        self.paths, self.unchanged, self.keeps = list(paths), unchanged, keeps
        # One that stays open is read to its end even if another process replaces it meanwhile.
        self.held = _opened(self.paths[0]) if len(self.paths) == 1 else None
        self.schema = schema or _without_views(pq.read_schema(self.paths[0]))
        self.n_rows = sum(pq.read_metadata(path).num_rows for path in self.paths)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        chosen = self.names if columns is None else list(columns)
        schema = pa.schema([self.schema.field(name) for name in chosen], self.schema.metadata)
        for path in self.paths:
            try:
                file = self.held or _opened(path)
                there = [name for name in chosen if name in file.schema_arrow.names]
                for read in file.iter_batches(BATCH, columns=there):
                    yield _of_schema(read, schema)
            except (pa.ArrowException, OSError) as error:
                if self.unchanged is not None:
                    self.unchanged()
                raise ValueError(f"{path}: is damaged: {error}") from error
        if self.unchanged is not None:
            self.unchanged()


def _numbers_with_gaps(column: pd.Series) -> pa.Array | None:
    """Numbers among which words say that one is missing, as spreadsheets give them; None if a column holds others."""
    words = column.map(lambda value: isinstance(value, str))
    if not column[words].map(lambda word: says_missing(word.strip())).all():
        return None
    rest = column[~words].dropna()
    if not rest.map(lambda value: isinstance(value, Real) and not isinstance(value, bool)).all():
        return None
    return pa.Array.from_pandas(column.mask(words, None).astype("float64"))


def _of_schema(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a schema out of a batch, which may have them in another order, of other types, or not at all."""
    columns = []
    for own in schema:
        if own.name not in batch.schema.names:
            columns.append(pa.nulls(batch.num_rows, own.type))
            continue
        values = batch.column(own.name)
        if values.type != own.type:
            if pc.all(pc.is_null(values, nan_is_null=True)).as_py():
                values = pa.nulls(len(values), own.type)
            elif pa.types.is_dictionary(values.type):
                values = values.dictionary_decode()
            values = as_type(values, own.type)
        columns.append(values)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _plain(table: pa.Table) -> pa.Table:
    """The same values in types that Arrow's functions know, and none missing within a dictionary, where few look."""
    schema = _without_views(table.schema)
    if schema.types != table.schema.types:
        table = table.cast(schema)
    for index, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type) and any(part.dictionary.null_count for part in column.chunks):
            words = column.cast(column.type.value_type).dictionary_encode()
            table = table.set_column(index, table.field(index).with_type(words.type), words)
    return table


def _without_views(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_type(without_view(field.type)) for field in schema], schema.metadata)


def without_view(type: pa.DataType) -> pa.DataType:
    """The type of the same values that most of Arrow's functions take."""
    if pa.types.is_dictionary(type):
        return pa.dictionary(type.index_type, without_view(type.value_type), type.ordered)
    return _PLAIN.get(type, type)


def spooled(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Rows:
    """Batches that come once, to go through again: in memory, or if they are many, in a file for as long as needed."""
    batches, held, size = iter(batches), [], 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size > HELD_BYTES:
            return _filed(chain(held, batches), schema)
    return MemoryRows(pa.Table.from_batches(held, schema))


def _filed(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Rows:
    folder = tempfile.TemporaryDirectory(prefix="classification-assets-")
    path = Path(folder.name) / "rows.parquet"
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    with pq.ParquetWriter(path, schema, **options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return ParquetRows([path], keeps=folder)


def _opened(path: Path) -> pq.ParquetFile:
    # By default all that was read stays in memory until the file is closed, and a whole row group is read at once.
    return pq.ParquetFile(path, pre_buffer=False, buffer_size=2**18)


class LabelledRows(Rows):
    """The rows of a table whose label is there.

    Parameters
    ----------
    rows : Rows
    target : str
    n_rows : int
        How many have one.
    missing : sequence of str
        Words that say that there is none.
    """

    def __init__(self, rows: Rows, target: str, n_rows: int, missing: Sequence[str] = ()) -> None:
        self.rows, self.target, self.schema, self.n_rows = rows, target, rows.schema, n_rows
        self.missing = tuple(missing)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        chosen = self.names if columns is None else list(columns)
        for batch in self.rows.batches(list(dict.fromkeys([*chosen, self.target]))):
            there = pc.is_valid(labels_of(batch.column(self.target), self.missing))
            yield batch.filter(there).select(chosen)


def labelled(rows: Rows, target: str, missing: Sequence[str] = ()) -> Rows:
    """The same rows, or those with a label where some have none: see `labels_of`."""
    n_rows = sum(
        batch.num_rows - labels_of(batch.column(0), missing).null_count for batch in rows.batches([target])
    )
    return rows if n_rows == rows.n_rows else LabelledRows(rows, target, n_rows, missing)
