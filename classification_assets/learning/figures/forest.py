"""Scores of architectures with their intervals, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from classification_assets.learning.figures.canvas.legend import (
    HEIGHT,
    MARK_WIDTH,
    Entry,
    Section,
    key,
)
from classification_assets.learning.figures.canvas.rows import name_rows, rule_rows, tell_rows
from classification_assets.learning.figures.canvas.style import Theme, sheet

WIDTH, ROW, GAP = 3.4, 0.3, 0.85  # inches
NUMBERS = 46  # points, right of a panel
DASHES = (0, (4, 3))


@dataclass(frozen=True, eq=False)
class Scores:
    """One metric of A architectures.

    Attributes
    ----------
    metric : its name, as it is to be read
    value : (A,), on the test fold
    low, high : (A,), ends of its interval
    members : (A,), mean over the members alone, the middle of their spread; by default the value
    spread : (A,), standard deviation over them; NaN where there is none
    best : what is possible at best, or None
    """

    metric: str
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    members: np.ndarray | None = None
    spread: np.ndarray | None = None
    best: float | None = None


def forest(
    names: Sequence[str],
    scores: Sequence[Scores],
    *,
    winner: str | None = None,
    tied: Sequence[bool] | None = None,
    title: str = "",
    note: str = "",
    theme: str = "light",
) -> Figure:
    """A row an architecture, a panel a metric: the score, its interval, and the spread over members.

    Parameters
    ----------
    names : of the A architectures, from the top down
    scores : one or two metrics
    winner : the architecture that validation chose; marked by a star
    tied : (A,), whether an architecture is tied with the best; such are filled, the others hollow
    title : lines after the first are set smaller
    note : small text at the foot
    theme : "light" or "dark"
    """
    A = len(names)
    if not A or not scores:
        raise ValueError(f"a forest needs architectures and scores, got {A} and {len(scores)}")
    for score in scores:
        for field in ("value", "low", "high", "members", "spread"):
            column = getattr(score, field)
            if column is not None and np.shape(column) != (A,):
                raise ValueError(
                    f"{field} of {score.metric} must be ({A},) for {A} names, got {np.shape(column)}"
                )
    filled = np.ones(A, bool) if tied is None else np.asarray(tied, bool)
    height = ROW * max(A, 2)
    with sheet(theme, title, note) as figure:
        panels = [figure.panel(i * (WIDTH + GAP), 0, WIDTH, height) for i in range(len(scores))]
        for ax, score in zip(panels, scores, strict=True):
            _draw(ax, score, filled, figure.theme)
            ax.set_xlabel(score.metric)
            name_rows(ax, names, [name == winner for name in names], figure.theme, mark="★ ")
        for ax in panels[1:]:
            ax.tick_params(labelleft=False)
        key(panels[-1], _sections(scores, winner, tied, figure.theme), figure.theme, gap=NUMBERS)
    return figure


def _draw(ax: Axes, score: Scores, filled: np.ndarray, theme: Theme) -> None:
    rows = np.arange(len(score.value))
    rule_rows(ax, len(rows), theme)
    if score.best is not None and np.isfinite(score.best):
        ax.axvline(score.best, color=theme.ink, linewidth=1, linestyle=DASHES, zorder=1)
    ax.hlines(rows, score.low, score.high, color=theme.accent, linewidth=1.4, zorder=2)
    if score.spread is not None:
        middle = score.value if score.members is None else score.members
        low, high = middle - score.spread, middle + score.spread
        band = ax.hlines(rows, low, high, color=theme.faded(theme.accent, 0.45), linewidth=6, zorder=2.5)
        band.set_capstyle("butt")
    ax.scatter(
        score.value,
        rows,
        s=44,
        facecolors=np.where(filled, theme.accent, theme.paper),
        edgecolors=np.where(filled, theme.paper, theme.accent),
        linewidths=np.where(filled, 0.8, 1.6),
        zorder=4,
    )
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.margins(x=0.04)
    tell_rows(ax, [f"{value:.3f}" for value in score.value], theme)


def _sections(
    scores: Sequence[Scores], winner: str | None, tied: Sequence[bool] | None, theme: Theme
) -> list[Section]:
    ends, middle = [0, MARK_WIDTH], [HEIGHT / 2] * 2

    def dot(hollow: bool) -> Line2D:
        return Line2D(
            [MARK_WIDTH / 2],
            [HEIGHT / 2],
            marker="o",
            markersize=6,
            markerfacecolor=theme.paper if hollow else theme.accent,
            markeredgecolor=theme.accent if hollow else theme.paper,
            markeredgewidth=1.5 if hollow else 0.8,
        )

    marks = [Entry([dot(False)], "ensemble" if tied is None else "tied with the best")]
    if tied is not None and not all(tied):
        marks.append(Entry([dot(True)], "not tied with it"))
    if winner is not None:
        star = Text(MARK_WIDTH / 2, 1, "★", fontsize=9, ha="center", color=theme.ink)
        marks.append(Entry([star], "best of validation"))
    lines = [Entry([Line2D(ends, middle, color=theme.accent, linewidth=1.4)], "95 % interval")]
    if any(score.spread is not None and np.isfinite(score.spread).any() for score in scores):
        band = Line2D(ends, middle, color=theme.faded(theme.accent, 0.45), linewidth=6, solid_capstyle="butt")
        lines.append(Entry([band], "members ± 1 sd"))
    if any(score.best is not None and np.isfinite(score.best) for score in scores):
        lines.append(
            Entry([Line2D(ends, middle, color=theme.ink, linewidth=1, linestyle=DASHES)], "Bayes optimal")
        )
    return [Section("test score", marks), Section("range", lines)]
