"""Scores of a sweep's networks against what they cost, with those that nothing beats at their cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from classification_assets.learning.figures.canvas.legend import HEIGHT, MARK_WIDTH, Entry, Section, key
from classification_assets.learning.figures.canvas.scale import logarithmic
from classification_assets.learning.figures.canvas.style import Theme, sheet
from classification_assets.learning.figures.sweep.marks import DOTS, dot_entry, evenly, without_anything

WIDTH, HIGH, BESIDE, BELOW = 3.4, 2.3, 0.3, 0.3  # inches
MOST = 2_000
"""Dots of a panel, at most; of more, evenly spaced ones by their score, and all of the front."""

WORST = 0.9
"""Share of the networks that a panel shows at least: the worst would leave no room for the others."""

LEAST_ROOM = 0.002
"""Room of a score's axis beyond the best: smaller differences are no use to anyone."""


@dataclass(frozen=True, eq=False)
class Worth:
    """One score of N configurations.

    Attributes
    ----------
    name : as it is to be read
    value : (N,)
    lower_is_better : bool
    """

    name: str
    value: np.ndarray
    lower_is_better: bool


@dataclass(frozen=True, eq=False)
class Cost:
    """One cost of N configurations, above 0.

    Attributes
    ----------
    name : as it is to be read
    value : (N,)
    """

    name: str
    value: np.ndarray


def front(cost: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Indices of those that no other beats in worth (more is better) at the same cost or less, by rising cost."""
    order = np.lexsort((-worth, cost))
    best = np.maximum.accumulate(worth[order])
    rises = np.concatenate([[True], best[1:] > best[:-1]])
    return order[rises]


def cost(
    worths: Sequence[Worth],
    costs: Sequence[Cost],
    *,
    winner: int | None = None,
    title: str = "",
    note: str = "",
    theme: str = "light",
) -> Figure:
    """A row a score, a column a cost; a stepped line is the Pareto front.

    Parameters
    ----------
    worths : one or two scores of N configurations
    costs : one or two costs
    winner : the index of the configuration that won, marked by a star
    title : lines after the first are set smaller
    note : small text at the foot
    theme : "light" or "dark"
    """
    if not len(worths[0].value):
        return without_anything("no configuration was trained to its end", title, theme)
    limits = [_limits(worth, costs) for worth in worths]
    beyond = [
        int(((worth.value < low) | (worth.value > high)).sum())
        for worth, (low, high) in zip(worths, limits, strict=True)
    ]
    if max(beyond):
        note = " · ".join(filter(None, [note, f"worse ones beyond the axis: {max(beyond):,}"]))
    with sheet(theme, title, note) as figure:
        for row, (worth, limit) in enumerate(zip(worths, limits, strict=True)):
            for column, price in enumerate(costs):
                up = (len(worths) - 1 - row) * (HIGH + BELOW)
                ax = figure.panel(column * (WIDTH + BESIDE), up, WIDTH, HIGH)
                _draw(ax, worth, price, winner, figure.theme)
                ax.set_ylim(*limit)
                _price_axis(ax, price, row == len(worths) - 1)
                if column == 0:
                    ax.set_ylabel(worth.name)
                else:
                    ax.tick_params(labelleft=False)
                if row == 0 and column == len(costs) - 1:
                    key(ax, _sections(winner is not None, figure.theme), figure.theme)
    return figure


def _limits(worth: Worth, costs: Sequence[Cost]) -> tuple[float, float]:
    """Ends of a score's axis: the best, all of each front, and most of the others."""
    good = np.asarray(worth.value, float) * (-1 if worth.lower_is_better else 1)
    fronts = min(float(good[front(price.value, good)].min()) for price in costs)
    low, high = min(float(np.quantile(good, 1 - WORST)), fronts), float(good.max())
    room = max(0.07 * (high - low), LEAST_ROOM)
    ends = low - room, high + room
    return (-ends[1], -ends[0]) if worth.lower_is_better else ends


def _draw(ax: Axes, worth: Worth, price: Cost, winner: int | None, theme: Theme) -> None:
    sign = -1 if worth.lower_is_better else 1
    value, spent = np.asarray(worth.value, float), np.asarray(price.value, float)
    best = front(spent, sign * value)
    drawn = evenly(np.argsort(sign * value, kind="stable"), MOST)
    ax.plot(
        spent[drawn],
        value[drawn],
        **DOTS,
        markersize=float(np.clip(16 * np.sqrt(100 / len(drawn)), 4, 16)) ** 0.5,
        color=theme.faded(theme.muted, 0.35),
        alpha=0.6,
        markeredgewidth=0,
        rasterized=len(drawn) > 300,
    )
    ends = np.append(spent[best], spent.max() * 1.15)
    ax.step(
        ends,
        np.append(value[best], value[best[-1]]),
        where="post",
        color=theme.accent,
        linewidth=1.4,
        zorder=3,
    )
    edged = DOTS | {"markeredgecolor": theme.paper, "markeredgewidth": 0.7, "zorder": 4}
    ax.plot(spent[best], value[best], **edged, markersize=30**0.5, color=theme.accent)
    if winner is not None:
        star = {"marker": "*", "markersize": 110**0.5, "markeredgewidth": 0.8, "zorder": 5}
        ax.plot(spent[winner], value[winner], **edged | star, color=theme.ink)
    ax.grid(True, axis="y")


def _price_axis(ax: Axes, price: Cost, lowest: bool) -> None:
    spent = np.asarray(price.value, float)
    low, high = float(spent.min()), float(spent.max())
    logarithmic(ax.xaxis, low, high, most=5, written=_number)
    ax.set_xlim(low / 1.25, high * 1.25)
    if lowest:
        ax.set_xlabel(price.name)
    else:
        ax.tick_params(labelbottom=False)


def _number(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:.3g}M"
    return f"{value / 1000:.3g}k" if value >= 1000 else f"{value:.3g}"


def _sections(winner: bool, theme: Theme) -> list[Section]:
    star = {"marker": "*", "markersize": 9}
    middle = [HEIGHT / 2] * 2
    along = Line2D([0, MARK_WIDTH], middle, color=theme.accent, linewidth=1.4)
    best = dot_entry("Pareto front", theme.accent, markersize=5)
    marks = [
        *([dot_entry("winner", theme.ink, **star)] if winner else []),
        Entry([along, *best.marks], best.label),
        dot_entry("others", theme.faded(theme.muted, 0.35), markersize=4.5),
    ]
    return [Section("configuration", marks)]
