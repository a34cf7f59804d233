"""The key to a figure, in sections with headings, beside the data and never on it.

Matplotlib's legend knows neither sections nor a scale of probability in each entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnchoredOffsetbox, DrawingArea, HPacker, OffsetBox, TextArea, VPacker
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from classification_assets.learning.figures.landscape import CONFIDENCE, tint
from classification_assets.learning.figures.style import Theme

LONGEST_NAME = 26
ENTRIES_IN_COLUMN = 24
SCALE_WIDTH, MARK_WIDTH, HEIGHT = 60, 16, 9


@dataclass(frozen=True)
class Entry:
    """A label and its mark: artists in a box of `width` x HEIGHT points."""

    marks: Sequence[Artist]
    label: str
    width: float = MARK_WIDTH


@dataclass(frozen=True)
class Section:
    heading: str
    entries: Sequence[Entry]


def key(ax: Axes, sections: Sequence[Section], theme: Theme, *, gap: float = 6) -> None:
    """Put the sections that have entries to the right of the axes, `gap` points away, from the top down."""
    boxes: list[Artist] = [_section(section, theme) for section in sections if section.entries]
    beside: list[Artist] = [DrawingArea(gap, 0), VPacker(children=boxes, pad=0, sep=11)]
    anchored = AnchoredOffsetbox(
        "upper left",
        child=HPacker(children=beside, pad=0, sep=0),
        frameon=False,
        pad=0,
        borderpad=0,
        bbox_to_anchor=(1, 1),
        bbox_transform=ax.transAxes,
    )
    ax.add_artist(anchored)
    # Axes clip what is added to them, also when the layout measures it.
    anchored.set_clip_on(False)


def class_scales(classes: Sequence[str], theme: Theme) -> list[Entry]:
    """An entry per class whose mark runs from an even chance to certainty, with the confidence levels."""
    return [
        Entry(_scale(c, len(classes), theme), shortened(name), SCALE_WIDTH) for c, name in enumerate(classes)
    ]


def class_dots(classes: Sequence[str], theme: Theme) -> list[Entry]:
    return [
        Entry([_dot(theme.class_colour(c), theme)], shortened(name), MARK_WIDTH)
        for c, name in enumerate(classes)
    ]


def shortened(name: object, most: int = LONGEST_NAME) -> str:
    text = str(name)
    return text if len(text) <= most else text[: most - 1] + "…"


def _dot(colour: str, theme: Theme) -> Line2D:
    return Line2D(
        [MARK_WIDTH / 2],
        [HEIGHT / 2],
        marker="o",
        markersize=6.5,
        markerfacecolor=colour,
        markeredgecolor=theme.paper,
        markeredgewidth=0.7,
    )


def _scale(c: int, n_classes: int, theme: Theme) -> list[Artist]:
    steps = 14
    chances = np.zeros((steps, max(n_classes, 2)))
    chances[:, c] = np.linspace(0.5, 1, steps)
    width = (SCALE_WIDTH - HEIGHT / 2) / steps
    # A little overlap: viewers of SVG show hairlines between rectangles that only touch.
    bars = [
        Rectangle((i * width, 0), width + 0.3, HEIGHT, facecolor=colour, linewidth=0)
        for i, colour in enumerate(map(tuple, tint(chances, theme).tolist()))
    ]
    levels = [
        Line2D([x, x], [0, HEIGHT], color=theme.ink, alpha=0.45, linewidth=0.5)
        for x in ((SCALE_WIDTH - HEIGHT / 2) * (level - 0.5) / 0.5 for level in CONFIDENCE)
    ]
    dot = Line2D(
        [SCALE_WIDTH - HEIGHT / 2],
        [HEIGHT / 2],
        marker="o",
        markersize=HEIGHT - 1.5,
        markerfacecolor=theme.class_colour(c),
        markeredgecolor=theme.paper,
        markeredgewidth=0.7,
    )
    return [*bars, *levels, dot]


def _section(section: Section, theme: Theme) -> OffsetBox:
    entries: list[Artist] = [_row(entry, theme) for entry in section.entries]
    n_columns = -(-len(entries) // ENTRIES_IN_COLUMN)
    length = -(-len(entries) // n_columns)
    columns: list[Artist] = [
        VPacker(children=entries[start : start + length], pad=0, sep=3.2)
        for start in range(0, len(entries), length)
    ]
    heading = TextArea(section.heading, textprops={"fontsize": 8, "color": theme.muted})
    body = HPacker(children=columns, pad=0, sep=10, align="top")
    scale: list[Artist] = [_percents(theme)] if section.entries[0].width == SCALE_WIDTH else []
    return VPacker(children=[heading, *scale, body], pad=0, sep=3.5, align="left")


def _percents(theme: Theme) -> DrawingArea:
    box = DrawingArea(SCALE_WIDTH, 5)
    for level in (0.5, *CONFIDENCE, 1.0):
        x = (SCALE_WIDTH - HEIGHT / 2) * (level - 0.5) / 0.5
        label = f"{100 * level:.0f}"
        box.add_artist(Text(x, 0, label, fontsize=5.5, ha="center", color=theme.muted))
    return box


def _row(entry: Entry, theme: Theme) -> OffsetBox:
    box = DrawingArea(entry.width, HEIGHT)
    for mark in entry.marks:
        box.add_artist(mark)
    label = TextArea(entry.label, textprops={"fontsize": 8.5, "color": theme.ink})
    return HPacker(children=[box, label], pad=0, sep=6, align="center")
