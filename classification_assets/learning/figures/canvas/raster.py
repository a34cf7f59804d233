"""A figure's pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import get_ident
from typing import Any

import numpy as np
from matplotlib import ft2font
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg, get_hinting_flag
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text
from PIL import Image

from classification_assets.learning.figures.canvas.compared import texts_compared
from classification_assets.learning.figures.canvas.glyphs import fitting, without_bold_is_no_news

Heights = tuple[float, float, float]


class Canvas(FigureCanvasAgg):
    """The canvas on which figures are measured; the size of a text is remembered from one figure to the next."""

    measures = False
    """Whether nothing is to be drawn yet: then there are no pixels."""

    def get_renderer(self) -> _Renderer:
        width, height = self.get_width_height(physical=True)
        dpi, known = self.figure.dpi, getattr(self, "renderer", None)
        if self.measures:
            width, height = 1, 1
        if known is None or (known.width, known.height, known.dpi) != (width, height, dpi):
            self.renderer = _Renderer(width, height, dpi)
        return self.renderer


class _Renderer(RendererAgg):
    """Matplotlib's renderer, which lays a text out once and draws the same letters once.

    Matplotlib lays a text out to measure it and again to draw it, and gives a font its size anew for each letter.
    Either takes long because it works out each letter's hints.
    """

    lacks = False
    """Whether a text that was measured has letters that its font has not."""

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: bool | str) -> Heights:
        fitted = fitting(prop, s)
        if fitted is not prop:
            self.lacks, prop = True, fitted
        if ismath or not texts_compared():
            return super().get_text_width_height_descent(s, prop, ismath)
        return self._line(s, prop).size

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: Any = False,
        mtext: Text | None = None,
    ) -> None:
        """Draw a text as it was drawn in an earlier figure, where that was at the same place within a pixel."""
        if ismath or not texts_compared():
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        if angle:
            size = prop.get_size_in_points()
            letters = (
                (font, size, letter, 0, 1, *place) for font, letter, *place in self._line(s, prop).letters
            )
            self._draw_text_glyphs_and_boxes(gc, x, y, angle, letters, [])
            return
        # As finely as fonts are placed, in 64ths of a pixel.
        (column, right), (row, down) = (divmod(round(64 * place), 64) for place in (x, y))
        key = s, prop, self.dpi, right, down, bool(gc.get_antialiased())
        stamp = _STAMPS.get(key)
        if stamp is None:
            if len(_STAMPS) >= MOST_TEXTS:
                _STAMPS.clear()
            stamp = self._stamp(s, prop, right, down, key[-1])
            _STAMPS[s, prop.copy(), *key[2:]] = stamp
        if stamp.cover.size:
            bottom = row + stamp.top + len(stamp.cover)
            self._renderer.draw_text_image(stamp.cover, column + stamp.left, bottom, 0, gc)

    def _line(self, s: str, prop: FontProperties) -> _Line:
        # A font has a state, so that each thread has its own.
        key = s, prop, self.dpi, get_ident()
        line = _LINES.get(key)
        if line is None:
            if len(_LINES) >= MOST_TEXTS:
                _LINES.clear()
            line = _laid_out(s, self._prepare_font(prop), prop.get_size_in_points(), self.dpi)
            _LINES[s, prop.copy(), *key[2:]] = line
        return line

    def _stamp(self, s: str, prop: FontProperties, right: int, down: int, smooth: bool) -> _Stamp:
        """A text whose place is so many 64ths of a pixel to the right of a whole one, and below it."""
        drawing, size = _Letters(self.dpi, smooth), prop.get_size_in_points()
        parts = list[tuple[np.ndarray, int, int]]()
        for font, letter, along, up in self._line(s, prop).letters:
            cover, left, top = drawing.drawn(font, size, letter, (right / 64 + along, up - down / 64))
            if cover.size:
                parts.append((cover, left, -top))
        if not parts:
            return _Stamp(np.zeros((0, 0), np.uint8), 0, 0)
        left, top = min(x for _, x, _ in parts), min(y for _, _, y in parts)
        width = max(x + cover.shape[1] for cover, x, _ in parts) - left
        height = max(y + len(cover) for cover, _, y in parts) - top
        whole = np.zeros((height, width), np.int32)
        for cover, x, y in parts:
            under = whole[y - top : y - top + len(cover), x - left : x - left + cover.shape[1]]
            # As Agg mixes them.
            under += cover - (under * cover + 255 >> 8)
        return _Stamp(whole.astype(np.uint8), left, top)

    def _draw_text_glyphs_and_boxes(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        angle: float,
        glyphs: Iterable[tuple[Any, ...]],
        boxes: Sequence[Any],
    ) -> None:
        inherited: Any = super()
        if not texts_compared():
            inherited._draw_text_glyphs_and_boxes(gc, x, y, angle, glyphs, boxes)
            return
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        drawing = _Letters(self.dpi, gc.get_antialiased(), np.array([[cos, -sin], [sin, cos]]))
        for font, size, letter, slant, extend, right, up in glyphs:
            # From the lower left corner.
            place = x + right * cos - up * sin, self.height - y + right * sin + up * cos
            cover, left, top = drawing.drawn(font, size, letter, place, slant, extend)
            self._renderer.draw_text_image(cover, left, int(self.height) - top + len(cover), 0, gc)
        if boxes:
            inherited._draw_text_glyphs_and_boxes(gc, x, y, angle, (), boxes)

    def _prepare_font(self, font_prop: FontProperties) -> Any:
        inherited: Any = super()
        with without_bold_is_no_news():
            return inherited._prepare_font(font_prop)

    def _get_font_height_metrics(self, prop: FontProperties) -> Heights:
        return font_heights(prop, self.dpi)


class _Letters:
    """Letters of a text, of which one at the same part of a pixel is drawn once."""

    def __init__(self, dpi: float, smooth: bool, turn: np.ndarray | None = None) -> None:
        self.dpi, self.smooth, self.flags = dpi, smooth, get_hinting_flag()
        self.turn = np.eye(2) if turn is None else turn
        self.sizes, self.shapes = dict[Any, float](), dict[Any, np.ndarray]()
        self.known = dict[Any, tuple[np.ndarray, int, int]]()

    def drawn(
        self,
        font: Any,
        size: float,
        letter: int,
        place: tuple[float, float],
        slant: float = 0,
        extend: float = 1,
    ) -> tuple[np.ndarray, int, int]:
        """How much of each pixel a letter at a place covers, (H, W) uint8, and where its left and its top are."""
        # In 64ths of a pixel.
        (column, within), (row, above) = (divmod(round(64 * part), 64) for part in place)
        look = size, slant, extend
        key = font, letter, look, within, above
        if key not in self.known:
            if self.sizes.get(font) != size:
                font.set_size(size, self.dpi)
                self.sizes[font] = size
            if look not in self.shapes:
                shape = self.turn @ [[extend, extend * slant], [0, 1]]
                self.shapes[look] = (0x10000 * shape).round().astype(int)
            font._set_transform(self.shapes[look], [within, above])
            mode = ft2font.RenderMode.NORMAL if self.smooth else ft2font.RenderMode.MONO
            bitmap = font._render_glyph(letter, self.flags, mode)
            self.known[key] = bitmap.buffer * (1 if self.smooth else 255), bitmap.left, bitmap.top
        cover, left, top = self.known[key]
        return cover, column + left, row + top


@dataclass(frozen=True, eq=False)
class _Line:
    """A text as it is laid out: each letter's font, number and place in pixels; its width, height and descent."""

    letters: list[tuple[Any, int, float, float]]
    size: Heights


