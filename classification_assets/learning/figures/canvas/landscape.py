"""A classifier's answers at every point of the page: areas, decision lines, rows, on given axes.

One drawing for the single figure and for each cell of the gallery.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

import contourpy
import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.transforms import Bbox, BboxBase, BboxTransform, TransformedBbox
from PIL import Image

from classification_assets.learning.figures.canvas.points import Points, draw_points
from classification_assets.learning.figures.canvas.style import Theme

Extent = tuple[float, float, float, float]

CONFIDENCE = (0.75, 0.9)
DISAGREEMENT = 0.2
# How much of the class's colour an area of that probability gets: the same in every figure.
PROBABILITIES, STRENGTHS = (0.0, 0.5, 1.0), (0.0, 0.14, 0.55)
TINY = 1e-9
PAINTED_BYTES = 2**20
STEPS, MOST_ODDS = 256, 12
"""Steps of log-odds, in a unit, for which colours of two classes are worked out, and up to which odds: a step changes
a colour by less than what is shown."""
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
    scale: float = 1.0,
) -> None:
    """Draw probabilities (R, R, C) on the axes; see `boundary` for the layers' meaning.

    `scale` is that of lines and points.
    """
    x0, x1, y0, y1 = extent
    logs = _logs(np.asarray(probabilities, np.float32))
    ax.add_artist(_Areas(ax.bbox, logs, theme))
    if disagreement is not None and disagreement.max() > DISAGREEMENT:
        _hatch(ax, disagreement, extent, theme)
    if confidence:
        lines = _confidence_lines(logs, extent, confidence)
        _stroke(ax, lines, theme.ink, 0.5 * scale, alpha=0.45, zorder=2.1)
    _border(ax, _borders(logs, extent), theme, scale)
    if truth is not None:
        lines = borders(truth, extent)
        _stroke(ax, lines, theme.paper, 2.4 * scale, alpha=0.9, zorder=2.4)
        _stroke(ax, lines, theme.ink, 1.0 * scale, linestyle=DASHES, zorder=2.5)
    if points is not None and len(points):
        draw_points(ax, points, theme, scale=scale)
    ax.set_xlim(x0, x1)
    ax.set_ylim(y0, y1)


def small_landscape(
    ax: Axes, box: Bbox, probabilities: np.ndarray, extent: Extent, *, theme: Theme, scale: float
) -> None:
    """Draw areas and decision lines of probabilities (R, R, C) in a box on the axes, in these axes' units.

    Axes of its own would take ten times longer. In an SVG it is pixels: a hundred pictures of lines would be megabytes.
    """
    x0, x1, y0, y1 = extent
    onto = BboxTransform(Bbox([(x0, y0), (x1, y1)]), box) + ax.transData
    room = TransformedBbox(box, ax.transData)
    logs = _logs(np.asarray(probabilities, np.float32))
    areas = _Areas(room, logs, theme)
    ax.add_artist(areas)
    parts = [areas, *_border(ax, _borders(logs, extent), theme, scale, transform=onto)]
    for part in parts:
        part.set_clip_box(room)
        part.set_rasterized(True)


def is_shaded(figure: Figure) -> bool:
    """Whether a figure has areas that run from one colour into another, of more shades than a palette holds."""
    return any(isinstance(part, _Areas) for ax in figure.axes for part in ax.get_children())


def borders(probabilities: np.ndarray, extent: Extent) -> list[np.ndarray]:
    """The lines where the most probable class changes, as polylines (V, 2); each stretch once.

    Between class c and its rival it is where p_c - max_{j != c} p_j = 0, found on logarithms: the log-odds
    of a network are nearly straight between two points of the grid, probabilities are steps.
    """
    return _borders(_logs(probabilities), extent)


def _borders(logs: np.ndarray, extent: Extent) -> list[np.ndarray]:
    if len(logs) < 2:
        return []
    if len(logs) == 2:
        return _contour(logs[0] - logs[1], 0.0, extent)
    # Every figure's export imports this file, and few draw such lines.
    from scipy.ndimage import maximum_filter

    winner, best = logs.argmax(0), logs.max(0)
    others = logs.copy()
    np.put_along_axis(others, winner[None], -np.inf, axis=0)
    second = others.max(0)
    lines = []
    # A stretch belongs to the earlier of its two classes, or a dashed line would be drawn twice, out of step:
    # only cells within two points of one that a later class wins count. The last class has none of its own.
    for c in np.unique(winner)[:-1]:
        lead = logs[c] - np.where(winner == c, second, best)
        own = np.asarray(maximum_filter(winner > c, size=5), dtype=bool)
        lines += _contour(lead, 0.0, extent, ~own)
    return lines


def confidence_lines(probabilities: np.ndarray, extent: Extent, *levels: float) -> list[np.ndarray]:
    """The lines on which the most probable class has one of these probabilities, as polylines (V, 2)."""
    return _confidence_lines(_logs(probabilities), extent, levels)


def _confidence_lines(logs: np.ndarray, extent: Extent, levels: Sequence[float]) -> list[np.ndarray]:
    if len(logs) == 2:
        odds = np.abs(logs[0] - logs[1])
    else:
        # Also in single precision 1 less this is not 1; no level is near.
        best = np.minimum(np.exp(logs.max(0)), 1 - 1e-6)
        odds = np.log(best / (1 - best))
    return [line for level in levels for line in _contour(odds, np.log(level / (1 - level)), extent)]


def tint(probabilities: np.ndarray, theme: Theme) -> np.ndarray:
    """Colours (..., 3) for probabilities (..., C): hue says which class, intensity how probable."""
    return np.moveaxis(_tints(np.moveaxis(probabilities, -1, 0), theme), 0, -1)


def painted(logs: np.ndarray, width: int, height: int, theme: Theme) -> np.ndarray:
    """Tints (height, width, 4) uint8, the last row at the top, of the logarithms (C, R, R) of probabilities.

    Logarithms are nearly straight between two points of the grid, probabilities are steps.
    """
    C, rows, columns = logs.shape
    if C == 2:
        return _painted_by_odds(logs[1] - logs[0], width, height, theme)
    pixels = np.full((height, width, 4), 255, np.uint8)
    grids = [Image.fromarray(own) for own in logs]
    # Some lines at a time: they stay in the cache, and 100 classes need no more memory than two.
    lines = max(1, PAINTED_BYTES // (4 * C * width))
    for start in range(0, height, lines):
        stop = min(start + lines, height)
        # The window's edge is where the outermost points of the grid are: half a point inside of theirs.
        low, high = (0.5 + (rows - 1) * place / height for place in (start, stop))
        box, size = (0.5, low, columns - 0.5, high), (width, stop - start)
        p = np.stack([np.asarray(grid.resize(size, Image.Resampling.BILINEAR, box)) for grid in grids])
        np.exp(p, out=p)
        p /= p.sum(0)
        shades = _tints(p, theme)
        shades *= 255
        shades += 0.5
        for channel, shade in enumerate(shades):
            pixels[start:stop, :, channel] = shade
    return pixels


def _painted_by_odds(odds: np.ndarray, width: int, height: int, theme: Theme) -> np.ndarray:
    """The same of two classes, by the second one's log-odds (R, R), of which a table tells the colour."""
    table = _colours_by_odds(theme)
    rows, columns = odds.shape
    # Places in the table, and half a one since what is behind the point is cut off.
    places = Image.fromarray(odds * STEPS + (MOST_ODDS * STEPS + 0.5))
    box = (0.5, 0.5, columns - 0.5, rows - 0.5)
    shown = np.asarray(places.resize((width, height), Image.Resampling.BILINEAR, box))
    return table.take(shown.astype(np.intp), mode="clip").view(np.uint8).reshape(height, width, 4)


