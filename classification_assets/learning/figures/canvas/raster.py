"""A figure's pixels."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np
from matplotlib import ft2font
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg, get_hinting_flag
from matplotlib.figure import Figure
from matplotlib.font_manager import FontPath, FontProperties, findfont, get_font
from matplotlib.text import Text
from PIL import Image

from classification_assets.learning.figures.canvas.compared import texts_compared
from classification_assets.learning.figures.canvas.glyphs import (
    fitting,
    from_the_left,
    lacking,
    without_bold_is_no_news,
)

Heights = tuple[float, float, float]


class Canvas(FigureCanvasAgg):
    """The canvas on which figures are measured; the size of a text is remembered from one figure to the next."""

    measures = False
    """Whether nothing is to be drawn yet: then there are no pixels."""

    def get_renderer(self) -> Renderer:
        width, height = self.get_width_height(physical=True)
        dpi, known = self.figure.dpi, getattr(self, "renderer", None)
        if self.measures:
            width, height = 1, 1
        if known is None or (known.width, known.height, known.dpi) != (width, height, dpi):
            self.renderer = Renderer(width, height, dpi)
        return self.renderer


class Renderer(RendererAgg):
    """Matplotlib's renderer, which measures a text once, and draws the same one once.

    Matplotlib lays a text out to measure it and again to draw it, reads each letter from the font's file, and draws
    letters one by one, giving the font its size anew for each.
    """

    lacks = False
    """Whether a text that was measured has letters that its font has not."""

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: bool | str) -> Heights:
        fitted = fitting(prop, s)
        if fitted is not prop:
            self.lacks, prop = True, fitted
        key = s, prop, self.dpi
        if not ismath and key not in _SIZES and (font := self._font(s, prop)):
            if len(_SIZES) >= MOST_TEXTS:
                _SIZES.clear()
            font.set_text(s, 0, flags=get_hinting_flag())
            width, height = font.get_width_height()
            _SIZES[s, prop.copy(), self.dpi] = width / 64, height / 64, font.get_descent() / 64
        size = None if ismath else _SIZES.get(key)
        return size or super().get_text_width_height_descent(s, prop, ismath)

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
        # As finely as fonts are placed, in 64ths of a pixel.
        (column, right), (row, down) = (divmod(round(64 * place), 64) for place in (x, y))
        key = s, prop, self.dpi, right, down, bool(gc.get_antialiased())
        stamp = None if ismath or angle else _STAMPS.get(key)
        if stamp is None:
            font, size = None if ismath else self._font(s, prop), prop.get_size_in_points()
            if font is None:
                super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
                return
            if angle:
                items = font._layout(s, flags=get_hinting_flag())
                letters = ((item.ft_object, size, item.glyph_index, 0, 1, item.x, item.y) for item in items)
                self._draw_text_glyphs_and_boxes(gc, x, y, angle, letters, [])
                return
            if len(_STAMPS) >= MOST_TEXTS:
                _STAMPS.clear()
            stamp = _stamp(s, font, size * self.dpi / 72, right, down, key[-1])
            _STAMPS[s, prop.copy(), *key[2:]] = stamp
        bottom = row + stamp.top + len(stamp.cover)
        self._renderer.draw_text_image(stamp.cover, column + stamp.left, bottom, 0, gc)

    def _font(self, s: str, prop: FontProperties) -> Any:
        """The font of a text, which has been given its size; None where one is not enough, or it runs to the left."""
        if not texts_compared():
            return None
        file = findfont(prop)
        if not s.isascii() and (lacking(str(file), s) or from_the_left(s) is not s):
            return None
        font = _in_memory(file, get_ident())
        font.set_size(prop.get_size_in_points(), self.dpi)
        # What was drawn last may have left another.
        font._set_transform(_UPRIGHT, [0, 0])
        return font

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


_UPRIGHT = [[0x10000, 0], [0, 0x10000]]

_SIZES: dict[Any, Heights] = {}
MOST_TEXTS = 10_000


@dataclass(frozen=True, eq=False)
class _Stamp:
    """How much of each pixel round its place a text covers, (H, W) uint8, and where these are from there, in pixels."""

    cover: np.ndarray
    left: int
    top: int


def _stamp(s: str, font: Any, em: float, right: int, down: int, smooth: bool) -> _Stamp:
    """A text whose place is so many 64ths of a pixel to the right of a whole one, and below it."""
    # Moved by half of its size, none of it is left of its place or below.
    room = math.ceil(em / 2)
    font._set_transform(_UPRIGHT, [64 * room + right, 64 * room - down])
    # A space has its corner at 0, whatever the transform: from there Matplotlib counts, else from a part of a pixel.
    font.set_text(f"{s} ", 0, flags=get_hinting_flag())
    font.draw_glyphs_to_bitmap(antialiased=smooth)
    top = font.get_width_height()[1] // 64 + 1
    return _Stamp(np.array(font.get_image()), -room, room - top)


_STAMPS: dict[Any, _Stamp] = {}
"""Texts as they were drawn: names, numbers at axes and legends are the same in hundreds of figures."""


@lru_cache(32)
def _in_memory(file: FontPath, thread: int) -> Any:
    """A font for one thread, since it has a state.

    From its file, each letter would be read anew whenever it is measured or drawn.
    """
    return ft2font.FT2Font(io.BytesIO(Path(file).read_bytes()), face_index=file.face_index)


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
    renderer = Renderer(width, height, figure.dpi)
    figure.draw(renderer)
    return Image.frombuffer("RGBA", (width, height), renderer.buffer_rgba(), "raw", "RGBA", 0, 1).convert(
        "RGB"
    )
