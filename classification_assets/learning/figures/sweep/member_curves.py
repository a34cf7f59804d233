"""Learning curves of all networks of a sweep in one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from classification_assets.learning.figures.canvas.legend import Section, key
from classification_assets.learning.figures.canvas.scale import logarithmic
from classification_assets.learning.figures.canvas.style import Theme, sheet
from classification_assets.learning.figures.sweep.marks import (
    FAILED,
    evenly,
    line_entry,
    shade_entry,
    shades,
    without_anything,
)

WIDTH, HIGH = 5.9, 3.5  # inches
MOST = 1_000
"""Curves that are drawn; of more, evenly spaced ones by their place, and all that belong to the winner."""

_BEYOND = 0.94


def member_curves(
    curves: Sequence[np.ndarray],
    place: np.ndarray,
    state: np.ndarray,
    winner: np.ndarray,
    *,
    rungs: Sequence[int] = (),
    title: str = "",
    theme: str = "light",
) -> Figure:
    """Log loss after each epoch of K networks.

    Parameters
    ----------
    curves : K arrays (E_k,), from the first epoch on; they end where a network was dropped or failed
    place : (K,), the share of others that its configuration is better than
    state : (K,), finished, dropped or failed
    winner : (K,) bool, whether a network is of the winning configuration
    rungs : epochs after which networks were dropped
    title : lines after the first are set smaller
    theme : "light" or "dark"
    """
    drawable = np.array([bool(np.isfinite(curve).any()) for curve in curves], bool)
    if not drawable.any():
        return without_anything("no network has a finite log loss", title, theme)
    order = np.flatnonzero(drawable)[np.argsort(place[drawable], kind="stable")]
    shown = evenly(order, MOST)
    shown = np.concatenate([shown[~winner[shown]], order[winner[order]]])
    note = f"{len(shown):,} of {len(curves):,} networks are drawn" if len(shown) < len(curves) else ""
    if len(missing := np.flatnonzero(~drawable)) and len(shown) == len(curves) - len(missing):
        note = f"{len(missing):,} networks failed in their first epoch and have no curve"
    with sheet(theme, title, note) as figure:
        ax, theme_ = figure.panel(0, 0, WIDTH, HIGH), figure.theme
        _lines(ax, curves, place, state, winner, shown, theme_)
        for epochs in rungs[:-1]:
            ax.axvline(epochs, color=theme_.muted, linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)
        longest = max(len(curves[index]) for index in shown)
        ax.set(xlim=(1, max(longest, 2)), xlabel="epoch", ylabel="log loss on rows not learned from")
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        _scale(ax, [curves[index] for index in shown], [curves[index] for index in shown[winner[shown]]])
        ax.grid(True, axis="y")
        key(ax, _sections(state[shown], bool(winner[shown].any()), len(rungs) > 1, theme_), theme_)
    return figure


def _lines(
    ax: Axes,
    curves: Sequence[np.ndarray],
    place: np.ndarray,
    state: np.ndarray,
    winner: np.ndarray,
    shown: np.ndarray,
    theme: Theme,
) -> None:
    crowd = float(np.clip(np.sqrt(120 / len(shown)), 0.4, 1.0))
    # The worse the fainter: of a thousand lines the good ones would be hidden.
    colours = np.column_stack([shades(place, theme), (0.25 + 0.65 * place**2) * (0.4 + 0.6 * crowd)])
    epochs = np.arange(1.0, max(len(curves[row]) for row in shown) + 1)
    failure = (*to_rgb(FAILED), 0.3 + 0.4 * crowd)
    widths = {"dropped": 0.6, "finished": 0.5 + 0.6 * crowd, "failed": 0.7}
    for layer, (name, width) in enumerate(widths.items()):
        rows = shown[(state[shown] == name) & ~winner[shown]]
        lines = [np.array([epochs[: len(curves[row])], curves[row]]).T for row in rows]
        colour = failure if name == "failed" else colours[rows]
        bundle = LineCollection(lines, colors=colour, linewidths=width, zorder=2 + layer / 3)
        # A thousand lines would make an SVG of megabytes.
        bundle.set_rasterized(len(shown) > 100)
        ax.add_collection(bundle, autolim=False)
    # A curve of one epoch is a dot.
    for row in shown[[len(curves[row]) == 1 for row in shown]]:
        ax.plot(
            1,
            curves[row][0],
            marker="o",
            markersize=2.5,
            color=FAILED if state[row] == "failed" else colours[row],
        )
    for row in shown[winner[shown]]:
        own = epochs[: len(curves[row])], curves[row]
        ax.plot(*own, color=theme.paper, linewidth=3.4, zorder=4)
        ax.plot(*own, color=theme.ink, linewidth=1.8, zorder=5)


def _scale(ax: Axes, curves: Sequence[np.ndarray], whole: Sequence[np.ndarray]) -> None:
    """From the best to most of the values, and to all of some curves."""
    values = np.concatenate([curve[np.isfinite(curve)] for curve in curves])
    low, high = float(values.min()), float(np.quantile(values, _BEYOND))
    high = max([high, low + 1e-3, *(float(np.nanmax(curve)) for curve in whole)])
    if low > 0:
        logarithmic(ax.yaxis, low, high)
        ax.set_ylim(low / 1.15, high * 1.15)
    else:
        ax.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))


def _sections(state: np.ndarray, winner: bool, rungs: bool, theme: Theme) -> list[Section]:
    lines = [line_entry("winner", theme.ink, linewidth=1.8)] if winner else []
    if (state == "failed").any():
        lines.append(line_entry("failed", FAILED, linewidth=0.9))
    if rungs:
        lines.append(line_entry("some are dropped", theme.muted, linewidth=0.8, linestyle=(0, (1, 2))))
    return [Section("place", [shade_entry("worst to best", theme)]), Section("network", lines)]
