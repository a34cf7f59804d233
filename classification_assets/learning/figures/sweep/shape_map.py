"""How good networks become against depth and width, with what the best network of each shape decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from classification_assets.learning.figures.canvas.landscape import landscape
from classification_assets.learning.figures.canvas.legend import Section, class_dots, key
from classification_assets.learning.figures.canvas.style import Theme, sheet
from classification_assets.learning.figures.gallery import Cell
from classification_assets.learning.figures.sweep.marks import shade_entry, shades

SMALLEST, LARGEST, WIDEST, GAP, FOOT, FRAME = 0.82, 1.5, 6.6, 0.05, 0.27, 0.05  # inches


@dataclass(frozen=True)
class ShapeScore:
    """What is known of the configurations of one shape.

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
    with sheet(theme, title, note) as figure:
        for row, depth in enumerate(depths):
            for column, width in enumerate(widths):
                ax = figure.panel(column * (side + GAP), row * (high + GAP), side, high)
                place = (row, column)
                _cell(ax, scores.get(place), cells.get(place), (side, high), span, figure.theme)
                if column == 0:
                    _label(ax, depth, (0, 0.5), (-6, 0), ha="right", va="center")
                if row == 0:
                    _label(ax, width, (0.5, 0), (0, -5), ha="center", va="top")
        across, up = len(widths) * (side + GAP) - GAP, len(depths) * (high + GAP) - GAP
        frame = figure.panel(0, 0, across, up)
        frame.patch.set_visible(False)
        frame.set(xticks=[], yticks=[])
        frame.spines[:].set_visible(False)
        frame.set_xlabel("units of each hidden layer", labelpad=20)
        frame.set_ylabel("hidden layers", labelpad=12 + 6 * max(map(len, depths)))
        shown = [place for place in cells if place in scores]
        told = f"{100 * span[0]:.3g} to {100 * span[1]:.3g}"
        heat = Section(f"place of the {metric}", [shade_entry(told, figure.theme)])
        key(frame, [heat, Section("class", class_dots(classes, figure.theme) if shown else [])], figure.theme)
    return figure


def _cell(
    ax: Axes,
    own: ShapeScore | None,
    cell: Cell | None,
    size: tuple[float, float],
    span: tuple[float, float],
    theme: Theme,
) -> None:
    side, high = size
    ax.set(xlim=(0, side), ylim=(0, high), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    known = own is not None and bool(np.isfinite(own.score))
    colour = (
        to_hex(shades(np.array([own.place]), theme)[0]) if own and known else theme.faded(theme.faint, 0.5)
    )
    ax.add_patch(Rectangle((0, 0), side, high, facecolor=colour, linewidth=0))
    if own is None:
        ax.text(side / 2, high / 2, "not tried", ha="center", va="center", fontsize=7.5, color=theme.muted)
        return
    ink = _readable(colour) if known else theme.muted
    star = "★ " if known and own.place == span[1] else ""
    words = f"{star}{own.score:.3f}" + (f" at {own.epochs}" if own.epochs else "") if known else "all failed"
    weight = "bold" if known and not own.epochs else "normal"
    # Beside a score that says when it was dropped there is no room; 0 were trained to their end.
    counts = cell is None or not own.epochs
    counted = {"ha": "right", "va": "center_baseline", "fontsize": 6.5, "color": ink}
    ax.text(side - 0.06, FOOT / 2, f"{own.finished}/{own.tried}" if counts else "", **counted)
    told = {"va": "center_baseline", "fontsize": 7.5, "fontweight": weight, "color": ink}
    if cell is None:
        ax.text(side / 2, high / 2 + FOOT / 4, words, ha="center", **told)
    else:
        ax.text(0.06, FOOT / 2, words, **told)
    if cell is not None:
        room = side - 2 * FRAME
        inner = ax.inset_axes((FRAME, FOOT, room, high - FOOT - FRAME), transform=ax.transData)
        inner.set(xticks=[], yticks=[])
        inner.spines[:].set_visible(False)
        landscape(inner, cell.probabilities, cell.extent, theme=theme, confidence=(), scale=0.55)
        inner.set_rasterization_zorder(10)


def _readable(colour: str) -> str:
    rgb = np.array([int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)])
    # As on a confusion matrix.
    return "#ffffff" if rgb**2.2 @ [0.2126, 0.7152, 0.0722] < 0.25 else "#1b2129"


def _label(ax: Axes, text: str, place: tuple[float, float], offset: tuple[float, float], **style) -> None:
    ax.annotate(
        text,
        place,
        xytext=offset,
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8.5,
        **style,
    )
