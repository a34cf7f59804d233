"""Tables, splits, evaluations and leaderboards as one Parquet file each, and back."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from classification_assets.learning.artifacts.checksum import refuse_damaged
from classification_assets.learning.artifacts.files import HEADER, ArtifactError, LocalCopy, header_of
from classification_assets.learning.artifacts.origin import Origin
from classification_assets.learning.artifacts.parquet_frames import (
    frame_from_json,
    frame_to_json,
    read_frame,
    write_batches,
    write_headed_frame,
)
from classification_assets.learning.artifacts.sweep_file import read_sweep
from classification_assets.learning.evaluation.comparison import Comparison
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.leaderboard import Leaderboard
from classification_assets.learning.evaluation.surface import TINY, Surfaces
from classification_assets.learning.evaluation.view import View
from classification_assets.learning.models.predictions import Predictions
from classification_assets.learning.preparation.fold_memory import FoldMemory, RowIdentity, label_keys
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables import labels
from classification_assets.learning.tables.roles import Roles
from classification_assets.learning.tables.rows import BATCH, ParquetRows, Rows
from classification_assets.learning.tables.source import Source
from classification_assets.learning.tables.table import Table

if TYPE_CHECKING:
    from classification_assets.learning.drift.drift import Drift


def write_table(value: Table, file: Path, origin: Origin | None = None) -> str:
    header = header_of(
        "table",
        roles=value.roles.model_dump(mode="json"),
        source=value.source.model_dump(mode="json"),
        n_test=value.n_test,
    )
    return _write_rows(value.rows, header, file, origin)


def write_predictions(value: Predictions, file: Path, origin: Origin | None = None) -> str:
    return _write_rows(value.rows, header_of("predictions", about=value.about), file, origin)


def write_split(value: Split, file: Path, origin: Origin | None = None) -> str:
    columns: dict[str, np.ndarray] = {"__fold__": value.fold, "__label__": value.y}
    optional = {
        "__weight__": value.weight,
        "__group__": value.group,
        "__moment__": value.timestamp,
        "__key__": value.keys,
        "__group_key__": value.group_keys,
    }
    columns |= {name: column for name, column in optional.items() if column is not None}
    names = [*columns, *value.preprocessing.names]
    header = header_of(
        "split",
        classes=labels.to_json(value.classes),
        preprocessing=value.preprocessing.model_dump(mode="json"),
        source=value.source.model_dump(mode="json"),
        **_memory_header(value),
    )

    def batch(start: int) -> pa.RecordBatch:
        part = slice(start, start + BATCH)
        arrays = [column[part] for column in columns.values()] + list(np.ascontiguousarray(value.X[part].T))
        return pa.RecordBatch.from_arrays([pa.array(array) for array in arrays], names, metadata=header)

    starts = range(0, max(len(value.y), 1), BATCH)
    return write_batches((batch(start) for start in starts), batch(0).schema, file, origin)


def write_evaluation(value: Evaluation, file: Path, origin: Origin | None = None) -> str:
    about = value.about | {"classes": labels.to_json(value.about["classes"])}
    header = header_of("evaluation", metrics=frame_to_json(value.metrics), about=about)
    return write_headed_frame(value.rows, header, file, origin)


def write_surfaces(value: Surfaces, file: Path, origin: Origin | None = None) -> str:
    """Logarithms of probabilities over the largest one, as float16: exact to a 5000th, and who wins, however closely.

    Such pictures are interpolated to a 200th.
    """
    P, R, _, C = value.probabilities.shape
    header = header_of("surfaces", view=value.view.model_dump(mode="json"), shape=[P, R, R, C])
    logs = np.log(np.maximum(value.probabilities.reshape(-1, C), TINY))
    logs -= logs.max(1, keepdims=True)
    columns = {f"log_p_{index}": column for index, column in enumerate(logs.T)}
    columns["disagreement"] = value.disagreement.ravel()
    halves = [pa.array(np.ascontiguousarray(column, np.float16)) for column in columns.values()]
    table = pa.table(halves, list(columns), metadata=header)
    # Bytes of one kind side by side: on a smooth surface those with the exponent hardly change.
    smooth: dict[str, Any] = {"use_dictionary": False, "use_byte_stream_split": True, "compression_level": 9}
    return write_batches([table], table.schema, file, origin, **smooth)


def write_leaderboard(value: Leaderboard, file: Path, origin: Origin | None = None) -> str:
    note = {"note": value.note} if value.note else {}
    header = header_of(
        "leaderboard", differences=frame_to_json(value.differences), metric=value.metric, **note
    )
    return write_headed_frame(value.board, header, file, origin)


def write_comparison(value: Comparison, file: Path, origin: Origin | None = None) -> str:
    header = header_of("comparison", ranks=frame_to_json(value.ranks), about=value.about)
    return write_headed_frame(value.board, header, file, origin)


def write_drift(value: Drift, file: Path, origin: Origin | None = None) -> str:
    header = header_of("drift", rows=[value.n_reference, value.n_current], note=value.note)
    return write_headed_frame(value.tests, header, file, origin)


def write_frame(value: pd.DataFrame, file: Path, origin: Origin | None = None) -> str:
    return write_headed_frame(value, header_of("frame"), file, origin)


def _write_rows(rows: Rows, header: dict[str, str], file: Path, origin: Origin | None) -> str:
    batches = (batch.replace_schema_metadata(header) for batch in rows.batches())
    return write_batches(batches, rows.schema.with_metadata(header), file, origin)


def _memory_header(value: Split) -> dict[str, Any]:
    """The part of a split's header by which its rows are known again."""
    if value.identity is None or value.folds is None:
        return {"identity": value.identity.model_dump(mode="json")} if value.identity is not None else {}
    told = {
        "identity": value.identity.model_dump(mode="json"),
        "folds": value.folds.model_dump(mode="json"),
    }
    if value.gone is None:
        return told
    arrays = {"keys": value.gone.keys, "labels": value.gone.labels, "fold": value.gone.fold}
    arrays |= {} if value.gone.groups is None else {"groups": value.gone.groups}
    return told | {
        "gone": {name: base64.b64encode(array.tobytes()).decode() for name, array in arrays.items()}
    }


