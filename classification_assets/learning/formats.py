"""How each type of artifact looks as one file, and how it is read back; never a pickle.

A file says in its header what it holds: Parquet in its schema's metadata, safetensors in its own, under the
one key `HEADER`. Formats:

- `Table`: its columns; the header holds roles, source and how many rows at the end are for testing.
- `Split`: ``__fold__``, ``__label__`` (class code), ``__weight__``, ``__group__`` and ``__moment__`` if there are
  some, then the features by name; the header holds classes, preprocessing and source.
- `Predictions`: its rows; the header holds what is said about them all.
- `Evaluation`: its `rows`; the header holds `metrics` and `about`.
- `Leaderboard`: its `board`; the header holds `differences` and `metric`.
- `Comparison`: its `board`; the header holds `ranks` and `about`.
- `DataFrame`: its columns.
- `Fitted`: tensors under ``state/``, ``history/``, ``checkpoints/<step>/``, the last read only when asked for; the
  header holds the provenance.
- `Figure`: a PNG, read back as its bytes, and beside it the SVG, which never is.
- `Page`: HTML, and `OnnxModel`: ONNX, which are never read back.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.figure import Figure
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from upath import UPath

from classification_assets.learning import labels
from classification_assets.learning.blend import Fitted, Provenance
from classification_assets.learning.comparison import Comparison
from classification_assets.learning.datasets.roles import Roles
from classification_assets.learning.evaluation import Evaluation
from classification_assets.learning.figures.picture import png, svg
from classification_assets.learning.leaderboard import Leaderboard
from classification_assets.learning.onnx_model import OnnxModel
from classification_assets.learning.predictions import Predictions
from classification_assets.learning.preprocessing import Preprocessing
from classification_assets.learning.report import Page
from classification_assets.learning.rows import BATCH, ParquetRows, Rows
from classification_assets.learning.split import Split
from classification_assets.learning.table import Table

HEADER = "classification_assets"
Artifact: TypeAlias = (
    Table
    | Split
    | Predictions
    | Evaluation
    | Leaderboard
    | Comparison
    | pd.DataFrame
    | Fitted
    | Figure
    | Page
    | OnnxModel
)
_CHECKPOINTS = "checkpoints/"


class ArtifactError(ValueError):
    """A file that holds no artifact of ours, or a damaged one."""


def is_local(path: UPath) -> bool:
    return path.protocol in ("", "file", "local")


def _header(format: str, **content: Any) -> dict[str, str]:
    return {HEADER: json.dumps({"format": format} | content, sort_keys=True)}


def _write_parquet(frame: pd.DataFrame, header: dict[str, str], file: Path) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata((table.schema.metadata or {}) | header)
    pq.write_table(table, file, compression="zstd")


def _write_table(value: Table, file: Path) -> None:
    header = _header(
        "table",
        roles=value.roles.model_dump(mode="json"),
        source=value.source,
        n_test=value.n_test,
    )
    _write_rows(value.rows, header, file)


def _write_predictions(value: Predictions, file: Path) -> None:
    _write_rows(value.rows, _header("predictions", about=value.about), file)


def _write_rows(rows: Rows, header: dict[str, str], file: Path) -> None:
    batches = (batch.replace_schema_metadata(header) for batch in rows.batches())
    _write_batches(batches, rows.schema.with_metadata(header), file)


def _write_split(value: Split, file: Path) -> None:
    columns: dict[str, np.ndarray] = {"__fold__": value.fold, "__label__": value.y}
    optional = {"__weight__": value.weight, "__group__": value.group, "__moment__": value.moment}
    columns |= {name: column for name, column in optional.items() if column is not None}
    names = [*columns, *value.preprocessing.names]
    header = _header(
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


def _write_evaluation(value: Evaluation, file: Path) -> None:
    about = value.about | {"classes": labels.to_json(value.about["classes"])}
    header = _header("evaluation", metrics=_as_json(value.metrics), about=about)
    _write_parquet(value.rows, header, file)


def _write_leaderboard(value: Leaderboard, file: Path) -> None:
    header = _header("leaderboard", differences=_as_json(value.differences), metric=value.metric)
    _write_parquet(value.board, header, file)


def _write_comparison(value: Comparison, file: Path) -> None:
    _write_parquet(value.board, _header("comparison", ranks=_as_json(value.ranks), about=value.about), file)


def _as_json(frame: pd.DataFrame) -> dict[str, Any]:
    return json.loads(frame.to_json(orient="split", index=False, double_precision=15))


def _from_json(content: dict[str, Any], *texts: str) -> pd.DataFrame:
    """A frame of numbers but for the columns that are text."""
    columns = content["columns"]
    frame = pd.DataFrame(content["data"], columns=columns)
    return frame.astype({name: float for name in columns if name not in texts})


def _write_frame(value: pd.DataFrame, file: Path) -> None:
    _write_parquet(value, _header("frame"), file)


def _write_fitted(value: Fitted, file: Path) -> None:
    import torch

    tensors = {f"state/{name}": tensor.contiguous() for name, tensor in value.state.items()}
    arrays = {f"history/{name}": array for name, array in value.history.items()}
    arrays |= {"best_step": value.best_step, "validation_probabilities": value.validation_probabilities}
    tensors |= {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
    for step, state in value.checkpoints.items():
        tensors |= {f"{_CHECKPOINTS}{step}/{name}": tensor.contiguous() for name, tensor in state.items()}
    save_file(tensors, file, metadata=_header("fitted", provenance=value.provenance.model_dump(mode="json")))
    # Safetensors lets nobody else read its files, and a web server is somebody else.
    file.chmod(0o644)


def _write_figure(value: Figure, file: Path) -> None:
    file.write_bytes(png(value) if file.suffix == ".png" else svg(value))


_FORMATS: dict[type, tuple[str, Callable[[Any, Path], object]]] = {
    Table: (".parquet", _write_table),
    Split: (".parquet", _write_split),
    Predictions: (".parquet", _write_predictions),
    Evaluation: (".parquet", _write_evaluation),
    Leaderboard: (".parquet", _write_leaderboard),
    Comparison: (".parquet", _write_comparison),
    pd.DataFrame: (".parquet", _write_frame),
    Fitted: (".safetensors", _write_fitted),
    Figure: (".png", _write_figure),
    Page: (".html", lambda page, file: file.write_text(page.html, encoding="utf-8")),
    OnnxModel: (".onnx", lambda model, file: file.write_bytes(model.content)),
}


def files_of(place: UPath, content: Any) -> list[UPath]:
    """Where a content goes: a figure's two pictures, the PNG last."""
    return (
        [place.with_suffix(suffix) for suffix in (".svg", ".png")] if isinstance(content, Figure) else [place]
    )


