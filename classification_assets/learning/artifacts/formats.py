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
- `FittedModel`: tensors under ``state/``, ``history/``, ``checkpoints/<step>/``, the last read only when asked for; the
  header holds the provenance.
- `Figure`: a PNG, read back as its bytes, and beside it the SVG, which never is.
- `Page`: HTML, and `OnnxModel`: ONNX, which are never read back.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image
from torch import nn
from upath import UPath

from classification_assets.learning.artifacts.files import ArtifactError
from classification_assets.learning.artifacts.model_file import read_model, write_model
from classification_assets.learning.artifacts.parquet_files import (
    read_parquet,
    write_comparison,
    write_evaluation,
    write_frame,
    write_leaderboard,
    write_predictions,
    write_split,
    write_table,
)
from classification_assets.learning.evaluation.comparison import Comparison
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.leaderboard import Leaderboard
from classification_assets.learning.figures.canvas.export import png, svg
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.models.onnx_export import OnnxModel
from classification_assets.learning.models.predictions import Predictions
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.reports.report import Page
from classification_assets.learning.tables.table import Table

Artifact: TypeAlias = (
    Table
    | Split
    | Predictions
    | Evaluation
    | Leaderboard
    | Comparison
    | pd.DataFrame
    | FittedModel
    | Figure
    | Page
    | OnnxModel
)


def _write_figure(value: Figure, file: Path) -> None:
    file.write_bytes(png(value) if file.suffix == ".png" else svg(value))


_FORMATS: dict[type, tuple[str, Callable[[Any, Path], object]]] = {
    Table: (".parquet", write_table),
    Split: (".parquet", write_split),
    Predictions: (".parquet", write_predictions),
    Evaluation: (".parquet", write_evaluation),
    Leaderboard: (".parquet", write_leaderboard),
    Comparison: (".parquet", write_comparison),
    pd.DataFrame: (".parquet", write_frame),
    FittedModel: (".safetensors", write_model),
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
        return read_model(place, module)
    if place.suffix == ".parquet":
        return read_parquet(place)
    if place.suffix == ".png":
        return _read_png(place)
    raise ArtifactError(f"{place}: an artifact that is read back ends in .parquet, .safetensors or .png")


def _read_png(place: UPath) -> bytes:
    content = place.read_bytes()
    Image.open(io.BytesIO(content)).verify()
    return content
