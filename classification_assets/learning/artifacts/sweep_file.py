"""A sweep's result as one Parquet file, and back.

A row a network. The header holds the summary, the finalists and the thumbnails; what anything took in seconds stands
beside it, since the same sweep made again has the same version.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from classification_assets.learning.artifacts.files import LocalCopy, header_of
from classification_assets.learning.artifacts.origin import Origin
from classification_assets.learning.artifacts.parquet_frames import write_headed_frame
from classification_assets.learning.sweeps.result import Summary, SweepResult, Thumbnails

SECONDS = "classification_assets.seconds"
"""The metadata entry of a file with what the whole sweep took, and each network."""


def write_sweep(value: SweepResult, file: Path, origin: Origin | None = None) -> str:
    """Write a sweep's result and return its version."""
    summary = asdict(value.summary)
    seconds = {
        "sweep": summary.pop("seconds"),
        "networks": _packed(value.networks["seconds"].to_numpy(float)),
    }
    header = header_of(
        "sweep",
        summary=summary,
        finalists=_frame_packed(value.finalists),
        thumbnails=None if value.thumbnails is None else _thumbnails_packed(value.thumbnails),
        columns=list(value.networks),
    )
    rows = value.networks.drop(columns="seconds")
    return write_headed_frame(rows, header, file, origin, {SECONDS: json.dumps(seconds)})


def read_sweep(local: LocalCopy, header: dict[str, Any]) -> SweepResult:
    """The sweep's result in a file, whose header was read already."""
    table = pq.read_table(local.path)
    seconds = json.loads(pq.read_metadata(local.path).metadata[SECONDS.encode()])
    curves = table.column("curve").to_pylist()
    networks = table.to_pandas().assign(
        curve=pd.Series(curves, dtype=object), seconds=_array(seconds["networks"])
    )
    summary = header["summary"] | {"seconds": seconds["sweep"]}
    summary["swept"] = tuple(summary["swept"])
    found = header["thumbnails"]
    return SweepResult(
        networks[header["columns"]],
        _frame(header["finalists"]),
        Summary(**summary),
        None if found is None else _thumbnails(found),
    )


_ARRAYS = ("depth", "width", "configuration", "probabilities")


def _thumbnails_packed(value: Thumbnails) -> dict[str, Any]:
    arrays = {name: _packed(getattr(value, name)) for name in _ARRAYS}
    return arrays | {"extent": value.extent, "features": value.features, "classes": value.classes}


def _thumbnails(packed: dict[str, Any]) -> Thumbnails:
    content: dict[str, Any] = {name: _array(packed[name]) for name in _ARRAYS}
    content |= {name: tuple(packed[name]) for name in ("extent", "features", "classes")}
    return Thumbnails(**content)


def _packed(array: np.ndarray) -> dict[str, Any]:
    content = base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes())).decode()
    return {"type": str(array.dtype), "shape": array.shape, "content": content}


def _array(packed: dict[str, Any]) -> np.ndarray:
    content = zlib.decompress(base64.b64decode(packed["content"]))
    return np.frombuffer(content, packed["type"]).reshape(packed["shape"])


def _frame_packed(frame: pd.DataFrame) -> str:
    """A frame with its types, as Arrow's own bytes."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    return base64.b64encode(stream.getvalue().to_pybytes()).decode()


def _frame(packed: str) -> pd.DataFrame:
    return pa.ipc.open_stream(base64.b64decode(packed)).read_all().to_pandas()