@lru_cache(maxsize=8)
def _colours_by_odds(theme: Theme) -> np.ndarray:
    """Tints (N,) of two classes, four bytes each, for log-odds from the least to the most."""
    odds = np.linspace(-MOST_ODDS, MOST_ODDS, 2 * MOST_ODDS * STEPS + 1, dtype=np.float32)
    p = 1 / (1 + np.exp(np.stack([odds, -odds])))
    shades = np.full((len(odds), 4), 255, np.uint8)
    shades[:, :3] = 255 * _tints(p, theme).T + 0.5
    return shades.view(np.uint32)[:, 0]


def _tints(p: np.ndarray, theme: Theme) -> np.ndarray:
    """Colours (3, ...) for probabilities (C, ...): reducing a short last axis takes a hundred times longer."""
    colours = np.array([to_rgb(theme.class_colour(c)) for c in range(len(p))], p.dtype)
    # Cubes keep the hue of the likeliest class clean until close to the line.
    share = p * p * p
    share /= np.maximum(share.sum(0), TINY)
    most = p.max(0)
    # Straight from point to point of PROBABILITIES and STRENGTHS, and steeper the further.
    rise = np.diff(STRENGTHS) / np.diff(PROBABILITIES)
    strength = np.maximum(rise[0] * most, rise[1] * (most - 1) + STRENGTHS[2]).astype(p.dtype)
    paper = np.array(to_rgb(theme.paper), p.dtype).reshape(3, *[1] * most.ndim)
    # Not a product of matrices, whose threads wait for one another longer than this takes.
    shades = np.einsum("cs,c...->s...", colours, share)
    shades -= paper
    shades *= strength
    shades += paper
    return np.clip(shades, 0, 1, out=shades)


