"""How far each column has drifted: its effect against the bound from which it matters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from classification_assets.learning.figures.canvas.legend import (
    HEIGHT,
    MARK_WIDTH,
    Entry,
    Section,
    key,
)
from classification_assets.learning.figures.canvas.rows import name_rows, tell_rows
from classification_assets.learning.figures.canvas.style import sheet

MOST = 24
"""Columns that are drawn, at most: those that have drifted furthest."""

LEAST = 5
"""Rows of the panel, at least: the legend beside it is as high."""

WIDTH, ROW = 3.6, 0.27  # inches
NUMBERS = 46  # points, right of the panel
REACH = 4.0
"""Times the bound at which the axis ends: a bar that goes further is cut, and its number says how far."""


def drift_bars(
    names: Sequence[str],
    times: np.ndarray,
    alarm: np.ndarray,
    *,
    title: str = "",
    note: str = "",
    theme: str = "light",
) -> Figure:
    """A bar for each of D comparisons, the largest on top.

    Parameters
    ----------
    names : of what is compared
    times : (D,), each effect in multiples of the bound from which it matters
    alarm : (D,), whether it matters and is significant; such bars are filled
    title : lines after the first are set smaller
    note : small text at the foot
    theme : "light" or "dark"
    """
    D = len(names)
    if not D or np.shape(times) != (D,) or np.shape(alarm) != (D,):
        raise ValueError(f"a drift figure needs an effect of each of {D} names, got {np.shape(times)}")
    order = np.argsort(-np.asarray(times, float), kind="stable")[:MOST]
    if D > MOST:
        note = f"{note}; " if note else ""
        note += f"the {MOST} largest of {D} are drawn"
    shown, drifted = np.asarray(times, float)[order], np.asarray(alarm, bool)[order]
    reach = max(1.25, min(REACH, float(shown.max()) * 1.05))
    with sheet(theme, title, note) as figure:
        ax, colours = figure.panel(0, 0, WIDTH, ROW * max(len(order), LEAST)), figure.theme
        quiet = colours.faded(colours.muted, 0.45)
        rows = np.arange(len(order))
        ax.barh(
            rows, np.minimum(shown, reach), 0.62, color=[colours.accent if own else quiet for own in drifted]
        )
        ax.axvline(1, color=colours.ink, linewidth=1, linestyle=(0, (4, 3)))
        ax.set(
            xlim=(0, reach),
            xlabel="effect, in multiples of what matters",
        )
        name_rows(ax, [names[index] for index in order], drifted.tolist(), colours, least=LEAST)
        tell_rows(ax, [f"{value:.2f} ×" for value in shown], colours)
        key(ax, _sections(colours.accent, quiet, colours.ink, drifted), colours, gap=NUMBERS)
    return figure


def _sections(alarm: str, quiet: str, ink: str, drifted: np.ndarray) -> list[Section]:
    def bar(colour: str) -> Rectangle:
        return Rectangle((0, HEIGHT / 2 - 3), MARK_WIDTH, 6, facecolor=colour, edgecolor="none")

    marks = [Entry([bar(alarm)], "drift: large and significant")] if drifted.any() else []
    marks += [Entry([bar(quiet)], "no alarm")] if not drifted.all() else []
    bound = Line2D([0, MARK_WIDTH], [HEIGHT / 2] * 2, color=ink, linewidth=1, linestyle=(0, (4, 3)))
    return [Section("new rows", [*marks, Entry([bound], "matters from here")])]
