"""How good networks become against depth and width, with what the best network of each shape decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from classification_assets.learning.figures.canvas.landscape import small_landscape
from classification_assets.learning.figures.canvas.legend import Section, class_dots, key
from classification_assets.learning.figures.canvas.style import Theme, sheet
from classification_assets.learning.figures.gallery import Cell
from classification_assets.learning.figures.sweep.marks import shade_entry, shades

SMALLEST, LARGEST, WIDEST, GAP, FOOT, FRAME = 0.82, 1.5, 6.6, 0.05, 0.27, 0.05  # inches


@dataclass(frozen=True)
class ShapeScore:
    """Configurations of one shape: how good the best is, and how many there are.

    Attributes
    ----------
    score : float
        Of the best of them; NaN if all failed.
    place : float
        Its place among all configurations, see `places`.
    epochs : int
        After which it was dropped; 0 if it was trained to its end.
    finished, tried : int
        How many were trained to their end, of how many.
    """

    score: float
    place: float
    epochs: int
    finished: int
    tried: int


def shape_map(
    depths: Sequence[str],
    widths: Sequence[str],
    scores: Mapping[tuple[int, int], ShapeScore],
    cells: Mapping[tuple[int, int], Cell],
    *,
    metric: str,
    classes: Sequence[str] = (),
    title: str = "",
    note: str = "",
    theme: str = "light",
) -> Figure:
    """A heat map with a column a width and a row a depth, the deepest on top.

    Parameters
    ----------
    depths, widths : names of rows and columns, from the shallowest and the narrowest on
    scores : by the places (row, column); a missing one was not tried
    cells : boundary pictures by the same places, where there are any
    metric : what the score is, as it is to be read
    classes : names of the classes of the boundary pictures
    title : lines after the first are set smaller
    note : small text at the foot
    theme : "light" or "dark"
    """
    if not depths or not widths:
        raise ValueError(f"a map of shapes needs depths and widths, got {len(depths)} and {len(widths)}")
    side = float(np.clip(WIDEST / len(widths) - GAP, SMALLEST, LARGEST)) if cells else 0.95
    high = side + FOOT if cells else 0.6
    placed = [own.place for own in scores.values() if np.isfinite(own.score)] or [0.0]
    span = min(placed), max(placed)
    # What was dropped is not the best, however good it was until then.
    ended = [own.place for own in scores.values() if np.isfinite(own.score) and not own.epochs] or placed
    across, up = len(widths) * (side + GAP) - GAP, len(depths) * (high + GAP) - GAP
    with sheet(theme, title, note) as figure:
        ax = figure.panel(0, 0, across, up)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0, labelcolor=figure.theme.ink)
        ax.set(xlim=(0, across), ylim=(0, up), xlabel="units of each hidden layer", ylabel="hidden layers")
        ax.set_xticks(side / 2 + np.arange(len(widths)) * (side + GAP), widths)
        ax.set_yticks(high / 2 + np.arange(len(depths)) * (high + GAP), depths)
        for row, column in np.ndindex(len(depths), len(widths)):
            if (depths[row] == "0") != (widths[column] == "0"):
                continue  # a network without hidden layers has no width, and no other is without
            corner, picture = (column * (side + GAP), row * (high + GAP)), cells.get((row, column))
            box = Bbox.from_bounds(*corner, side, high)
            own = scores.get((row, column))
            best = own is not None and own.place == max(ended)
            _cell(ax, box, own, picture is not None, span, best, figure.theme)
            if picture is not None and (row, column) in scores:
                room = side - 2 * FRAME, high - FOOT - FRAME
                inner = Bbox.from_bounds(box.x0 + FRAME, box.y0 + FOOT, *room)
                small_landscape(
                    ax, inner, picture.probabilities, picture.extent, theme=figure.theme, scale=0.55
                )
        told = f"{100 * span[0]:.3g} to {100 * span[1]:.3g}"
        scale = [shade_entry(told, figure.theme)] if span[1] else []
        heat = Section(f"place of the {metric}", scale)
        key(ax, [heat, Section("class", class_dots(classes, figure.theme) if cells else [])], figure.theme)
    return figure


def _cell(
    ax: Axes,
    box: Bbox,
    own: ShapeScore | None,
    pictured: bool,
    span: tuple[float, float],
    best: bool,
    theme: Theme,
) -> None:
    """The ground of a cell and its words; box and axes are in inches."""
    known = own is not None and bool(np.isfinite(own.score))
    colour, middle = theme.faded(theme.faint, 0.5), ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    if own is not None and known:
        share = (own.place - span[0]) / (span[1] - span[0]) if span[1] > span[0] else 1.0
        colour = to_hex(shades(np.array([share]), theme)[0])
    ax.add_patch(Rectangle(box.p0, box.width, box.height, facecolor=colour, linewidth=0))
    if own is None:
        ax.text(*middle, "not tried", ha="center", va="center", fontsize=7.5, color=theme.muted)
        return
    ink = _readable(colour) if known else theme.muted
    star = "★ " if known and best else ""
    words = f"{star}{own.score:.3f}" + (f" at {own.epochs}" if own.epochs else "") if known else "all failed"
    told = {"va": "center_baseline", "fontsize": 7.5, "color": ink}
    told["fontweight"] = "bold" if known and not own.epochs else "normal"
    foot = box.y0 + FOOT / 2
    if pictured:
        ax.text(box.x0 + 0.06, foot, words, **told)
    else:
        ax.text(middle[0], middle[1] + FOOT / 4, words, ha="center", **told)
    # Beside a score that says when it was dropped there is no room; 0 were trained to their end.
    if not pictured or not own.epochs:
        counted = {"ha": "right", "va": "center_baseline", "fontsize": 6.5, "color": ink}
        ax.text(box.x1 - 0.06, foot, f"{own.finished}/{own.tried}", **counted)


def _readable(colour: str) -> str:
    rgb = np.array([int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)])
    # As on a confusion matrix.
    return "#ffffff" if rgb**2.2 @ [0.2126, 0.7152, 0.0722] < 0.25 else "#1b2129"
