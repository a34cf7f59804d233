"""All configurations of a sweep as lines through one axis a hyper-parameter, the best on top."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.transforms import offset_copy

from classification_assets.learning.figures.canvas.legend import Section, key, shortened
from classification_assets.learning.figures.canvas.style import Theme, sheet
from classification_assets.learning.figures.sweep.marks import (
    LETTER,
    evenly,
    line_entry,
    shade_entry,
    shades,
    ticks_of,
    without_anything,
)
from classification_assets.learning.sweeps.axes import Axis

LEAST_APART, MOST_APART, WIDEST, HIGH = 0.55, 1.5, 6.2, 3.1  # inches
MOST = 110
"""Lines of configurations; of more, evenly spaced ones by their place, and all of the best."""

BEST, FEWEST_BEST, MOST_BEST = 0.05, 3, 15
"""Share of the configurations that is drawn strongly, but so many at least and at most."""

UNUSED = -0.12
SPREAD = 0.05
JITTER_SEED = 1_414_213


def parallel_coordinates(
    axes: Sequence[Axis],
    place: np.ndarray,
    *,
    title: str = "",
    note: str = "",
    theme: str = "light",
) -> Figure:
    """N configurations as lines; the last axis is their place.

    Parameters
    ----------
    axes : of the hyper-parameters, from the left
    place : (N,), the share of others that each configuration is better than
    title : lines after the first are set smaller
    note : small text at the foot
    theme : "light" or "dark"
    """
    if not axes:
        return without_anything("no hyper-parameter has more than one value", title, theme)
    order = np.argsort(place, kind="stable")
    best = min(len(order), int(np.clip(round(BEST * len(order)), FEWEST_BEST, MOST_BEST)))
    shown = np.concatenate([evenly(order[:-best], MOST - best), order[-best:]])
    if len(shown) < len(place):
        note = " · ".join(filter(None, [note, f"{len(shown):,} of {len(place):,} configurations are drawn"]))
    apart = float(np.clip(WIDEST / len(axes), LEAST_APART, MOST_APART))
    unused = any(not axis.used[shown].all() for axis in axes)
    with sheet(theme, title, note) as figure:
        ax = figure.panel(0, 0, apart * len(axes), HIGH)
        ax.set(
            xlim=(-0.03, len(axes) + 0.03),
            ylim=(UNUSED - 0.03 if unused else -0.03, 1.03),
            xticks=[],
            yticks=[],
        )
        ax.spines[:].set_visible(False)
        heights = np.column_stack([*(_heights(axis) for axis in axes), place])
        _lines(ax, heights, place, shown, best, figure.theme)
        names = [shortened(name) for name in (*(axis.name for axis in axes), "place")]
        # Letters of 8 points, bold, are about 0.083 inch wide.
        turned = max((len(one) + len(other)) / 2 for one, other in pairwise(names)) * 0.083 > apart - 0.1
        for column, axis in enumerate(axes):
            positions, labels = ticks_of(axis, 7)
            _axis(ax, column, axis.name, _height_of(axis, positions), labels, apart, turned, figure.theme)
        quarters = np.linspace(0, 1, 5)
        _axis(
            ax,
            len(axes),
            "place",
            quarters,
            [f"{100 * at:.0f}" for at in quarters],
            apart,
            turned,
            figure.theme,
        )
        if unused:
            look = {"fontsize": 7.5, "color": figure.theme.muted, "ha": "right", "va": "center"}
            ax.annotate("no use", (0, UNUSED), xytext=(-8, 0), textcoords="offset points", **look)
        marks = [line_entry(f"best {best}", figure.theme.accent, linewidth=1.5)]
        scale = Section("place", [shade_entry("worst to best", figure.theme)])
        key(ax, [scale, Section("configurations", marks)], figure.theme, gap=34)
    return figure


def _heights(axis: Axis) -> np.ndarray:
    """Where each configuration crosses the axis, (N,): 0 is its foot; those of one level beside one another."""
    rng = np.random.default_rng(JITTER_SEED)
    spread = rng.uniform(-SPREAD, SPREAD, len(axis.position)) if axis.levels else 0.0
    room = 1 - 2 * SPREAD if axis.levels else 1.0
    heights = (1 - room) / 2 + room * _share(axis, axis.position) + spread
    return np.where(axis.used, heights, UNUSED)


def _height_of(axis: Axis, positions: np.ndarray) -> np.ndarray:
    room = 1 - 2 * SPREAD if axis.levels else 1.0
    return (1 - room) / 2 + room * _share(axis, positions)


def _share(axis: Axis, positions: np.ndarray) -> np.ndarray:
    known = axis.position[axis.used]
    low, high = (0.0, len(axis.levels) - 1.0) if axis.levels else (known.min(), known.max())
    return (positions - low) / (high - low)


def _lines(
    ax: Axes, heights: np.ndarray, place: np.ndarray, shown: np.ndarray, best: int, theme: Theme
) -> None:
    columns = np.arange(heights.shape[1])
    colours = shades(place, theme)
    for rows, look in (
        (shown[:-best], {"linewidths": 0.6, "alpha": 0.45, "zorder": 2}),
        (shown[-best:], {"linewidths": 1.5, "alpha": 0.9, "zorder": 3}),
    ):
        lines = LineCollection(
            [np.column_stack([columns, heights[row]]) for row in rows], colors=colours[rows], **look
        )
        lines.set_rasterized(len(shown) > 100)
        ax.add_collection(lines, autolim=False)


def _axis(
    ax: Axes,
    column: int,
    name: str,
    heights: np.ndarray,
    labels: Sequence[str],
    apart: float,
    turned: bool,
    theme: Theme,
) -> None:
    # The axis and its marks are one line, with gaps.
    marks = np.column_stack([heights, heights, np.full(len(heights), np.nan)]).ravel()
    across = np.tile([column - 0.02, column + 0.02, np.nan], len(heights))
    places = [column, column, np.nan, *across], [0, 1, np.nan, *marks]
    ax.plot(*places, color=theme.ink, linewidth=0.8, zorder=4)
    box = {"boxstyle": "round,pad=0.12", "facecolor": theme.paper, "alpha": 0.82, "linewidth": 0}
    # The first axis has its labels on the left, where there are no lines.
    side, ha = (-4, "right") if column == 0 else (4, "left")
    beside = offset_copy(ax.transData, ax.get_figure(), side, 0, units="points")
    for height, label in zip(heights, labels, strict=True):
        ax.text(
            column,
            height,
            shortened(label, max(6, int(apart / LETTER) - 3)),
            transform=beside,
            ha=ha,
            va="center",
            fontsize=7.5,
            color=theme.ink,
            bbox=box,
            zorder=6,
        )
    ax.text(
        column,
        1,
        shortened(name),
        transform=offset_copy(ax.transData, ax.get_figure(), 0, 9, units="points"),
        ha="left" if turned else "center",
        va="bottom",
        rotation=30 if turned else 0,
        rotation_mode="anchor",
        fontsize=8,
        fontweight="bold",
        color=theme.ink,
    )
