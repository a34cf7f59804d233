"""Marks that figures of a sweep share: shades of places, ticks of hyper-parameters, and a sheet that says why not."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from classification_assets.learning.figures.canvas.legend import (
    HEIGHT,
    MARK_WIDTH,
    SCALE_WIDTH,
    Entry,
    shortened,
    width_of,
)
from classification_assets.learning.figures.canvas.style import Theme, sheet
from classification_assets.learning.sweeps.axes import Axis

FAILED = "#d55e00"
"""Colour of what failed: that of a wrong cell of a confusion matrix."""

DOTS = {"marker": "o", "linestyle": "none", "zorder": 2}
"""Dots of one look: of a collection, which may give each its own, they take twice the time."""

LETTER = 0.075
"""Inches of a letter of 8 points."""

LONGEST = 12
"""Letters of a level's name."""

_STEPS = 24


def shades(share: np.ndarray, theme: Theme) -> np.ndarray:
    """Colours (N, 3) for shares (N,) from 0, the worst, to 1, the best."""
    low, high = np.array(to_rgb(theme.faded(theme.muted, 0.72))), np.array(to_rgb(theme.accent))
    # The square: the best are what one looks for.
    return low + np.clip(np.asarray(share, float), 0, 1)[:, None] ** 2 * (high - low)


def shade_entry(label: str, theme: Theme) -> Entry:
    """An entry of a legend whose mark runs from the worst to the best shade."""
    step = SCALE_WIDTH / _STEPS
    # A little overlap: viewers of SVG show hairlines between rectangles that only touch.
    bars = [
        [(x, 0), (x + step + 0.3, 0), (x + step + 0.3, HEIGHT), (x, HEIGHT)] for x in step * np.arange(_STEPS)
    ]
    colours = shades(np.linspace(0, 1, _STEPS), theme)
    # One point wider than a scale of classes, above which a legend would write percents.
    return Entry(
        [PolyCollection(bars, facecolors=colours, linewidths=0, antialiaseds=False)], label, SCALE_WIDTH + 1
    )


def line_entry(label: str, colour: str, **look) -> Entry:
    """An entry of a legend with a line."""
    return Entry([Line2D([0, MARK_WIDTH], [HEIGHT / 2] * 2, color=colour, **look)], label)


def dot_entry(label: str, colour: str, **look) -> Entry:
    """An entry of a legend with a dot."""
    usual = {"marker": "o", "markersize": 6, "markeredgecolor": "none", "markerfacecolor": colour}
    return Entry([Line2D([MARK_WIDTH / 2], [HEIGHT / 2], color=colour, **usual | look)], label)


def ticks_of(axis: Axis, most: int) -> tuple[np.ndarray, list[str]]:
    """At most so many positions on a hyper-parameter's axis with their labels."""
    if axis.levels:
        every = -(-len(axis.levels) // most)
        return np.arange(0.0, len(axis.levels), every), list(axis.levels[::every])
    known = axis.position[axis.used]
    low, high = float(known.min()), float(known.max())
    if axis.log:
        for factors in ((1,), (1, 3), (1, 2, 5)):
            values = np.array([f * 10.0**p for p in range(floor(low), ceil(high) + 1) for f in factors])
            values = values[(np.log10(values) >= low - 0.02) & (np.log10(values) <= high + 0.02)]
            if len(values) >= 2:
                values = values[:: -(-len(values) // most)]
                return np.log10(values), [_power(value) for value in values]
    ends = (10**low, 10**high) if axis.log else (low, high)
    values = _even(*ends, most)
    return np.log10(values) if axis.log else values, [f"{value:.6g}" for value in values]


def turned(axis: Axis, width: float) -> bool:
    """Whether names of levels must be turned below a panel so many inches wide, so that none meet."""
    longest = max((width_of(shortened(level, LONGEST)) for level in axis.levels), default=0)
    return longest > 4 and (longest + 1) * LETTER * len(axis.levels) > width


def label_ticks(ax: Axes, axis: Axis, width: float) -> None:
    """Ticks of a hyper-parameter below a panel so many inches wide; of too many levels some are named."""
    turns = turned(axis, width)
    longest = max((len(level) for level in axis.levels), default=0)
    room = 0.16 if turns else (min(longest, LONGEST) + 1) * LETTER
    positions, labels = ticks_of(axis, max(2, int(width / room)) if axis.levels else 5)
    ax.set_xticks(positions, [shortened(label, LONGEST) for label in labels])
    if turns:
        for text in ax.get_xticklabels():
            text.set(rotation=35, ha="right", rotation_mode="anchor")


def without_anything(why: str, title: str, theme: str) -> Figure:
    """A figure that says why there is nothing to see."""
    with sheet(theme, title) as figure:
        ax = figure.panel(0, 0, 5.2, 1.1)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color=figure.theme.faint)
        ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center", color=figure.theme.muted)
    return figure


def evenly(order: np.ndarray, most: int) -> np.ndarray:
    """At most so many of some indices, evenly spaced, the first and the last among them."""
    if len(order) <= most:
        return order
    return order[np.unique(np.linspace(0, len(order) - 1, most).round().astype(int))]


def _even(low: float, high: float, most: int) -> np.ndarray:
    """Round numbers at even steps."""
    least = (high - low) / max(most - 1, 1)
    power = 10.0 ** floor(np.log10(least))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= least * (1 - 1e-9))
    # A range that was drawn from 0 to 0.5 hardly reaches either.
    return np.arange(ceil(low / step - 0.05), floor(high / step + 0.05) + 1) * step


def _power(value: float) -> str:
    exponent = round(float(np.log10(value)))
    if value < 1e-3 and abs(np.log10(value) - exponent) < 1e-9:
        return f"1e{exponent}"
    return f"{value:g}".replace("e-0", "e-").replace("e+0", "e")