def read_parquet(path: UPath) -> Any:
    """The artifact in a Parquet file, never half of one and half of another that was published meanwhile."""
    local = LocalCopy(path)
    while True:
        before = os.stat(local.path)
        refuse_damaged(local.path, path)
        value = _read_as_it_is(path, local)
        after = os.stat(local.path)
        if (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns):
            return value


def _read_as_it_is(path: UPath, local: LocalCopy) -> Any:  # noqa: PLR0911 (one a format)
    header = json.loads((pq.read_metadata(local.path).metadata or {})[HEADER.encode()])
    match header["format"]:
        case "table":
            roles = Roles.model_validate(header["roles"])
            return Table(
                ParquetRows([local.path], keeps=local),
                roles,
                Source.model_validate(header["source"]),
                header["n_test"],
            )
        case "split":
            return _read_split(ParquetRows([local.path]), header)
        case "predictions":
            return Predictions(ParquetRows([local.path], keeps=local), header["about"])
        case "evaluation":
            metrics = frame_from_json(header["metrics"], "fold", "scope", "class", "metric")
            about = header["about"] | {"classes": labels.from_json(header["about"]["classes"])}
            return Evaluation(read_frame(local), metrics, about)
        case "surfaces":
            return _read_surfaces(read_frame(local), header)
        case "leaderboard":
            differences = frame_from_json(header["differences"], "metric", "first", "second", "better")
            return Leaderboard(read_frame(local), differences, header["metric"], header.get("note", ""))
        case "comparison":
            return Comparison(
                read_frame(local), frame_from_json(header["ranks"], "architecture"), header["about"]
            )
        case "drift":
            n_reference, n_current = header["rows"]
            from classification_assets.learning.drift.drift import Drift

            return Drift(read_frame(local), n_reference, n_current, header["note"])
        case "sweep":
            return read_sweep(local, header)
        case "frame":
            return read_frame(local)
        case other:
            raise ArtifactError(
                f"{path}: unknown format {other!r}; a newer version of the project may read it"
            )


