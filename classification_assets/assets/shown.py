"""Metadata of a materialization: how a person sees a figure, a table, a number."""

from __future__ import annotations

import base64
import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

PREVIEW_BYTES = 40_000
"""The event log keeps each preview several times, so it stays small; the full figure is in the store."""

DRAW_SECONDS = "draw_seconds"

_ROWS = 200


def figure(
    draw: Callable[[], Figure], name: str, most_bytes: int = PREVIEW_BYTES
) -> tuple[Figure, dict[str, dg.MetadataValue]]:
    """Draw a figure, and a small preview that the UI shows inline."""
    from classification_assets.learning.figures.canvas.export import encode, picture, preview

    started = time.perf_counter()
    with _uncollected(), ThreadPoolExecutor(1) as beside:
        drawn = draw()
        picture(drawn)
        # What will be stored is compressed while the preview is: neither needs much of Python.
        beside.submit(encode, drawn)
        small = preview(drawn, most_bytes)
    return drawn, _inline(small, "webp", name, started)


def kept(
    draws: Mapping[str, Callable[..., Figure]], sidecars: dict[str, Any], *drawn_from: Any
) -> dict[str, dg.MetadataValue]:
    """Draw figures by name, each of all that is given, to be published beside the artifact, and show them."""
    from classification_assets.learning.figures.canvas.export import encode, picture, preview

    started = time.perf_counter()
    previews: dict[str, Future[bytes]] = {}
    # While one figure is drawn, the one before is made small and compressed: that needs hardly any Python.
    with _uncollected(), ThreadPoolExecutor(1) as beside:
        for name, draw in draws.items():
            sidecars[file_name(name)] = drawn = draw(*drawn_from)
            picture(drawn)
            previews[name] = beside.submit(preview, drawn, PREVIEW_BYTES)
            beside.submit(encode, drawn)
        shown = {name: _picture(small.result(), "webp", name) for name, small in previews.items()}
    return shown | scalars({DRAW_SECONDS: time.perf_counter() - started})


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for garbage: figures are made of so many parts that all of PyTorch's would be looked through again."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def file_name(name: str) -> str:
    """The file name, without its suffix, of a picture that is shown under a name."""
    return name.lower().replace(" ", "_").replace("-", "_")


def animation(
    draw: Callable[[], tuple[Figure, bytes]], name: str
) -> tuple[Figure, dict[str, dg.MetadataValue]]:
    """Draw a figure and a moving picture, a GIF, which is what the UI shows inline."""
    started = time.perf_counter()
    drawn, moving = draw()
    return drawn, _inline(moving, "gif", name, started)


def table(frame: DataFrame, name: str) -> dict[str, dg.MetadataValue]:
    """A frame as a table, numbers rounded to four places; a long one is cut, and its name says so."""
    records = [
        dg.TableRecord({column: _cell(value) for column, value in row.items()})
        for row in frame.head(_ROWS).to_dict("records")
    ]
    if len(frame) > _ROWS:
        name = f"{name} (first {_ROWS} of {len(frame)} rows)"
    return {name: dg.MetadataValue.table(records)} if records else {}


def left_out(rows: Mapping[str, int]) -> dict[str, dg.MetadataValue]:
    """In words, how many rows of each fold are not scored since the model has learned from them; nothing if none."""
    told = [f"{count:,} {fold} rows" for fold, count in rows.items() if count]
    if not told:
        return {}
    sentence = (
        f"{' and '.join(told)} are left out of all scores: this model, an older one, has learned from them"
    )
    return {"left out": dg.MetadataValue.text(sentence)}


def scalars(metrics: Mapping[str, float]) -> dict[str, dg.MetadataValue]:
    """Numbers that Dagster plots over time, under the names given; what is not finite is left out."""
    return {
        name: dg.MetadataValue.int(value)
        if isinstance(value, int)
        else dg.MetadataValue.float(_six_digits(float(value)))
        for name, value in metrics.items()
        if math.isfinite(value)
    }


def _six_digits(value: float) -> float:
    """Nobody reads the seventeen that the UI would show of a score."""
    return value if value.is_integer() else float(f"{value:.6g}")


def _inline(picture: bytes, kind: str, name: str, started: float) -> dict[str, dg.MetadataValue]:
    """A picture in the page itself, and how long it took since `started`."""
    return {
        name: _picture(picture, kind, name),
        **scalars({DRAW_SECONDS: time.perf_counter() - started}),
    }


def _picture(picture: bytes, kind: str, name: str) -> dg.MetadataValue:
    encoded = base64.b64encode(picture).decode()
    return dg.MetadataValue.md(f"![{name}](data:image/{kind};base64,{encoded})")


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool) else str(value)
