"""How each type of artifact looks as one file, and how it is read back; never a pickle.

A file says in its header what it holds: Parquet in its schema's metadata, safetensors in its own, under the
one key `HEADER`; of what it was made, it says under `ORIGIN`, a figure in a text of its PNG. Formats:

- `Table`: its columns; the header holds roles, source and how many rows at the end are for testing.
- `Split`: ``__fold__``, ``__label__`` (class code), ``__weight__``, ``__group__``, ``__moment__`` (timestamp),
  ``__key__`` and ``__group_key__`` if there are some, then the features by name; the header holds classes,
  preprocessing, source, and how rows are known again.
- `Predictions`: its rows; the header holds what is said about them all.
- `Evaluation`: its `rows`; the header holds `metrics` and `about`.
- `Surfaces`: a row a point of the planes, of logarithms of probabilities over the largest one, and disagreement, as
  float16; the header holds view and shape.
- `Leaderboard`: its `board`; the header holds `differences`, `metric` and, if there is one, `note`.
- `Comparison`: its `board`; the header holds `ranks` and `about`.
- `Drift`: its `tests`; the header holds the rows of both sides and the note.
- `SweepResult`: its `networks`; the header holds the summary, `finalists` and thumbnails, see `sweep_file`.
- `DataFrame`: its columns.
- `FittedModel`: tensors under ``state/``, ``history/``, ``checkpoints/<step>/`` (read only when asked for) and
  ``learned/``, the keys of the rows that it has learned from; the header holds the provenance, and which
  `SnapshotsBeside` belong to it.
- `SnapshotsBeside`: a model asset's checkpoints, small: differences from step to step, see `snapshots_file`; the header
  holds steps, losses and version.
- `Figure`: a PNG, read back as its bytes, and where that is asked for the SVG beside it, which never is.
- `Page`: HTML, and `OnnxModel`: ONNX, which are never read back.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
from torch import nn
from upath import UPath

from classification_assets.learning.artifacts.checksum import refuse_damaged_png
from classification_assets.learning.artifacts.files import ORIGIN, ArtifactError, is_file
from classification_assets.learning.artifacts.model_file import read_model, read_model_origin, write_model
from classification_assets.learning.artifacts.origin import Origin
from classification_assets.learning.artifacts.parquet_end import read_origin
from classification_assets.learning.artifacts.parquet_files import (
    read_parquet,
    write_comparison,
    write_drift,
    write_evaluation,
    write_frame,
    write_leaderboard,
    write_predictions,
    write_split,
    write_surfaces,
    write_table,
)
from classification_assets.learning.artifacts.snapshots_file import (
    SUFFIX,
    SnapshotsBeside,
    read_snapshots,
    write_snapshots,
)
from classification_assets.learning.artifacts.sweep_file import write_sweep
from classification_assets.learning.drift.drift import Drift
from classification_assets.learning.evaluation.comparison import Comparison
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.leaderboard import Leaderboard
from classification_assets.learning.evaluation.surface import Surfaces
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.models.onnx_export import OnnxModel
from classification_assets.learning.models.predictions import Predictions
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.sweeps.result import SweepResult
from classification_assets.learning.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from classification_assets.learning.reports.report import Page

    Artifact: TypeAlias = (
        Table
        | Split
        | Predictions
        | Evaluation
        | Surfaces
        | Leaderboard
        | Comparison
        | Drift
        | SweepResult
        | pd.DataFrame
        | FittedModel
        | SnapshotsBeside
        | OnnxModel
        | Figure
        | Page
    )


def _write_figure(value: Figure, file: Path, origin: Origin | None = None) -> str:
    from classification_assets.learning.figures.canvas.export import png, svg, with_text

    content = png(value) if file.suffix == ".png" else svg(value)
    version = hashlib.sha256(content).hexdigest()
    if origin is not None:
        told = json.dumps(origin.versioned(version).to_json(), sort_keys=True)
        content = with_text(content, ORIGIN, told)
    file.write_bytes(content)
    return version


def _write_page(page: Page, file: Path, origin: Origin | None = None) -> str:
    html = page.html
    if origin is not None:
        told = escape(json.dumps(origin.versioned(page.version).to_json(), sort_keys=True), quote=True)
        html = html.replace("</head>", f'<meta name="{ORIGIN}" content="{told}">\n</head>', 1)
    file.write_text(html, encoding="utf-8")
    return page.version


def _write_onnx(model: OnnxModel, file: Path, origin: Origin | None = None) -> str:
    file.write_bytes(model.content)
    return hashlib.sha256(model.content).hexdigest()


Writer: TypeAlias = Callable[[Any, Path, Origin | None], str]
"""Writes a value into a file, with what it was made of if that is told, and returns the value's version."""

