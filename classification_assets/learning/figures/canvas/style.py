"""The one look of all figures: colours, themes, type, and the sheet every figure is drawn on.

A class has the same colour in every figure, and a sheet gives the same bytes whatever the caller's
own matplotlib settings are.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib import rcParams, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, Locator, MaxNLocator, ScalarFormatter
from matplotlib.transforms import Bbox
from PIL import Image

from classification_assets.learning.figures.canvas.glyphs import fitting, tell_what_is_missing
from classification_assets.learning.figures.canvas.panel import panel
from classification_assets.learning.figures.canvas.raster import Canvas, rendered

# Okabe and Ito's colours without black and yellow, then fourteen found by maximizing the least distance
# in OKLab as seen with normal, deuteranope and protanope vision, also from both papers and from grey.
PALETTE = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#692e26",
    "#4c269f",
    "#0a495d",
    "#05692e",
    "#7f5c66",
    "#89bd6c",
    "#f1a8a7",
    "#b12315",
    "#8c0f70",
    "#bc4090",
    "#b281fe",
    "#6b5bd5",
    "#7085c9",
    "#8b8646",
)
DPI = 150
# Inches round the sheet, and for a line of the title's smaller text.
MARGIN, LINE = 0.12, 0.19


@dataclass(frozen=True)
class Theme:
    """The colours of a sheet; `lift` is how much dark class colours are lightened to be seen on it."""

    paper: str
    ink: str
    muted: str
    faint: str
    accent: str
    lift: float

    def class_colour(self, index: int) -> str:
        """The colour of class `index`, the same in every figure.

        Beyond the palette's 20 the colours come again, darker: no palette tells more apart.
        """
        return _class_colour(index, self.lift)

    def faded(self, colour: str, amount: float) -> str:
        """The colour with `amount` (0 to 1) of the paper in it."""
        return _hex((1 - amount) * np.array(to_rgb(colour)) + amount * np.array(to_rgb(self.paper)))


@cache
def _class_colour(index: int, lift: float) -> str:
    rounds, position = divmod(index, len(PALETTE))
    colour = np.array(to_rgb(PALETTE[position])) * 0.6**rounds
    luminance = colour**2.2 @ [0.2126, 0.7152, 0.0722]
    amount = max(0.0, lift - luminance)
    return _hex((1 - amount) * colour + amount)


THEMES = {
    "light": Theme(
        paper="#ffffff", ink="#1b2129", muted="#68707b", faint="#e3e6ea", accent="#5b3fa8", lift=0.0
    ),
    "dark": Theme(
        paper="#15181d", ink="#f3f5f7", muted="#9aa2ad", faint="#2c323a", accent="#b9a3ff", lift=0.22
    ),
}
# Inches; at the most that leaves text readable where the picture is shown 800 pixels wide.
SIDE, WIDEST, HIGHEST, STRIP = 4.7, 6.2, 5.4, 2.4
COMPARABLE = 4.0
WORD = 0.85, 0.3
"""Inches that a word at an axis takes, across and up."""

PARTS_OF_A_DAY = 1440, 720, 288, 144, 96, 48, 24, 12, 8, 4, 2
"""Distances of ticks between dates: a minute, two, five, ..., twelve hours."""

Words = Mapping[str, Callable[[float], str]]
"""Words for values, by the name of their axis; values of other axes are numbers."""
NO_WORDS: Words = MappingProxyType({})


def _hex(colour: np.ndarray) -> str:
    red, green, blue = colour.tolist()
    return to_hex((red, green, blue))


def theme_named(name: str) -> Theme:
    if name not in THEMES:
        raise ValueError(f"theme must be one of {', '.join(THEMES)}, got {name!r}")
    return THEMES[name]


class Sheet(Figure):
    """A figure made of panels of given size, saved under the rules it was drawn under."""

    theme: Theme
    rendered: Image.Image | None = None
    encoded: bytes | None = None

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        # With a canvas that measures as it draws, no other is made for each question about a size.
        self.measured = Canvas(self)

    def picture(self) -> Image.Image:
        """As it is now, RGB."""
        with _rules(self.theme):
            return rendered(self)

    def panel(self, x: float, y: float, width: float, height: float) -> Axes:
        """New axes; all in inches, from an origin of the caller's choice."""
        across, up = self.get_size_inches()
        return panel(self, (x / across, y / up, width / across, height / up))

    def savefig(self, fname, **kwargs) -> None:
        with _rules(self.theme):
            super().savefig(fname, **kwargs)