def _read_surfaces(frame: pd.DataFrame, header: dict[str, Any]) -> Surfaces:
    shape = header["shape"]
    *columns, apart = frame.columns
    p = frame[columns].to_numpy(np.float32)
    if columns[0] == "log_p_0":  # else an earlier version's, of probabilities themselves
        p = np.exp(p)
        p /= p.sum(1, keepdims=True)
    apart = frame[apart].to_numpy(np.float32).reshape(shape[:-1])
    return Surfaces(p.reshape(shape), apart, View.model_validate(header["view"]))


def read_memory(path: UPath) -> FoldMemory | None:
    """How a stored split has dealt its rows, without its features; None if it does not say."""
    local = LocalCopy(path)
    refuse_damaged(local.path, path)
    header = json.loads((pq.read_metadata(local.path).metadata or {})[HEADER.encode()])
    if header["format"] != "split" or "folds" not in header:
        return None
    names = set(pq.read_schema(local.path).names)
    columns = ["__fold__", "__label__", "__key__", *(["__group_key__"] if "__group_key__" in names else [])]
    frame = pq.read_table(local.path, columns=columns)
    fold, y, keys = (np.asarray(frame.column(name)) for name in columns[:3])
    groups = np.asarray(frame.column("__group_key__")) if len(columns) > 3 else None
    memory = FoldMemory(
        Folds.model_validate(header["folds"]),
        RowIdentity.model_validate(header["identity"]),
        keys,
        label_keys(labels.from_json(header["classes"]), y),
        fold.astype(np.int8),
        groups,
    )
    gone = _gone(header)
    return memory if gone is None else memory.and_gone(gone)


def _gone(header: dict[str, Any]) -> FoldMemory | None:
    if "gone" not in header:
        return None
    types = {"keys": np.uint64, "labels": np.uint64, "fold": np.int8, "groups": np.uint64}
    arrays = {
        name: np.frombuffer(base64.b64decode(text), types[name]) for name, text in header["gone"].items()
    }
    return FoldMemory(
        Folds.model_validate(header["folds"]),
        RowIdentity.model_validate(header["identity"]),
        arrays["keys"],
        arrays["labels"],
        arrays["fold"],
        arrays.get("groups"),
    )


def _read_split(rows: ParquetRows, header: dict[str, Any]) -> Split:
    preprocessing = Preprocessing.model_validate(header["preprocessing"])
    N, names = rows.n_rows, preprocessing.names
    # Filled in place: a second copy of a large table would not fit.
    X = np.empty((N, len(names)), np.float32)
    y, fold = np.empty(N, np.int64), np.empty(N, np.int8)
    types = {
        "__weight__": np.float32,
        "__group__": np.int64,
        "__moment__": np.int64,
        "__key__": np.uint64,
        "__group_key__": np.uint64,
    }
    optional = {name: np.empty(N, type) for name, type in types.items() if name in rows.names}
    first = 0
    for batch in rows.batches():
        part = slice(first, first + batch.num_rows)
        for index, name in enumerate(names):
            X[part, index] = batch.column(name)
        y[part], fold[part] = batch.column("__label__"), batch.column("__fold__")
        for name, column in optional.items():
            column[part] = batch.column(name)
        first += batch.num_rows
    classes = labels.from_json(header["classes"])
    weight, group, timestamp, keys, group_keys = (optional.get(name) for name in types)
    identity, folds = header.get("identity"), header.get("folds")
    return Split(
        X,
        y,
        fold,
        weight,
        classes,
        preprocessing,
        Source.model_validate(header["source"]),
        group,
        timestamp,
        None if identity is None else RowIdentity.model_validate(identity),
        keys,
        None if folds is None else Folds.model_validate(folds),
        group_keys,
        _gone(header),
    )