_LINES: dict[Any, _Line] = {}
_EXTENTS: dict[Any, tuple[int, int, int]] = {}
"""How far letters reach down and up, and where the next one begins, in 64ths of a pixel."""
MOST_TEXTS = 10_000


def _laid_out(s: str, font: Any, points: float, dpi: float) -> _Line:
    """A text in a font that has been given its size."""
    letters, lows, highs, end = list[tuple[Any, int, float, float]](), list[int](), list[int](), 0.0
    flags = get_hinting_flag()
    for item in font._layout(s, flags=flags):
        own, letter = item.ft_object, item.glyph_index
        key = own, letter, points, dpi
        if key not in _EXTENTS:
            if len(_EXTENTS) >= MOST_TEXTS:
                _EXTENTS.clear()
            own.set_size(points, dpi)
            glyph = own.load_glyph(letter, flags=flags)
            _EXTENTS[key] = glyph.bbox[1], glyph.bbox[3], glyph.horiAdvance
        low, high, advance = _EXTENTS[key]
        rise = round(64 * item.y)
        lows.append(low + rise)
        highs.append(high + rise)
        letters.append((own, letter, item.x, item.y))
        end = 64 * item.x + advance
    low, high = min(lows, default=0), max(highs, default=0)
    return _Line(letters, (end / 64, (high - low) / 64, -low / 64))


@dataclass(frozen=True, eq=False)
class _Stamp:
    """How much of each pixel round its place a text covers, (H, W) uint8, and where these are from there, in pixels."""

    cover: np.ndarray
    left: int
    top: int


_STAMPS: dict[Any, _Stamp] = {}
"""Texts as they were drawn: names, numbers at axes and legends are the same in hundreds of figures."""


@lru_cache(1024)
def font_heights(prop: FontProperties, dpi: float) -> Heights:
    """Ascent, descent and gap of lines. Where it may not ask, matplotlib reads a font's tables for every text."""
    font = get_font(findfont(prop))
    table: Any = font.get_sfnt_table("OS/2")
    scale = prop.get_size_in_points() * dpi / 72 / font.units_per_EM
    return table["sTypoAscender"] * scale, -table["sTypoDescender"] * scale, table["sTypoLineGap"] * scale


def rendered(figure: Figure) -> Image.Image:
    """A figure at its own resolution, RGB."""
    width, height = map(round, figure.bbox.size)
    renderer = _Renderer(width, height, figure.dpi)
    figure.draw(renderer)
    return Image.frombuffer("RGBA", (width, height), renderer.buffer_rgba(), "raw", "RGBA", 0, 1).convert(
        "RGB"
    )
