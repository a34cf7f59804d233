"""Tables, splits, evaluations and leaderboards as one Parquet file each, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from classification_assets.learning.artifacts.files import HEADER, ArtifactError, LocalCopy, header_of
from classification_assets.learning.evaluation.comparison import Comparison
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.leaderboard import Leaderboard
from classification_assets.learning.models.predictions import Predictions
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables import labels
from classification_assets.learning.tables.roles import Roles
from classification_assets.learning.tables.rows import BATCH, ParquetRows, Rows
from classification_assets.learning.tables.table import Table


def _write_parquet(frame: pd.DataFrame, header: dict[str, str], file: Path) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata((table.schema.metadata or {}) | header)
    pq.write_table(table, file, compression="zstd")


def write_table(value: Table, file: Path) -> None:
    header = header_of(
        "table",
        roles=value.roles.model_dump(mode="json"),
        source=value.source,
        n_test=value.n_test,
    )
    _write_rows(value.rows, header, file)


def write_predictions(value: Predictions, file: Path) -> None:
    _write_rows(value.rows, header_of("predictions", about=value.about), file)


def _write_rows(rows: Rows, header: dict[str, str], file: Path) -> None:
    batches = (batch.replace_schema_metadata(header) for batch in rows.batches())
    _write_batches(batches, rows.schema.with_metadata(header), file)


def write_split(value: Split, file: Path) -> None:
    columns: dict[str, np.ndarray] = {"__fold__": value.fold, "__label__": value.y}
    optional = {"__weight__": value.weight, "__group__": value.group, "__moment__": value.timestamp}
    columns |= {name: column for name, column in optional.items() if column is not None}
    names = [*columns, *value.preprocessing.names]
    header = header_of(
        "split",
        classes=labels.to_json(value.classes),
        preprocessing=value.preprocessing.model_dump(mode="json"),
        source=value.source,
    )

    def batch(start: int) -> pa.RecordBatch:
        part = slice(start, start + BATCH)
        arrays = [column[part] for column in columns.values()] + list(np.ascontiguousarray(value.X[part].T))
        return pa.RecordBatch.from_arrays([pa.array(array) for array in arrays], names, metadata=header)

    starts = range(0, max(len(value.y), 1), BATCH)
    _write_batches((batch(start) for start in starts), batch(0).schema, file)


def _write_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema, file: Path) -> None:
    """A row group a batch, so that no more than one is ever in memory."""
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def write_evaluation(value: Evaluation, file: Path) -> None:
    about = value.about | {"classes": labels.to_json(value.about["classes"])}
    header = header_of("evaluation", metrics=_as_json(value.metrics), about=about)
    _write_parquet(value.rows, header, file)


def write_leaderboard(value: Leaderboard, file: Path) -> None:
    header = header_of("leaderboard", differences=_as_json(value.differences), metric=value.metric)
    _write_parquet(value.board, header, file)


def write_comparison(value: Comparison, file: Path) -> None:
    _write_parquet(value.board, header_of("comparison", ranks=_as_json(value.ranks), about=value.about), file)


def _as_json(frame: pd.DataFrame) -> dict[str, Any]:
    return json.loads(frame.to_json(orient="split", index=False, double_precision=15))


def _from_json(content: dict[str, Any], *texts: str) -> pd.DataFrame:
    """A frame of numbers but for the columns that are text."""
    columns = content["columns"]
    frame = pd.DataFrame(content["data"], columns=columns)
    return frame.astype({name: float for name in columns if name not in texts})


def write_frame(value: pd.DataFrame, file: Path) -> None:
    _write_parquet(value, header_of("frame"), file)


def read_parquet(place: UPath) -> Any:  # noqa: PLR0911 (one a format)
    local = LocalCopy(place)
    metadata = pq.read_schema(local.path).metadata or {}
    header = json.loads(metadata[HEADER.encode()])
    match header["format"]:
        case "table":
            roles = Roles.model_validate(header["roles"])
            return Table(ParquetRows([local.path], keeps=local), roles, header["source"], header["n_test"])
        case "split":
            return _read_split(ParquetRows([local.path]), header)
        case "predictions":
            return Predictions(ParquetRows([local.path], keeps=local), header["about"])
        case "evaluation":
            metrics = _from_json(header["metrics"], "fold", "scope", "class", "metric")
            about = header["about"] | {"classes": labels.from_json(header["about"]["classes"])}
            return Evaluation(_frame(local), metrics, about)
        case "leaderboard":
            differences = _from_json(header["differences"], "metric", "first", "second", "better")
            return Leaderboard(_frame(local), differences, header["metric"])
        case "comparison":
            return Comparison(_frame(local), _from_json(header["ranks"], "architecture"), header["about"])
        case "frame":
            return _frame(local)
        case other:
            raise ArtifactError(
                f"{place}: unknown format {other!r}; a newer version of the project may read it"
            )


def _frame(local: LocalCopy) -> pd.DataFrame:
    return pq.read_table(local.path).to_pandas()


def _read_split(rows: ParquetRows, header: dict[str, Any]) -> Split:
    preprocessing = Preprocessing.model_validate(header["preprocessing"])
    N, names = rows.n_rows, preprocessing.names
    # Filled in place: a second copy of a large table would not fit.
    X = np.empty((N, len(names)), np.float32)
    y, fold = np.empty(N, np.int64), np.empty(N, np.int8)
    types = {"__weight__": np.float32, "__group__": np.int64, "__moment__": np.int64}
    optional = {name: np.empty(N, type) for name, type in types.items() if name in rows.names}
    first = 0
    for batch in rows.batches():
        part = slice(first, first + batch.num_rows)
        for place, name in enumerate(names):
            X[part, place] = batch.column(name)
        y[part], fold[part] = batch.column("__label__"), batch.column("__fold__")
        for name, column in optional.items():
            column[part] = batch.column(name)
        first += batch.num_rows
    classes = labels.from_json(header["classes"])
    weight, group, timestamp = (optional.get(name) for name in types)
    return Split(X, y, fold, weight, classes, preprocessing, header["source"], group, timestamp)
