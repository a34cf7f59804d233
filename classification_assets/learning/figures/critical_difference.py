"""Average ranks over experiments, and which of them may be chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from classification_assets.learning.figures.canvas.legend import shortened
from classification_assets.learning.figures.canvas.style import Theme, sheet

WIDTH, ROW, BAR = 5.2, 0.24, 0.13  # inches


def critical_difference(
    names: Sequence[str],
    ranks: np.ndarray,
    groups: Sequence[Sequence[int]],
    *,
    n_experiments: int,
    difference: float | None = None,
    title: str = "",
    note: str = "",
    theme: str = "light",
) -> Figure:
    """Architectures on an axis of average ranks; a bar joins those that do not differ (Demšar 2006).

    Parameters
    ----------
    names : of the A architectures
    ranks : (A,), average over experiments, 1 is best
    groups : of indices into names; the members of one do not differ significantly
    n_experiments : over how many the ranks are averaged
    difference : what ranks must be apart to differ, shown as a ruler; None where a test of pairs decides
    title : lines after the first are set smaller
    note : small text at the foot
    theme : "light" or "dark"
    """
    ranks, A = np.asarray(ranks, dtype=float), len(names)
    if not A or ranks.shape != (A,):
        raise ValueError(f"ranks must be ({A},) for {A} names, got {ranks.shape}")
    bars = _bars(ranks, groups)
    told = f"average rank over {n_experiments} experiment{'s' if n_experiments != 1 else ''}, 1 is best"
    remark = "bars join architectures that do not differ significantly" if bars else ""
    order = np.argsort(ranks, kind="stable")
    half = (A + 1) // 2
    depth = 0.14 + BAR * len(bars) + 0.1 + ROW * half
    with sheet(theme, title, " · ".join(filter(None, [told, remark, note]))) as figure:
        ax = figure.panel(0, 0, WIDTH, depth)
        first, last = _limits(ranks, A)
        ax.set(xlim=(first, last), ylim=(depth, 0), yticks=[])
        ax.xaxis.tick_top()
        ax.set_xticks(np.arange(np.ceil(first), np.floor(last) + 1))
        ax.spines[:].set_visible(False)
        ax.spines["top"].set_visible(True)
        for level, (low, high) in enumerate(bars):
            y = 0.14 + BAR * level
            ax.plot([low, high], [y, y], color=figure.theme.ink, linewidth=3.2, solid_capstyle="round")
        for position, index in enumerate(order):
            on_left = position < half
            line = position if on_left else A - 1 - position
            y = depth - ROW * half + ROW * (line + 0.5)
            _name(ax, shortened(names[index]), ranks[index], y, on_left, position == 0, figure.theme)
        if difference is not None and np.isfinite(difference):
            _ruler(ax, difference, first, last, figure.theme)
    return figure


def _limits(ranks: np.ndarray, n: int) -> tuple[float, float]:
    if n <= 8:
        return 1.0, max(2.0, float(n))
    # Of many architectures no average comes near the ends.
    return max(1.0, np.floor(ranks.min())), min(float(n), np.ceil(ranks.max()))


def _bars(ranks: np.ndarray, groups: Sequence[Sequence[int]]) -> list[tuple[float, float]]:
    """The stretch of each group of more than one, without those inside of another."""
    stretches = {(ranks[list(group)].min(), ranks[list(group)].max()) for group in groups if len(group) > 1}
    return sorted(
        own
        for own in stretches
        if not any(other != own and other[0] <= own[0] and own[1] <= other[1] for other in stretches)
    )


def _name(ax: Axes, name: str, rank: float, y: float, on_left: bool, best: bool, theme: Theme) -> None:
    edge = ax.get_xlim()[0 if on_left else 1]
    colour = theme.accent if best else theme.muted
    ax.plot([rank, rank, edge], [0, y, y], color=colour, linewidth=1.4 if best else 0.9, zorder=1)
    ax.plot(rank, 0, marker="o", markersize=5, color=colour, clip_on=False, zorder=3)
    side = -1 if on_left else 1
    ax.annotate(
        f"{name}  {rank:.2f}" if on_left else f"{rank:.2f}  {name}",
        (edge, y),
        xytext=(6 * side, 0),
        textcoords="offset points",
        ha="right" if on_left else "left",
        va="center_baseline",
        fontsize=9,
        fontweight="bold" if best else "normal",
        color=theme.ink,
        annotation_clip=False,
    )


def _ruler(ax: Axes, difference: float, first: float, last: float, theme: Theme) -> None:
    height = -0.42
    end = first + difference
    ax.plot(
        [first, first, first, min(end, last), min(end, last), min(end, last)],
        [height - 0.05, height + 0.05, height, height, height + 0.05, height - 0.05],
        color=theme.ink,
        linewidth=1.2,
        clip_on=False,
    )
    longer = " (beyond the axis)" if end > last else ""
    ax.text(
        first,
        height - 0.1,
        f"critical difference {difference:.2f}{longer}",
        fontsize=8,
        color=theme.muted,
        va="bottom",
        clip_on=False,
    )
