"""The effect of each hyper-parameter on how good a network becomes, one panel each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from classification_assets.learning.figures.canvas.legend import Section, key, shortened
from classification_assets.learning.figures.canvas.style import Theme, sheet
from classification_assets.learning.figures.sweep.marks import (
    DOTS,
    FAILED,
    dot_entry,
    evenly,
    label_ticks,
    line_entry,
    turned,
    without_anything,
)
from classification_assets.learning.sweeps.axes import Axis
from classification_assets.learning.sweeps.importance import Effect, Importance

WIDTH, HIGH, BESIDE, BELOW, TURNED, ACROSS = 2.2, 1.5, 0.3, 0.56, 0.45, 3  # inches
MOST = 500
"""Configurations whose dots are drawn in a panel; of more, evenly spaced ones by their place."""

JITTER_SEED = 1_618_033


def effects(
    axes: Sequence[Axis],
    place: np.ndarray,
    failed: np.ndarray,
    found: Importance | None,
    *,
    title: str = "",
    note: str = "",
    theme: str = "light",
) -> Figure:
    """Place of N configurations against each hyper-parameter, and what is expected of its values alone.

    Parameters
    ----------
    axes : of the hyper-parameters
    place : (N,), the share of others that each configuration is better than
    failed : (N,) bool
    found : the effects with their bands, the most important first; None where there are too few configurations
    title : lines after the first are set smaller
    note : small text at the foot
    theme : "light" or "dark"
    """
    if not axes:
        return without_anything("no hyper-parameter has more than one value", title, theme)
    by_name = {effect.axis.name: effect for effect in found.effects} if found else {}
    ordered = [by_name[name].axis for name in by_name] or list(axes)
    matters = dict(zip(by_name, found.matters.tolist(), strict=True)) if found else {}
    share = dict(zip(by_name, found.share.tolist(), strict=True)) if found else {}
    shown = evenly(np.argsort(place, kind="stable"), MOST)
    if len(shown) < len(place):
        note = " · ".join(filter(None, [note, f"{len(shown):,} of {len(place):,} dots are drawn"]))
    rows = -(-len(ordered) // ACROSS)
    below = BELOW + TURNED * any(turned(axis, WIDTH) for axis in ordered)
    with sheet(theme, title, note) as figure:
        for index, axis in enumerate(ordered):
            row, column = divmod(index, ACROSS)
            ax = figure.panel(column * (WIDTH + BESIDE), (rows - 1 - row) * (HIGH + below), WIDTH, HIGH)
            _dots(ax, axis, place, failed, shown, figure.theme)
            if axis.name in by_name:
                _effect(ax, by_name[axis.name], matters[axis.name], figure.theme)
            told = "" if axis.name not in by_name else "none shown"
            if matters.get(axis.name):
                told = f"decides {100 * share[axis.name]:.0f} %"
            _frame(ax, axis, told, column == 0, figure.theme)
            if index == min(ACROSS, len(ordered)) - 1:
                key(ax, _sections(found, bool(failed.any()), figure.theme), figure.theme, gap=10)
    return figure


def _dots(
    ax: Axes, axis: Axis, place: np.ndarray, failed: np.ndarray, shown: np.ndarray, theme: Theme
) -> None:
    rng = np.random.default_rng(JITTER_SEED)
    jitter = rng.uniform(-0.3, 0.3, len(place)) if axis.levels else np.zeros(len(place))
    size = float(np.clip(9 * np.sqrt(150 / len(shown)), 2.0, 9))
    for which, look in (
        (~failed, {"color": theme.faded(theme.muted, 0.35), "markeredgewidth": 0, "alpha": 0.55}),
        (failed, {"color": FAILED, "marker": "x", "markeredgewidth": 0.7, "alpha": 0.7}),
    ):
        rows = shown[which[shown] & axis.used[shown]]
        if not len(rows):
            continue
        ax.plot(
            axis.position[rows] + jitter[rows],
            100 * place[rows],
            **DOTS | {"markersize": size**0.5, "rasterized": len(shown) > 300} | look,
        )


def _effect(ax: Axes, effect: Effect, matters: bool, theme: Theme) -> None:
    colour = theme.accent if matters else theme.muted
    place, low, high = (100 * part for part in (effect.place, effect.low, effect.high))
    if effect.axis.levels:
        if effect.axis.ordered:
            ax.plot(effect.grid, place, color=theme.faded(colour, 0.4), linewidth=1.2, zorder=3)
        bars = np.column_stack([low, high, np.full(len(low), np.nan)]).ravel()
        ax.plot(np.repeat(effect.grid, 3), bars, color=colour, linewidth=1.6, solid_capstyle="butt", zorder=4)
        look = {"markersize": 30**0.5, "markeredgecolor": theme.paper, "markeredgewidth": 0.8, "zorder": 5}
        ax.plot(effect.grid, place, **DOTS | look, color=colour)
    else:
        ax.fill_between(effect.grid, low, high, color=colour, alpha=0.28, linewidth=0, zorder=3)
        ax.plot(effect.grid, place, color=colour, linewidth=1.8, zorder=4)


def _frame(ax: Axes, axis: Axis, told: str, first: bool, theme: Theme) -> None:
    if axis.levels:
        ax.set_xlim(-0.5, len(axis.levels) - 0.5)
    else:
        low, high = axis.position[axis.used].min(), axis.position[axis.used].max()
        ax.set_xlim(low - 0.03 * (high - low), high + 0.03 * (high - low))
    label_ticks(ax, axis, WIDTH)
    ax.set_ylim(-3, 103)
    ax.yaxis.set_major_locator(FixedLocator([0, 25, 50, 75, 100]))
    ax.grid(True, axis="y")
    if first:
        ax.set_ylabel("place (100: best)")
    else:
        ax.tick_params(labelleft=False)
    ax.set_title(
        shortened(axis.name, 16), loc="left", fontsize=8.5, pad=4, color=theme.ink, fontweight="bold"
    )
    ax.set_title(told, loc="right", fontsize=7.5, pad=4, y=1, color=theme.muted)


def _sections(found: Importance | None, failed: bool, theme: Theme) -> list[Section]:
    lines = [
        line_entry("expected", theme.accent, linewidth=1.8),
        line_entry("95 % interval", theme.faded(theme.accent, 0.65), linewidth=6, solid_capstyle="butt"),
    ]
    if found and not found.matters.all():
        lines.append(line_entry("no difference shown", theme.muted, linewidth=1.8))
    dots = [dot_entry("one each", theme.faded(theme.muted, 0.3), markersize=3.5)]
    if failed:
        dots.append(dot_entry("failed", FAILED, marker="x", markersize=4.5, markeredgecolor=FAILED))
    return [Section("effect", lines if found else []), Section("configurations", dots)]
