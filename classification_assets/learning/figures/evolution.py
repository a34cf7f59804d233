"""How the boundary forms during training: a strip of snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from classification_assets.learning.figures.canvas.landscape import Extent, landscape
from classification_assets.learning.figures.canvas.legend import Section, class_dots, key
from classification_assets.learning.figures.canvas.points import TEST, Points
from classification_assets.learning.figures.canvas.style import COMPARABLE, sheet, without_ticks

ACROSS, SIDE, GAP, BELOW = 4, 1.75, 0.1, 0.42  # snapshots; inches
POINTS = 150


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A classifier's answers at a step of its training.

    Attributes
    ----------
    step : counted in mini-batches
    probabilities : (R, R, C) on an even grid over the extent, edges included, y ascending
    loss : on the validation fold, or None
    """

    step: int
    probabilities: np.ndarray
    loss: float | None = None


def evolution(
    snapshots: Sequence[Snapshot],
    extent: Extent,
    *,
    classes: Sequence[str],
    points: Points | None = None,
    truth: np.ndarray | None = None,
    title: str = "",
    note: str = "",
    theme: str = "light",
) -> Figure:
    """Small boundary pictures of some snapshots, four in a row, with step and validation loss under each.

    Parameters
    ----------
    snapshots : in the order in which they are shown
    extent : (x0, x1, y0, y1)
    classes : names of the C classes
    points : rows on the plane, of which a few of the test fold are drawn
    truth : (Rt, Rt, C), the true posterior on its own grid; its border is dashed
    title : lines after the first are set smaller
    note : small text at the foot
    theme : "light" or "dark"
    """
    if not snapshots:
        raise ValueError("an evolution needs snapshots, got none")
    for snapshot in snapshots:
        if np.ndim(snapshot.probabilities) != 3 or snapshot.probabilities.shape[2] != len(classes):
            raise ValueError(
                f"probabilities of step {snapshot.step} must be (R, R, C) with C = {len(classes)} classes, "
                f"got {np.shape(snapshot.probabilities)}"
            )
    width, height = panel_size(extent, SIDE)
    rows = -(-len(snapshots) // ACROSS)
    # Rows are filled evenly: six snapshots stand three and three.
    across = -(-len(snapshots) // rows)
    drawn = None if points is None else points[points.fold == TEST].inside(extent).thinned(POINTS)
    dashed = "dashed: the optimal boundary" if truth is not None and len(classes) > 1 else ""
    dots = "dots: some of the test rows" if drawn is not None and len(drawn) else ""
    with sheet(theme, title, " · ".join(filter(None, [note, dots, dashed]))) as figure:
        panels = []
        for index, snapshot in enumerate(snapshots):
            row, column = divmod(index, across)
            ax = figure.panel(column * (width + GAP), (rows - 1 - row) * (height + BELOW), width, height)
            landscape(
                ax,
                snapshot.probabilities,
                extent,
                theme=figure.theme,
                points=drawn,
                truth=truth,
                confidence=(),
                scale=0.6,
            )
            without_ticks(ax)
            ax.spines[:].set(visible=True, color=figure.theme.faint, linewidth=0.6)
            _name(ax, snapshot, figure.theme.muted)
            panels.append(ax)
        last_of_first_row = panels[min(across, len(panels)) - 1]
        key(last_of_first_row, [Section("class", class_dots(classes, figure.theme))], figure.theme)
    return figure


def panel_size(extent: Extent, side: float) -> tuple[float, float]:
    """Width and height of a small picture of the extent; comparable ranges have one scale."""
    x0, x1, y0, y1 = extent
    ratio = (x1 - x0) / (y1 - y0)
    if not 1 / COMPARABLE < ratio < COMPARABLE:
        return side, side
    return (side, side / ratio) if ratio > 1 else (side * ratio, side)


def _name(ax: Axes, snapshot: Snapshot, muted: str) -> None:
    place = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top", "ha": "center"}
    step = f"step {snapshot.step:,}" if snapshot.step else "before training"
    ax.annotate(step, (0.5, 0), xytext=(0, -4), fontsize=8.5, fontweight="bold", **place)
    if snapshot.loss is not None:
        ax.annotate(
            f"validation loss {snapshot.loss:.3f}",
            (0.5, 0),
            xytext=(0, -15),
            fontsize=7.5,
            color=muted,
            **place,
        )
