"""Rows as a person hands them over, an array or a frame of any library, as numbers or as Arrow columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from numbers import Number
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
from scipy import sparse

from classification_assets.learning.tables.coercion import as_numbers
from classification_assets.learning.tables.rows import MemoryRows, refuse_large

InputRows: TypeAlias = np.ndarray | pa.Table
"""Numbers (N, D) float32, NaN where missing, or N rows of D columns of any kinds."""


def is_frame(X: Any) -> bool:
    """Whether X is a frame of pandas, polars, PyArrow or another library that narwhals knows."""
    return nw.dependencies.is_into_dataframe(X)


def at_hand(X: Any) -> Any:
    """X itself; where it is Arrow's batches, a reader of them or a DuckDB relation, the table that it holds.

    Raises
    ------
    TypeError
        If X is a frame whose rows are still to be computed.
    """
    if isinstance(X, np.ndarray) or is_frame(X) or nw.dependencies.is_into_series(X):
        return X
    if nw.dependencies.is_duckdb_relation(X):
        return X.to_arrow_table()
    if isinstance(X, pa.RecordBatch | pa.RecordBatchReader):
        return pa.table(X)
    if nw.dependencies.is_into_lazyframe(X) or isinstance(
        X, pyarrow.dataset.Dataset | pyarrow.dataset.Scanner
    ):
        calls = ("toPandas", "compute", "to_table", "to_pandas", "collect")
        call = next((name for name in calls if hasattr(X, name)), "collect")
        raise TypeError(f"a lazy frame holds no rows yet; hand over what X.{call}() gives")
    if hasattr(X, "__arrow_c_stream__"):
        return pa.table(X)
    return X


def heading(X: Any) -> pd.DataFrame:
    """A frame's columns without their rows, as a frame of pandas, which every scikit-learn knows."""
    return (
        X[:0]
        if isinstance(X, pd.DataFrame)
        else pd.DataFrame(columns=nw.from_native(X, eager_only=True).columns)
    )


def numbered(n_columns: int) -> list[str]:
    """Names of columns that have none."""
    return [f"x{where + 1}" for where in range(n_columns)]


def given(X: Any, names: Sequence[str]) -> InputRows:
    """A frame or array (N, D) under these D names.

    Raises
    ------
    ValueError
        If two columns have one name, a number is infinite, or a column holds values of several types.
    TypeError
        If a value is neither a word, a number, a truth value nor a date.
    """
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(f"columns must have different names, but {twice[0]!r} is there more than once")
    if is_frame(X):
        table = _of_pandas(X) if isinstance(X, pd.DataFrame) else _of_another(X)
        return table.rename_columns(list(names))
    if X.dtype.kind in "fiub":
        return as_numbers(X, names, missing=True)
    return _of_pandas(pd.DataFrame(X, columns=list(names)).infer_objects())


def with_columns(X: Any, names: Sequence[str]) -> Any:
    """The columns of these names of a frame, in the frame's order; the frame itself if one is not there."""
    frame, wanted = nw.from_native(X, eager_only=True), set(names)
    if not wanted < set(frame.columns):
        return X
    return frame.select([name for name in frame.columns if name in wanted]).to_native()


def dense(X: Any) -> np.ndarray:
    """The numbers of a sparse matrix (N, D), float32: a network reads every column of a row.

    Raises
    ------
    ValueError
        If they would take too much memory.
    """
    refuse_large(4 * X.shape[0] * X.shape[1], X.shape)
    with np.errstate(over="ignore"):
        found = sparse.csr_array(X).astype(np.float32).toarray()
    return found


def _of_another(X: Any) -> pa.Table:
    return MemoryRows(nw.from_native(X, eager_only=True).to_arrow()).table


def _of_pandas(frame: pd.DataFrame) -> pa.Table:
    try:
        return MemoryRows.of(frame, "X").table
    except ValueError:
        _refuse_objects(frame)
        raise


def _refuse_objects(frame: pd.DataFrame) -> None:
    for index, name in enumerate(frame.columns):
        for row, value in enumerate(frame.iloc[:, index]):
            if not (value is None or value is pd.NA or isinstance(value, str | Number | np.generic | date)):
                raise TypeError(
                    f"column {str(name)!r}, row {row}: an argument must be a string or a number (or true, false, "
                    f"a date), not {type(value).__name__!r}"
                )
