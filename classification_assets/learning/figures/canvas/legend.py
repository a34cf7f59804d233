"""The key to a figure, in sections with headings, beside the data and never on it.

Matplotlib's legend knows neither sections nor a scale of probability in each entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.lines import Line2D
from matplotlib.transforms import Affine2D, Bbox

from classification_assets.learning.figures.canvas.label import Label
from classification_assets.learning.figures.canvas.landscape import CONFIDENCE, tint
from classification_assets.learning.figures.canvas.style import Theme
from classification_assets.learning.printable import printable

LONGEST_NAME = 26
ENTRIES_IN_COLUMN = 24
SCALE_WIDTH, MARK_WIDTH, HEIGHT = 60, 16, 9
# Points: sizes of the letters, what a line of each takes, and the room between.
HEADING_SIZE, LABEL_SIZE, PERCENT_SIZE = 8, 8.5, 5.5
HEADING, PERCENTS = 7.7, 5
BETWEEN_SECTIONS, BETWEEN_COLUMNS, BETWEEN_ROWS, BELOW_HEADING, BESIDE_MARK = 11, 10, 3.2, 3.5, 6


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


class Key(Artist):
    """Artists in points from the upper right corner of the axes, which is (0, 0), and what space they take.

    Matplotlib's packers of boxes give the same place, but measure every text again for each box round it.
    """

    zorder = 5

    def __init__(self, ax: Axes) -> None:
        super().__init__()
        self.ax = ax
        self.parts: list[Artist] = []
        self.right, self.bottom = 0.0, 0.0
        self.page = Affine2D()
        ax.add_artist(self)
        # Axes clip what is added to them.
        self.set_clip_on(False)

    @property
    def scale(self) -> float:
        """Pixels of a point."""
        return self.ax.figure.dpi / 72

    def put(self, part: Artist, x: float, y: float) -> None:
        part.set_figure(self.ax.figure)
        part.set_transform(Affine2D().translate(x, y) + self.page)
        self.parts.append(part)

    def get_children(self) -> list[Artist]:
        return self.parts

    def get_window_extent(self, renderer: RendererBase | None = None) -> Bbox:
        scale, (x, y) = self.scale, self.ax.transAxes.transform((1, 1))
        return Bbox([(x, y + scale * self.bottom), (x + scale * self.right, y)])

    def get_tightbbox(self, renderer: RendererBase | None = None) -> Bbox:
        return self.get_window_extent()

    def draw(self, renderer: RendererBase) -> None:
        self.page.clear().scale(self.scale).translate(*self.ax.transAxes.transform((1, 1)))
        for part in self.parts:
            part.draw(renderer)


def key(ax: Axes, sections: Sequence[Section], theme: Theme, *, gap: float = 6) -> None:
    """Put the sections that have entries to the right of the axes, `gap` points away, from the top down."""
    drawn = _Sections(Key(ax), theme)
    for section in sections:
        if section.entries:
            drawn.add(section, gap)


class _Sections:
    """Lays one section out below the other."""

    def __init__(self, key: Key, theme: Theme) -> None:
        self.key, self.theme = key, theme

    def add(self, section: Section, left: float) -> None:
        top = self.key.bottom - (BETWEEN_SECTIONS if self.key.parts else 0)
        self._text(section.heading, left, top - HEADING / 2, HEADING_SIZE, self.theme.muted)
        top -= HEADING + BELOW_HEADING
        if section.entries[0].width == SCALE_WIDTH:
            self._percents(left, top - PERCENTS)
            top -= PERCENTS + BELOW_HEADING
        n_columns = -(-len(section.entries) // ENTRIES_IN_COLUMN)
        length = -(-len(section.entries) // n_columns)
        for start in range(0, len(section.entries), length):
            column = section.entries[start : start + length]
            left = self._column(column, left, top) + BETWEEN_COLUMNS
        self.key.bottom = top - length * (HEIGHT + BETWEEN_ROWS) + BETWEEN_ROWS

    def _column(self, entries: Sequence[Entry], left: float, top: float) -> float:
        """How far right it reaches."""
        right = left
        for row, entry in enumerate(entries):
            base = top - HEIGHT - row * (HEIGHT + BETWEEN_ROWS)
            for mark in entry.marks:
                self.key.put(mark, left, base)
            place = left + entry.width + BESIDE_MARK
            label = self._text(entry.label, place, base + HEIGHT / 2, LABEL_SIZE, self.theme.ink)
            right = max(right, place + label)
        return right

    def _text(self, text: str, x: float, y: float, size: float, colour: str) -> float:
        """How wide it is."""
        # As the labels of ticks are: room for what hangs below the line would lift the letters above their mark.
        drawn = Label(0, 0, text, fontsize=size, color=colour, va="center_baseline")
        self.key.put(drawn, x, y)
        width = drawn.get_window_extent().width / self.key.scale
        self.key.right = max(self.key.right, x + width)
        return width

    def _percents(self, left: float, y: float) -> None:
        for level in (0.5, *CONFIDENCE, 1.0):
            x = left + (SCALE_WIDTH - HEIGHT / 2) * (level - 0.5) / 0.5
            label = f"{100 * level:.0f}"
            self.key.put(Label(0, 0, label, fontsize=PERCENT_SIZE, ha="center", color=self.theme.muted), x, y)


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
    """A name of at most so many letters; what is left out is in the middle: many names begin alike or end alike.

    It is in one line, without characters that turn or control what follows. A letter of Chinese, Japanese or Korean is
    as wide as two.
    """
    text = printable(str(name))
    if (width := width_of(text)) <= most:
        return text
    most = most * len(text) // width
    end = most // 3
    return f"{text[: most - 1 - end].rstrip()}…{text[-end:].lstrip()}"


def width_of(text: str) -> int:
    """In letters of usual width."""
    return len(text) + (0 if text.isascii() else sum(east_asian_width(letter) in "WF" for letter in text))


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
        [(x, 0), (x + width + 0.3, 0), (x + width + 0.3, HEIGHT), (x, HEIGHT)]
        for x in width * np.arange(steps)
    ]
    ramp = PolyCollection(bars, facecolors=tint(chances, theme), linewidths=0)
    places = [(SCALE_WIDTH - HEIGHT / 2) * (level - 0.5) / 0.5 for level in CONFIDENCE]
    levels = LineCollection(
        [[(x, 0), (x, HEIGHT)] for x in places], colors=theme.ink, alpha=0.45, linewidths=0.5
    )
    dot = Line2D(
        [SCALE_WIDTH - HEIGHT / 2],
        [HEIGHT / 2],
        marker="o",
        markersize=HEIGHT - 1.5,
        markerfacecolor=theme.class_colour(c),
        markeredgecolor=theme.paper,
        markeredgewidth=0.7,
    )
    return [ramp, levels, dot]