@contextmanager
def sheet(theme: str, title: str = "", note: str = "") -> Iterator[Sheet]:
    """A sheet to lay panels on. When the block ends it gets title and note and is cut to what was drawn.

    A panel has the size it was given, whatever its labels and legend need around it: pictures of
    one kind compare, nothing is squeezed or cut off, and a second save finds nothing left to lay out.
    Lines of the title after the first are smaller; the note is broken to the sheet's width.
    """
    chosen = theme_named(theme)
    with _rules(chosen):
        figure = Sheet(figsize=(10, 10), dpi=DPI)
        figure.theme = chosen
        figure.measured.measures = True
        yield figure
        _cut(figure, _write(figure, title, note))
        if figure.measured.get_renderer().lacks:
            for text in figure.findobj(Text):
                text.set_fontproperties(fitting(text.get_fontproperties(), text.get_text()))
            tell_what_is_missing()
        figure.measured.measures = False


def axis_names(ax: Axes, names: tuple[str, str], words: Words = NO_WORDS) -> None:
    """Label both axes, and read what is no number in words.

    An axis without a label means nothing, so it gets no ticks either.
    """
    panel = ax.get_window_extent()
    room = panel.width / DPI / WORD[0], panel.height / DPI / WORD[1]
    for name, axis, most in zip(names, (ax.xaxis, ax.yaxis), room, strict=True):
        axis.set_label_text(name)
        if not name:
            axis.set_ticks([])
            continue
        if name in words:
            word = words[name]
            axis.set_major_locator(_worded_places(word, *axis.get_view_interval(), max(1, int(most))))
            axis.set_major_formatter(FuncFormatter(lambda value, _, word=word: word(value)))
        # Where matplotlib writes what all ticks have in common, it lies on the name or on a panel above.
        formatter = axis.get_major_formatter()
        if isinstance(formatter, ScalarFormatter):
            formatter.set_useOffset(True)
            formatter.set_locs(axis.get_majorticklocs())
            if rest := _rest_of_ticks(formatter):
                axis.set_label_text(f"{name}\n{rest}")
                axis.offsetText.set_visible(False)


def _worded_places(word: Callable[[float], str], low: float, high: float, most: int) -> Locator:
    """Where ticks stand: at whole numbers; within a day or two, at hours or minutes if words tell them apart."""
    if np.floor(high) - np.ceil(low) < 1:
        for parts in PARTS_OF_A_DAY:
            places = np.arange(np.ceil(low * parts), np.floor(high * parts) + 1) / parts
            if len(places) <= most and len({word(place) for place in places}) == len(places) > 1:
                return FixedLocator(places)
    return MaxNLocator(most, integer=True, min_n_ticks=1)


def _rest_of_ticks(formatter: ScalarFormatter) -> str:
    """How values follow from the labels of ticks (an offset, a factor), or nothing."""
    factor = re.match(r"1e\S?\d+", formatter.get_offset())
    sign = "+" if formatter.offset > 0 else "−"
    offset = f"{sign} {abs(formatter.offset):,.15g}" if formatter.offset else ""
    return f"× {factor[0]} {offset}".strip() if factor else offset


def without_ticks(ax: Axes) -> None:
    """No ticks and no labels of axes; setting them to none would first make some."""
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_visible(False)


def map_size(extent: tuple[float, float, float, float], names: tuple[str, str]) -> tuple[float, float]:
    """Inches of a panel onto the extent; both axes have one scale where their ranges are comparable."""
    if not names[1]:
        return WIDEST, STRIP
    x0, x1, y0, y1 = extent
    ratio = (x1 - x0) / (y1 - y0)
    if not 1 / COMPARABLE < ratio < COMPARABLE:
        return SIDE, 0.9 * SIDE
    width, height = SIDE * ratio**0.5, SIDE / ratio**0.5
    fit = min(1, WIDEST / width, HIGHEST / height)
    return fit * width, fit * height