class _Areas(Artist):
    """The tints of a whole room on the page, in the very pixels of what is drawn on: nothing is resampled."""

    zorder = 1

    def __init__(self, room: BboxBase, logs: np.ndarray, theme: Theme) -> None:
        super().__init__()
        self.room, self.logs, self.theme = room, logs, theme

    @allow_rasterization
    def draw(self, renderer: RendererBase) -> None:
        (x0, y0), (x1, y1) = self.room.get_points()
        # Where a picture can be scaled its unit is no pixel.
        share = renderer.get_image_magnification()
        left, bottom = (x0, y0) if renderer.option_scale_image() else (round(x0), round(y0))
        pixels = painted(self.logs, round(share * (x1 - left)), round(share * (y1 - bottom)), self.theme)
        pen = renderer.new_gc()
        renderer.draw_image(pen, left, bottom, pixels)
        pen.restore()


def _logs(probabilities: np.ndarray) -> np.ndarray:
    """Logarithms (C, R, R) of probabilities (R, R, C)."""
    logs = np.maximum(np.moveaxis(probabilities, 2, 0), TINY, order="C")
    return np.log(logs, out=logs)


def _contour(
    field: np.ndarray, level: float, extent: Extent, mask: np.ndarray | None = None
) -> list[np.ndarray]:
    return cast("list[np.ndarray]", _contours(field, extent, mask).lines(level))


def _contours(
    field: np.ndarray, extent: Extent, mask: np.ndarray | None = None
) -> contourpy.SerialContourGenerator:
    """Contours of a finite field (R, R), where it is not masked."""
    x, y = _coordinates(tuple(map(float, extent)), field.shape)
    # The generator itself: `contour_generator` takes longer to check what it is given than it takes to follow a line.
    return contourpy.SerialContourGenerator(
        x,
        y,
        field.astype(np.float64),
        mask,
        corner_mask=True,
        line_type=contourpy.LineType.Separate,
        fill_type=contourpy.FillType.OuterCode,
        quad_as_tri=False,
        z_interp=contourpy.ZInterp.Linear,
    )


@lru_cache(maxsize=8)
def _coordinates(extent: Extent, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Where a field's numbers lie: the same for all classes and pictures of an animation."""
    x0, x1, y0, y1 = extent
    rows, columns = shape
    x, y = np.meshgrid(np.linspace(x0, x1, columns), np.linspace(y0, y1, rows))
    for each in (x, y):
        each.setflags(write=False)
    return x, y


def _hatch(ax: Axes, disagreement: np.ndarray, extent: Extent, theme: Theme) -> None:
    """Over areas where members disagree."""
    found = _contours(disagreement, extent).filled(DISAGREEMENT, np.inf)
    areas = [Path(corners, codes) for corners, codes in zip(*found, strict=True)]
    look = {"facecolors": "none", "edgecolors": (*to_rgb(theme.ink), 0.35), "linewidths": 0, "hatch": HATCH}
    ax.add_collection(PathCollection(areas, zorder=2, transform=ax.transData, **look), autolim=False)


def _border(ax: Axes, lines: list[np.ndarray], theme: Theme, scale: float, **style) -> list[Artist]:
    """Decision lines, in ink on paper."""
    return [
        _stroke(ax, lines, theme.paper, 3.0 * scale, alpha=0.8, zorder=2.2, **style),
        _stroke(ax, lines, theme.ink, 1.5 * scale, zorder=2.3, **style),
    ]


def _stroke(ax: Axes, lines: list[np.ndarray], colour: str, width: float, **style) -> Artist:
    drawn = LineCollection(lines, colors=colour, linewidths=width, capstyle="round", **style)
    ax.add_collection(drawn, autolim=False)
    return drawn