def writer(content: Any) -> Callable[[Any, Path], object]:
    match content:
        case str():
            return lambda text, file: file.write_text(text, encoding="utf-8")
        case bytes():
            return lambda data, file: file.write_bytes(data)
    return format_of(content, UPath(""))[1]


def format_of(value: Any, place: UPath) -> tuple[str, Callable[[Any, Path], object]]:
    for kind, format in _FORMATS.items():
        if isinstance(value, kind):
            return format
    known = ", ".join(kind.__name__ for kind in _FORMATS)
    raise TypeError(f"{place}: a {type(value).__name__} cannot be stored; what can: {known}")


def read(place: UPath, module: Callable[..., nn.Module] | None = None) -> Any:
    """What a file holds, by its suffix and its header.

    Raises
    ------
    ArtifactError
        If files of its suffix are never read back, or its format is not known.
    Exception
        Of many kinds, if the file is damaged or somebody else's.
    """
    if place.suffix == ".safetensors":
        return _read_fitted(place, module)
    if place.suffix == ".parquet":
        return _read_parquet(place)
    if place.suffix == ".png":
        return _read_png(place)
    raise ArtifactError(f"{place}: an artifact that is read back ends in .parquet, .safetensors or .png")


def _read_parquet(place: UPath) -> Any:  # noqa: PLR0911 (one a format)
    local = _LocalCopy(place)
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


def _read_png(place: UPath) -> bytes:
    content = place.read_bytes()
    Image.open(io.BytesIO(content)).verify()
    return content


def _frame(local: _LocalCopy) -> pd.DataFrame:
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
    weight, group, moment = (optional.get(name) for name in types)
    return Split(X, y, fold, weight, classes, preprocessing, header["source"], group, moment)


class _LocalCopy:
    """A file where Parquet can be read at will: itself, or a copy that lives as long as this object."""

    def __init__(self, place: UPath) -> None:
        if is_local(place):
            self.path = Path(place.path)
            return
        self.folder = tempfile.TemporaryDirectory(prefix="classification-assets-")
        self.path = Path(self.folder.name) / place.name
        with place.open("rb") as remote, self.path.open("wb") as local:
            shutil.copyfileobj(remote, local, 2**22)


def _read_fitted(place: UPath, module: Callable[..., nn.Module] | None) -> Fitted:
    local = _LocalCopy(place)
    opened = safe_open(local.path, framework="pt")
    header = json.loads((opened.metadata() or {})[HEADER])
    checkpoints = [name for name in opened.keys() if name.startswith(_CHECKPOINTS)]  # noqa: SIM118 (it is no mapping)
    tensors = {name: opened.get_tensor(name) for name in set(opened.keys()) - set(checkpoints)}

    def below(prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)
        }

    return Fitted(
        state=below("state/"),
        provenance=Provenance.model_validate(header["provenance"]),
        history={name: tensor.numpy() for name, tensor in below("history/").items()},
        best_step=tensors["best_step"].numpy(),
        validation_probabilities=tensors["validation_probabilities"].numpy(),
        checkpoints=_StoredCheckpoints(opened, checkpoints, local),
        module=module,
    )


class _StoredCheckpoints(Mapping[int, dict[str, Any]]):
    """States of a training that stay in their file until asked for.

    The open file is what it was when it was loaded, also once another has been published in its place.
    """

    def __init__(self, opened: safe_open, names: list[str], local: _LocalCopy) -> None:
        self._opened, self._local = opened, local
        self._names: dict[int, list[str]] = {}
        for name in names:
            self._names.setdefault(int(name.split("/")[1]), []).append(name)

    def __getitem__(self, step: int) -> dict[str, Any]:
        return {name.split("/", 2)[2]: self._opened.get_tensor(name) for name in self._names[step]}

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._names))

    def __len__(self) -> int:
        return len(self._names)

    def __reduce__(self) -> tuple[type[dict], tuple[dict]]:
        return dict, (dict(self),)  # an open file cannot be copied, what is in it can