def _write(figure: Sheet, title: str, note: str) -> Bbox:
    """Add title and note, and measure all that is drawn, in inches: measuring takes as long as drawing."""
    drawn = figure.get_tightbbox()
    across, up = figure.get_size_inches()
    left = min(ax.get_position().x0 for ax in figure.axes)
    top = drawn.y1 + 0.1
    first, _, rest = title.partition("\n")
    small = {"fontsize": 9.5, "color": figure.theme.muted}
    if rest:
        figure.text(left, top / up, rest, va="bottom", linespacing=1.25, **small)
        top += LINE * len(rest.splitlines())
    figure.text(left, top / up, first, va="bottom", fontsize=13, fontweight="bold")
    # 7.5 pt letters are about 1/16 inch wide.
    width = max(30, int((drawn.x1 - left * across) * 16))
    note = _broken(note, width)
    figure.text(left, (drawn.y0 - 0.1) / up, note, va="top", fontsize=7.5, color=figure.theme.muted)
    written = [text.get_window_extent() for text in figure.texts if text.get_text()]
    inches = figure.dpi_scale_trans.inverted()
    return Bbox.union([drawn, *(extent.transformed(inches) for extent in written)]).padded(MARGIN)


def _broken(note: str, width: int) -> str:
    """The note in as few lines as there must be, of about the same length: no word stands alone."""
    # A dot between two remarks ends a line and starts none.
    words = note.replace(" · ", "\u00a0· ")
    lines = textwrap.wrap(words, width)
    while len(lines) > 1 and len(narrower := textwrap.wrap(words, width - 1)) == len(lines):
        lines, width = narrower, width - 1
    return "\n".join(lines).replace("\u00a0", " ")


def _cut(figure: Sheet, box: Bbox) -> None:
    across, up = figure.get_size_inches()
    width, height = np.ceil(box.width * DPI) / DPI, np.ceil(box.height * DPI) / DPI

    def moved(x: float, y: float) -> tuple[float, float]:
        return (x * across - box.x0) / width, (y * up - box.y0) / height

    for ax in figure.axes:
        (x0, y0), (x1, y1) = (moved(*corner) for corner in ax.get_position().get_points())
        ax.set_position((x0, y0, x1 - x0, y1 - y0))
    for text in figure.texts:
        text.set_position(moved(*text.get_position()))
    figure.set_size_inches(width, height)


@contextmanager
def _rules(theme: Theme) -> Iterator[None]:
    """Matplotlib's parameters as all figures have them; its own context checks 300 values each time."""
    # Matplotlib's documentation promises to keep `_set` and `_get`.
    set_one, rules = rcParams._set, _parameters(theme)
    before = {name: rcParams._get(name) for name in rules}
    for name, value in rules.items():
        set_one(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            set_one(name, value)


@cache
def _parameters(theme: Theme) -> dict[str, Any]:
    """All of them, but what draws: the caller's own settings reach no figure."""
    parameters = rcParamsDefault.copy()
    parameters.update(
        {
            "figure.facecolor": theme.paper,
            "savefig.facecolor": theme.paper,
            "axes.facecolor": theme.paper,
            "axes.edgecolor": theme.muted,
            "axes.labelcolor": theme.ink,
            "text.color": theme.ink,
            "xtick.color": theme.muted,
            "ytick.color": theme.muted,
            "grid.color": theme.faint,
            # Shipped with matplotlib, so a figure looks and weighs the same on every machine.
            "font.family": ["DejaVu Sans"],
            # Class names are data: "$50k" is no formula.
            "text.parse_math": False,
            "font.size": 9,
            "axes.labelsize": 9,
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "axes.linewidth": 0.7,
            "axes.formatter.useoffset": False,
            "xtick.major.width": 0.7,
            "ytick.major.width": 0.7,
            "xtick.major.size": 3,
            "ytick.major.size": 3,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "grid.linewidth": 0.6,
            "hatch.linewidth": 0.5,
            "lines.solid_capstyle": "round",
            # Text as outlines: a reader's machine need not have the font.
            "svg.fonttype": "path",
            "svg.hashsalt": "classification_assets",
        }
    )
    return {name: parameters._get(name) for name in parameters if name != "backend"}
