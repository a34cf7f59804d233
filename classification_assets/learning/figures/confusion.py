"""Which class is taken for which: counts, and shares of each true class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from classification_assets.learning.figures.canvas.legend import shortened
from classification_assets.learning.figures.canvas.style import Theme, sheet

WRONG = "#d55e00"
NOTE = "large: % of the true class · small: rows"
WEIGHTED = "large: % of the true class · small: rows, each counted by its weight (1 in the mean)"


def confusion(
    matrix: np.ndarray,
    classes: Sequence[str],
    *,
    title: str = "",
    theme: str = "light",
    weighted: bool = False,
) -> Figure:
    """The confusion matrix (C, C), true classes down, predicted classes across.

    A cell holds the share of its true class in percent and the number of rows; the higher the share the
    stronger the colour, one for right cells and another for wrong ones. Where rows are `weighted` the numbers are sums
    of weights.
    """
    matrix = np.asarray(matrix)
    C = len(classes)
    if matrix.shape != (C, C):
        raise ValueError(f"matrix must be ({C}, {C}) for {C} classes, got {matrix.shape}")
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    cell = float(np.clip(5.4 / C, 0.36, 1.1))
    with sheet(theme, title, WEIGHTED if weighted else NOTE) as figure:
        ax = figure.panel(0, 0, cell * C, cell * C)
        ax.imshow(_colours(shares, figure.theme), aspect="auto", interpolation="nearest")
        ax.set_xticks(np.arange(C - 1) + 0.5, minor=True)
        ax.set_yticks(np.arange(C - 1) + 0.5, minor=True)
        ax.grid(True, which="minor", color=figure.theme.paper, linewidth=1.5 if C <= 10 else 0.8)
        ax.set_axisbelow(False)
        ax.tick_params(which="both", length=0)
        ax.spines[:].set_visible(False)
        _numbers(ax, matrix, shares, cell, figure.theme)
        _labels(ax, [shortened(name) for name in classes], totals[:, 0], cell, figure.theme)
    return figure


def _colours(shares: np.ndarray, theme: Theme) -> np.ndarray:
    # The root, because an error of one in a hundred is what one looks for.
    strength = 0.85 * np.sqrt(shares)[..., None]
    hue = np.where(np.eye(len(shares), dtype=bool)[..., None], to_rgb(theme.accent), to_rgb(WRONG))
    empty = np.array(to_rgb(theme.faded(theme.faint, 0.5)))
    return (1 - strength) * empty + strength * hue


def _numbers(ax: Axes, matrix: np.ndarray, shares: np.ndarray, cell: float, theme: Theme) -> None:
    large = float(np.clip(cell * 72 * 0.24, 7.5, 12))
    colours = _colours(shares, theme)
    for (row, column), count in np.ndenumerate(matrix):
        if not count:
            continue
        # White and black stand out equally at a luminance of 0.18; white bold text on colour looks better.
        dark = colours[row, column] ** 2.2 @ [0.2126, 0.7152, 0.0722] < 0.25
        colour = to_hex("#ffffff" if dark else "#1b2129")
        percent = 100 * shares[row, column]
        text = f"{percent:.0f}" if percent >= 0.5 else "<1"
        ax.annotate(
            text,
            (column, row),
            xytext=(0, 0.42 * large),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=large,
            fontweight="bold",
            color=colour,
        )
        ax.annotate(
            _count(count),
            (column, row),
            xytext=(0, -0.72 * large),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=max(5.8, 0.72 * large),
            color=colour,
        )


def _count(rows: int) -> str:
    """A number of rows in the room of six letters."""
    if rows < 100_000:
        return f"{rows:,.0f}"
    return f"{rows / 1e3:.0f}k" if rows < 999_500 else f"{rows / 1e6:.3g}M"


def _labels(ax: Axes, names: Sequence[str], totals: np.ndarray, cell: float, theme: Theme) -> None:
    C = len(names)
    # 8 pt letters are about 0.075 inch wide.
    turned = max(map(len, names)) * 0.075 > cell
    ax.set_xticks(range(C), names, rotation=90 if turned else 0)
    ax.set_yticks(range(C), names)
    ax.tick_params(which="major", pad=14, labelcolor=theme.ink)
    ax.set(xlabel="predicted", ylabel="true")
    gap = 8 / 72 / cell
    colours = [theme.class_colour(c) for c in range(C)]
    dots: dict[str, Any] = {"s": 34, "c": colours, "linewidths": 0, "clip_on": False}
    ax.scatter(np.full(C, -0.5 - gap), np.arange(C), **dots)
    ax.scatter(np.arange(C), np.full(C, C - 0.5 + gap), **dots)
    ax.set(xlim=(-0.5, C - 0.5), ylim=(C - 0.5, -0.5))
    side = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points", "fontsize": 8}
    for row, total in enumerate(totals):
        ax.annotate(f"{total:,.0f}", (1, row), xytext=(6, 0), va="center_baseline", color=theme.muted, **side)
    ax.annotate("rows", (1, -0.5), xytext=(6, 4), va="bottom", color=theme.muted, **side)
