"""The decision-boundary figure: what the model says everywhere, the rows, and what would be optimal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from scipy.ndimage import distance_transform_edt

from classification_assets.learning.figures.canvas.landscape import (
    DASHES,
    DISAGREEMENT,
    HATCH,
    Extent,
    landscape,
)
from classification_assets.learning.figures.canvas.legend import (
    HEIGHT,
    MARK_WIDTH,
    Entry,
    Section,
    class_scales,
    key,
    shortened,
    width_of,
)
from classification_assets.learning.figures.canvas.points import (
    TEST,
    TRAIN,
    VALIDATION,
    Points,
    chosen_rows,
    point_mark,
)
from classification_assets.learning.figures.canvas.style import (
    DPI,
    NO_WORDS,
    Theme,
    Words,
    axis_names,
    map_size,
    sheet,
)
from classification_assets.learning.figures.gallery import Cell

TOLD_BY_COLOUR = 8
REGION_NAME, REGION_LETTER, REGION_LINE = 16, 0.066, 0.18
"""Letters of a name on the map, and inches of one letter and of a line with the room round it."""


def boundary(
    probabilities: np.ndarray,
    extent: Extent,
    *,
    classes: Sequence[str],
    points: Points | None = None,
    truth: np.ndarray | None = None,
    disagreement: np.ndarray | None = None,
    title: str = "",
    note: str = "",
    names: tuple[str, str] = ("x1", "x2"),
    words: Words = NO_WORDS,
    theme: str = "light",
) -> Figure:
    """The probabilities of C classes over a plane, with the decision line and the rows.

    Parameters
    ----------
    probabilities : (R, R, C) on an even grid over the extent, edges included, y ascending
    extent : (x0, x1, y0, y1)
    classes : names of the C classes
    points : rows on the plane; more than 3,000 are thinned, and the note says so
    truth : (Rt, Rt, C), the true posterior on its own grid over the extent; its border is dashed
    disagreement : (R, R), share of members that vote against the ensemble; hatched above a fifth
    title : lines after the first are set smaller
    note : small text at the foot
    names : labels of the axes; an axis without a label gets no ticks
    words : what a value is called, by the label of its axis, where it is no number
    theme : "light" or "dark"
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 3 or probabilities.shape[2] != len(classes):
        raise ValueError(
            f"probabilities must be (R, R, C) with C = {len(classes)} classes, got {probabilities.shape}"
        )
    shown, remarks = chosen_rows(points, extent)
    with sheet(theme, title, " · ".join([*filter(None, [note]), *remarks])) as figure:
        ax = figure.panel(0, 0, *map_size(extent, names))
        landscape(
            ax,
            probabilities,
            extent,
            theme=figure.theme,
            points=shown,
            truth=truth,
            disagreement=disagreement,
        )
        if len(classes) > TOLD_BY_COLOUR:
            _name_regions(ax, probabilities, extent, classes, figure.theme)
        axis_names(ax, names, words)
        ax.spines[:].set_visible(False)
        drawn = Cell(probabilities, extent, classes, shown, truth, disagreement=disagreement)
        key(ax, legend_sections(classes, [drawn], figure.theme), figure.theme)
    return figure


def _name_regions(
    ax: Axes, probabilities: np.ndarray, extent: Extent, classes: Sequence[str], theme: Theme
) -> None:
    """Write each class's name where its region is widest: nobody finds one of 20 colours in a legend.

    A name lies inside of the panel and on no other one; a region that has no room for its own goes without.
    """
    x0, x1, y0, y1 = extent
    R = len(probabilities)
    winner = probabilities.argmax(axis=2)
    panel = ax.get_window_extent()
    row, column = np.mgrid[0:R, 0:R]
    placed: list[tuple[int, int, float]] = []
    height = REGION_LINE * R / (panel.height / DPI)
    # The smallest regions first: they have the least choice.
    for c in sorted(np.unique(winner), key=lambda c: (winner == c).sum()):
        name = shortened(classes[c], REGION_NAME)
        width = (width_of(name) * REGION_LETTER + 0.08) * R / (panel.width / DPI)
        depth = np.asarray(distance_transform_edt(np.pad(winner == c, 1)))[1:-1, 1:-1]
        free = (np.minimum(column, R - 1 - column) >= width / 2) & (
            np.minimum(row, R - 1 - row) >= height / 2
        )
        for other_row, other_column, other_width in placed:
            beside = np.abs(column - other_column) >= (width + other_width) / 2
            free &= beside | (np.abs(row - other_row) >= height)
        depth = np.where(free, depth, 0)
        at_row, at_column = np.unravel_index(depth.argmax(), depth.shape)
        if depth[at_row, at_column] < 0.03 * R:
            continue
        placed.append((int(at_row), int(at_column), width))
        ax.text(
            x0 + (x1 - x0) * at_column / (R - 1),
            y0 + (y1 - y0) * at_row / (R - 1),
            name,
            ha="center",
            va="center_baseline",
            fontsize=7.5,
            bbox={"boxstyle": "round,pad=0.2", "facecolor": theme.paper, "alpha": 0.75, "linewidth": 0},
            clip_on=True,
            zorder=6,
        )


def legend_sections(classes: Sequence[str], drawn: Sequence[Cell], theme: Theme) -> list[Section]:
    """Sections of the key of boundary pictures: the classes, the rows, the lines."""
    rows, points = [], [cell.points for cell in drawn if cell.points is not None]
    if points:
        fold, wrong = (np.concatenate([getattr(own, name) for own in points]) for name in ("fold", "wrong"))
        test = fold == TEST
        learnt = [name for value, name in ((TRAIN, "train"), (VALIDATION, "validation")) if value in fold]
        for role, label, which in (
            ("train", ", ".join(learnt), ~test),
            ("test", "test", test & ~wrong),
            ("misclassified", "misclassified test", test & wrong),
        ):
            if which.any():
                rows.append(Entry([point_mark(role, theme, MARK_WIDTH / 2, HEIGHT / 2)], label))
    middle, ends = [HEIGHT / 2] * 2, [0, MARK_WIDTH]
    lines = []
    if len(classes) > 1:
        lines.append(Entry([Line2D(ends, middle, color=theme.ink, linewidth=1.5)], "decision"))
    if len(classes) > 1 and any(cell.truth is not None for cell in drawn):
        # Three dashes and the gaps between them.
        dashed = Line2D([1, MARK_WIDTH - 1], middle, color=theme.ink, linewidth=1.0, linestyle=DASHES)
        lines.append(Entry([dashed], "Bayes optimal"))
    if any(cell.disagreement is not None and np.max(cell.disagreement) > DISAGREEMENT for cell in drawn):
        patch = Rectangle(
            (0, 0),
            MARK_WIDTH,
            HEIGHT,
            facecolor="none",
            edgecolor=theme.faded(theme.ink, 0.5),
            linewidth=0,
            hatch=HATCH,
        )
        lines.append(Entry([patch], "members disagree"))
    return [
        Section("class and probability, %", class_scales(classes, theme)),
        Section("rows", rows),
        Section("boundary", lines),
    ]
