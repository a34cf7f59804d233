"""Boundaries over each pair of some features, the others at their median."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from classification_assets.learning.figures.boundary import legend_sections
from classification_assets.learning.figures.canvas.landscape import landscape
from classification_assets.learning.figures.canvas.legend import key, shortened
from classification_assets.learning.figures.canvas.points import chosen_rows
from classification_assets.learning.figures.canvas.style import NO_WORDS, Words, axis_names, sheet
from classification_assets.learning.figures.gallery import Cell

SIDES = {2: 3.6, 3: 2.5, 4: 1.85}  # inches, by number of features
GAP = 0.12
POINTS_PER_SQUARE_INCH = 110


def boundary_matrix(
    features: Sequence[str],
    cells: Mapping[tuple[int, int], Cell],
    *,
    classes: Sequence[str],
    words: Words = NO_WORDS,
    title: str = "",
    note: str = "",
    theme: str = "light",
) -> Figure:
    """A triangle of boundary pictures: a column for each feature on the x axis, a row for each on the y axis.

    Parameters
    ----------
    features : names of two to four features
    cells : by the places (x, y) of their features, x < y; all pairs
    classes : names of the C classes
    words : what a value is called, by the name of its feature, where it is no number
    title : lines after the first are set smaller
    note : small text at the foot
    theme : "light" or "dark"
    """
    F = len(features)
    pairs = [(x, y) for y in range(1, F) for x in range(y)]
    if F not in SIDES or set(cells) != set(pairs):
        raise ValueError(
            f"a matrix shows all pairs of 2 to 4 features, got {F} features and the pairs {sorted(cells)}"
        )
    side, shown = SIDES[F], {}
    remarks: dict[str, None] = {}
    for pair, cell in cells.items():
        rows, said = chosen_rows(cell.points, cell.extent)
        if rows is not None and len(rows) > (most := int(POINTS_PER_SQUARE_INCH * side**2)):
            rows, said = rows.thinned(most), [f"at most {most:,} rows are drawn in each picture"]
        shown[pair] = replace(cell, points=rows)
        remarks |= dict.fromkeys(said if len(said) < 2 else said[1:])
    with sheet(theme, title, " · ".join([*filter(None, [note]), *remarks])) as figure:
        for x, y in pairs:
            place = x * (side + GAP), (F - 1 - y) * (side + GAP)
            ax = figure.panel(*place, side, side)
            cell = shown[x, y]
            landscape(
                ax,
                cell.probabilities,
                cell.extent,
                theme=figure.theme,
                points=cell.points,
                truth=cell.truth,
                disagreement=cell.disagreement,
                scale=0.75,
            )
            _frame(ax, features[x] if y == F - 1 else "", features[y] if x == 0 else "", words)
        beside = figure.panel((F - 1) * (side + GAP) - GAP, 0, 0.01, (F - 1) * (side + GAP) - GAP)
        beside.set_axis_off()
        key(beside, legend_sections(classes, list(shown.values()), figure.theme), figure.theme)
    return figure


def _frame(ax: Axes, below: str, left: str, words: Words) -> None:
    ax.spines[:].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    called = {shortened(name): words[name] for name in (below, left) if name in words}
    axis_names(ax, (shortened(below), shortened(left)), called)
