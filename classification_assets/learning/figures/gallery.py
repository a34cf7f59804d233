"""All experiments against all architectures: one small boundary picture in each cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from classification_assets.learning.figures.canvas.landscape import Extent, landscape
from classification_assets.learning.figures.canvas.legend import shortened, width_of
from classification_assets.learning.figures.canvas.points import TEST, Points
from classification_assets.learning.figures.canvas.style import Theme, sheet, without_ticks

POINTS_PER_SQUARE_INCH = 60
GAP = 0.07  # inches
BADGE = 10
BEST = "Bayes optimal"


@dataclass(frozen=True, eq=False)
class Cell:
    """One architecture on one experiment; arrays as in `boundary`.

    Attributes
    ----------
    probabilities : (R, R, C)
    extent : (x0, x1, y0, y1)
    classes : names of the C classes
    points : rows, of which the test fold is drawn
    truth : (Rt, Rt, C), the true posterior
    score : on the test fold, or None
    winner : whether this is the best architecture of its experiment
    disagreement : (R, R), drawn where there is room for it
    """

    probabilities: np.ndarray
    extent: Extent
    classes: Sequence[str]
    points: Points | None = None
    truth: np.ndarray | None = None
    score: float | None = None
    winner: bool = False
    disagreement: np.ndarray | None = None


def gallery(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Mapping[tuple[str, str], Cell],
    *,
    reference: Mapping[str, Cell] | None = None,
    title: str = "",
    theme: str = "light",
) -> Figure:
    """Experiments down, architectures across; `cells` are found by (row, column), a missing one is a dash.

    With references, by row, a last column shows what is possible at best; a row without one is left empty there.
    """
    if not rows or not columns:
        raise ValueError(f"a gallery needs rows and columns, got {len(rows)} and {len(columns)}")
    ideal = reference or {}
    across = len(columns) + bool(ideal)
    # Ten cells of an inch are shown about 900 pixels wide: smaller ones could not be read.
    size = float(np.clip(7.6 / max(len(rows), across), 0.95, 1.7))
    with sheet(theme, title, _note(cells.values(), bool(ideal))) as figure:
        for i, row in enumerate(rows):
            up = (len(rows) - 1 - i) * (size + GAP)
            for j, column in enumerate(columns):
                ax = figure.panel(j * (size + GAP), up, size, size)
                draw_cell(ax, cells.get((row, column)), size, figure.theme)
                if j == 0:
                    _name(ax, row, (0, 0.5), (-6, 0), ha="right", va="center_baseline")
                if i == 0:
                    _head(ax, column, columns, size)
            if row in ideal or (ideal and i == 0):
                ax = figure.panel(len(columns) * (size + GAP) + 2 * GAP, up, size, size)
                if row in ideal:
                    draw_cell(ax, ideal[row], size, figure.theme)
                else:
                    ax.set_axis_off()
                if i == 0:
                    _head(ax, BEST, columns, size)
    return figure


def draw_cell(ax: Axes, cell: Cell | None, size: float, theme: Theme) -> None:
    """A cell on axes of `size` inches a side; a dash where there is none."""
    without_ticks(ax)
    winner = cell is not None and cell.winner
    ax.spines[:].set(
        visible=True, color=theme.ink if winner else theme.faint, linewidth=2.4 if winner else 0.6
    )
    if cell is None:
        ax.text(0.5, 0.5, "–", transform=ax.transAxes, ha="center", va="center", color=theme.muted)
        return
    points = None
    if cell.points is not None:
        points = (
            cell.points[cell.points.fold == TEST]
            .inside(cell.extent)
            .thinned(int(POINTS_PER_SQUARE_INCH * size**2))
        )
    landscape(
        ax,
        cell.probabilities,
        cell.extent,
        theme=theme,
        points=points,
        truth=cell.truth,
        confidence=(),
        scale=0.55,
    )
    # A hundred pictures of separate lines and points would make an SVG of many megabytes.
    ax.set_rasterization_zorder(BADGE)
    if cell.score is not None:
        ax.text(
            0.96,
            0.04,
            f"★ {cell.score:.3f}" if winner else f"{cell.score:.3f}",
            transform=ax.transAxes,
            ha="right",
            va="bottom",
            fontsize=7.5,
            fontweight="bold" if winner else "normal",
            bbox={"boxstyle": "round,pad=0.25", "facecolor": theme.paper, "alpha": 0.9, "linewidth": 0},
            zorder=BADGE,
        )


def _name(ax: Axes, name: str, place: tuple[float, float], offset: tuple[float, float], **style) -> None:
    ax.annotate(
        shortened(name),
        place,
        xytext=offset,
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8.5,
        **{"va": "bottom", "rotation_mode": "anchor", **style},
    )


def _head(ax: Axes, column: str, columns: Sequence[str], size: float) -> None:
    turned = _turned(columns, size)
    _name(ax, column, (0.5, 1), (0, 5), ha="left" if turned else "center", rotation=turned)


def _turned(columns: Sequence[str], size: float) -> int:
    """Degrees that the columns' names are turned by, so that long ones do not meet."""
    # 8.5 pt letters are about 0.08 inch wide.
    return 35 if max(width_of(shortened(name)) for name in [*columns, BEST]) * 0.08 > size else 0


def _note(cells: Iterable[Cell], ideal: bool) -> str:
    cells = list(cells)
    test = [cell.points[cell.points.fold == TEST] for cell in cells if cell.points is not None]
    said = {
        "dots are test rows": any(len(points) for points in test),
        "ringed: misclassified": any(points.wrong.any() for points in test),
        "dashed: the optimal boundary": any(cell.truth is not None for cell in cells),
        "number: test score": any(cell.score is not None for cell in cells),
        "★ chosen by validation": any(cell.winner for cell in cells),
        f"{BEST}: the best possible": ideal,
    }
    return " · ".join(text for text, is_so in said.items() if is_so)
