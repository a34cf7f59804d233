"""What a classifier thinks of every point of the page: areas, decision lines, rows, on given axes.

One drawing for the single figure and for each cell of the gallery.
"""

from __future__ import annotations

from typing import cast

import contourpy
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from scipy.ndimage import maximum_filter

from classification_assets.learning.figures.points import Points, draw_points
from classification_assets.learning.figures.style import Theme

Extent = tuple[float, float, float, float]

CONFIDENCE = (0.75, 0.9)
DISAGREEMENT = 0.2
# How much of the class's colour an area of that probability gets: the same in every figure.
PROBABILITIES, STRENGTHS = (0.0, 0.5, 1.0), (0.0, 0.14, 0.55)
TINY = 1e-9
DASHES = (0, (3.2, 2.2))
HATCH = "//////"


def landscape(
    ax: Axes,
    probabilities: np.ndarray,
    extent: Extent,
    *,
    theme: Theme,
    points: Points | None = None,
    truth: np.ndarray | None = None,
    disagreement: np.ndarray | None = None,
    confidence: tuple[float, ...] = CONFIDENCE,
    pixels: int = 560,
    scale: float = 1.0,
) -> None:
    """Draw probabilities (R, R, C) on the axes; see `boundary` for the layers' meaning.

    `pixels` is about the width at which the axes will be seen, `scale` that of lines and points.
    """
    x0, x1, y0, y1 = extent
    image = tint(_refined(probabilities, pixels), theme)
    # The outermost points of the grid lie on the window's edge, the outermost pixels around them.
    dx, dy = (x1 - x0) / (len(image) - 1) / 2, (y1 - y0) / (len(image) - 1) / 2
    ax.imshow(
        image,
        origin="lower",
        extent=(x0 - dx, x1 + dx, y0 - dy, y1 + dy),
        aspect="auto",
        interpolation="bilinear",
        rasterized=True,
        zorder=1,
    )
    if disagreement is not None and disagreement.max() > DISAGREEMENT:
        hatched = ax.contourf(
            np.linspace(x0, x1, disagreement.shape[1]),
            np.linspace(y0, y1, disagreement.shape[0]),
            disagreement,
            levels=[DISAGREEMENT, np.inf],
            colors="none",
            hatches=[HATCH],
            zorder=2,
        )
        hatched.set_edgecolor((*to_rgb(theme.ink), 0.35))
        hatched.set_linewidth(0)
    for level in confidence:
        lines = confidence_lines(probabilities, extent, level)
        _stroke(ax, lines, theme.ink, 0.5 * scale, alpha=0.45, zorder=2.1)
    lines = borders(probabilities, extent)
    _stroke(ax, lines, theme.paper, 3.0 * scale, alpha=0.8, zorder=2.2)
    _stroke(ax, lines, theme.ink, 1.5 * scale, zorder=2.3)
    if truth is not None:
        lines = borders(truth, extent)
        _stroke(ax, lines, theme.paper, 2.4 * scale, alpha=0.9, zorder=2.4)
        _stroke(ax, lines, theme.ink, 1.0 * scale, linestyle=DASHES, zorder=2.5)
    if points is not None and len(points):
        draw_points(ax, points, theme, scale=scale)
    ax.set_xlim(x0, x1)
    ax.set_ylim(y0, y1)


def borders(probabilities: np.ndarray, extent: Extent) -> list[np.ndarray]:
    """The lines where the most probable class changes, as polylines (V, 2); each stretch once.

    Between class c and its rival it is where p_c - max_{j != c} p_j = 0, found on logarithms: the log-odds
    of a network are nearly straight between two points of the grid, probabilities are steps.
    """
    if probabilities.shape[2] < 2:
        return []
    logs = np.log(np.maximum(probabilities, TINY))
    order = np.argsort(-logs, axis=2, kind="stable")[..., :2]
    winner = order[..., 0]
    best, second = np.moveaxis(np.take_along_axis(logs, order, axis=2), 2, 0)
    lines = []
    for c in np.unique(order):
        lead = logs[..., c] - np.where(winner == c, second, best)
        # A stretch belongs to the earlier of its two classes, or a dashed line would be drawn twice, out of
        # step: only cells within two points of one that a later class wins count.
        own = np.asarray(maximum_filter(winner > c, size=5), dtype=bool)
        lines += _contour(np.ma.masked_where(~own, lead), 0.0, extent)
    return lines


def confidence_lines(probabilities: np.ndarray, extent: Extent, level: float) -> list[np.ndarray]:
    """The lines on which the most probable class has probability `level`, as polylines (V, 2)."""
    best = np.clip(probabilities.max(axis=2), TINY, 1 - TINY)
    return _contour(np.ma.asarray(np.log(best / (1 - best))), np.log(level / (1 - level)), extent)


def tint(probabilities: np.ndarray, theme: Theme) -> np.ndarray:
    """Colours (..., 3) for probabilities (..., C): hue says which class, intensity how probable."""
    colours = np.array([to_rgb(theme.class_colour(c)) for c in range(probabilities.shape[-1])])
    # Cubes keep the hue of the likeliest class clean until close to the line.
    share = probabilities**3
    share = share / np.maximum(share.sum(axis=-1, keepdims=True), TINY)
    strength = np.interp(probabilities.max(axis=-1), PROBABILITIES, STRENGTHS)[..., None]
    return np.clip((1 - strength) * np.array(to_rgb(theme.paper)) + strength * (share @ colours), 0, 1)


def _refined(probabilities: np.ndarray, pixels: int) -> np.ndarray:
    """The probabilities on a grid of about `pixels` points, interpolated where they are smooth."""
    if pixels <= len(probabilities):
        return probabilities
    # Single precision: with 100 classes these are the largest arrays of the whole figure.
    logs = np.log(np.maximum(probabilities, TINY).astype(np.float32))
    refined = _stretched(_stretched(logs, pixels).swapaxes(0, 1), pixels).swapaxes(0, 1)
    np.exp(refined, out=refined)
    refined /= refined.sum(axis=2, keepdims=True)
    return refined


def _stretched(values: np.ndarray, length: int) -> np.ndarray:
    """Values along the first axis, linearly interpolated at so many even places, both ends kept."""
    place = np.linspace(0, len(values) - 1, length, dtype=np.float32)
    before = np.minimum(place.astype(int), len(values) - 2)
    share = (place - before).reshape(-1, *[1] * (values.ndim - 1))
    stretched = values[before + 1] - values[before]
    stretched *= share
    stretched += values[before]
    return stretched


def _contour(field: np.ma.MaskedArray, level: float, extent: Extent) -> list[np.ndarray]:
    x0, x1, y0, y1 = extent
    rows, columns = field.shape
    x, y = np.linspace(x0, x1, columns), np.linspace(y0, y1, rows)
    lines = contourpy.contour_generator(x, y, field, name="serial", line_type="Separate").lines(level)
    return cast("list[np.ndarray]", lines)


def _stroke(ax: Axes, lines: list[np.ndarray], colour: str, width: float, **style) -> None:
    ax.add_collection(
        LineCollection(lines, colors=colour, linewidths=width, capstyle="round", **style), autolim=False
    )