_FORMATS: dict[type, tuple[str, Writer]] = {
    Table: (".parquet", write_table),
    Split: (".parquet", write_split),
    Predictions: (".parquet", write_predictions),
    Evaluation: (".parquet", write_evaluation),
    Surfaces: (".parquet", write_surfaces),
    Leaderboard: (".parquet", write_leaderboard),
    Comparison: (".parquet", write_comparison),
    Drift: (".parquet", write_drift),
    SweepResult: (".parquet", write_sweep),
    pd.DataFrame: (".parquet", write_frame),
    FittedModel: (".safetensors", write_model),
    SnapshotsBeside: (".safetensors", write_snapshots),
    OnnxModel: (".onnx", _write_onnx),
}

_FORMATS_BY_NAME: dict[tuple[str, str], tuple[str, Writer]] = {
    ("matplotlib.figure", "Figure"): (".png", _write_figure),
    ("classification_assets.learning.reports.report", "Page"): (".html", _write_page),
}
"""Formats of types that take long to import: who has such a value has imported its module."""


def is_figure(value: Any) -> bool:
    """Whether a value is a figure of Matplotlib."""
    return _is_of(value, "matplotlib.figure", "Figure")


def _is_of(value: Any, module: str, name: str) -> bool:
    return module in sys.modules and isinstance(value, getattr(sys.modules[module], name))


def files_of(path: UPath, content: Any, svg: bool = False) -> list[UPath]:
    """Where a content goes: a figure's picture, or with `svg` both, the PNG last."""
    if not is_figure(content):
        return [path]
    return [path.with_suffix(suffix) for suffix in ((".svg", ".png") if svg else (".png",))]


def write_sidecar(content: Any, file: Path) -> None:
    """Write what is read beside an artifact: a text, bytes or any artifact."""
    match content:
        case str():
            file.write_text(content, encoding="utf-8")
        case bytes():
            file.write_bytes(content)
        case _:
            format_of(content, UPath(""))[1](content, file, None)


def format_of(value: Any, path: UPath) -> tuple[str, Writer]:
    """The suffix and the writer of a value's type.

    Raises
    ------
    TypeError
        If no file holds such a value.
    """
    for kind, format in _FORMATS.items():
        if isinstance(value, kind):
            return format
    for (module, name), format in _FORMATS_BY_NAME.items():
        if _is_of(value, module, name):
            return format
    known = ", ".join([*(kind.__name__ for kind in _FORMATS), *(name for _, name in _FORMATS_BY_NAME)])
    raise TypeError(f"{path}: a {type(value).__name__} cannot be stored; what can: {known}")


def read(path: UPath, module: Callable[..., nn.Module] | None = None) -> Any:
    """The artifact in a file, by its suffix and its header.

    Raises
    ------
    ArtifactError
        If files of its suffix are never read back, or its format is not known.
    Exception
        Of many kinds, if the file is damaged or somebody else's.
    """
    if path.name.endswith(SUFFIX):
        return read_snapshots(path)
    if path.suffix == ".safetensors":
        return read_model(path, module)
    if path.suffix == ".parquet":
        return read_parquet(path)
    if path.suffix == ".png":
        return _read_png(path)
    raise ArtifactError(f"{path}: an artifact that is read back ends in .parquet, .safetensors or .png")


def origin_of(path: UPath) -> Origin | None:
    """The origin of an artifact, as its file says; None if it does not say, or there is no file.

    Raises
    ------
    Exception
        Of many kinds, if the file is damaged.
    """
    if not is_file(path):
        return None
    if path.suffix == ".safetensors":
        return read_model_origin(path)
    if path.suffix == ".parquet":
        return read_origin(path)
    if path.suffix == ".png":
        from PIL import Image

        with path.open("rb") as opened, Image.open(opened) as picture:
            told = picture.info.get(ORIGIN)
        return Origin.from_json(json.loads(told)) if told else None
    return None


def _read_png(path: UPath) -> bytes:

    content = path.read_bytes()
    refuse_damaged_png(content)
    return content
