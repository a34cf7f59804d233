"""A figure's pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import ft2font
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg, get_hinting_flag
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text
from PIL import Image

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


class _Pen(RendererAgg):
    """Matplotlib's renderer, which draws the same letters in two thirds of the time.

    Matplotlib gives a font its size anew for each letter, whose hints it then works out for three times as long as it
    draws. Here it has its size once for a text, and a letter at the same part of a pixel is drawn once.
    """

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
        if mpl.__version_info__[:2] != _COMPARED:
            inherited._draw_text_glyphs_and_boxes(gc, x, y, angle, glyphs, boxes)
            return
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        turn, flags, smooth = np.array([[cos, -sin], [sin, cos]]), get_hinting_flag(), gc.get_antialiased()
        mode = ft2font.RenderMode.NORMAL if smooth else ft2font.RenderMode.MONO
        sizes, shapes, drawn = (
            dict[Any, float](),
            dict[Any, np.ndarray](),
            dict[Any, tuple[np.ndarray, int, int]](),
        )
        for font, size, letter, slant, extend, right, up in glyphs:
            # In 64ths of a pixel, from the lower left corner.
            place = x + right * cos - up * sin, self.height - y + right * sin + up * cos
            (column, within), (row, above) = (divmod(round(64 * part), 64) for part in place)
            look = size, slant, extend
            known = font, letter, look, within, above
            if known not in drawn:
                if sizes.get(font) != size:
                    font.set_size(size, self.dpi)
                    sizes[font] = size
                if look not in shapes:
                    shapes[look] = (0x10000 * turn @ [[extend, extend * slant], [0, 1]]).round().astype(int)
                font._set_transform(shapes[look], [within, above])
                bitmap = font._render_glyph(letter, flags, mode)
                drawn[known] = bitmap.buffer * (1 if smooth else 255), bitmap.left, bitmap.top
            cover, left, top = drawn[known]
            bottom = int(self.height) - row - top + len(cover)
            self._renderer.draw_text_image(cover, column + left, bottom, 0, gc)
        if boxes:
            inherited._draw_text_glyphs_and_boxes(gc, x, y, angle, (), boxes)


_COMPARED = (3, 11)
"""The version of Matplotlib that draws a text by such a function, and with which every pixel was compared."""


class _Renderer(_Pen):
    lacks = False
    """Whether a text that was measured has letters that its font has not."""

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: bool | str) -> Heights:
        fitted = fitting(prop, s)
        if fitted is not prop:
            self.lacks, prop = True, fitted
        size = _SIZES.get((s, prop, ismath, self.dpi))
        if size is None:
            if len(_SIZES) >= MOST_SIZES:
                _SIZES.clear()
            with without_bold_is_no_news():
                size = super().get_text_width_height_descent(s, prop, ismath)
            _SIZES[s, prop.copy(), ismath, self.dpi] = size
        return size

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
        if ismath or angle:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        # As finely as fonts are placed, in 64ths of a pixel.
        (column, right), (row, down) = (divmod(round(64 * place), 64) for place in (x, y))
        key = s, prop, self.dpi, right, down, bool(gc.get_antialiased())
        stamp = _STAMPS.get(key)
        if stamp is None:
            if len(_STAMPS) >= MOST_SIZES:
                _STAMPS.clear()
            stamp = _stamp(*key)
            _STAMPS[s, prop.copy(), *key[2:]] = stamp
        if stamp.cover.size:
            bottom = row + stamp.top + len(stamp.cover)
            self._renderer.draw_text_image(stamp.cover, column + stamp.left, bottom, 0, gc)

    def _get_font_height_metrics(self, prop: FontProperties) -> Heights:
        return font_heights(prop, self.dpi)


_SIZES: dict[Any, Heights] = {}
MOST_SIZES = 10_000


@dataclass(frozen=True, eq=False)
class _Stamp:
    """How much of each pixel round its place a text covers, (H, W) uint8, and where these are from there, in pixels."""

    cover: np.ndarray
    left: int
    top: int


_STAMPS: dict[Any, _Stamp] = {}
"""Texts as they were drawn: names, numbers at axes and legends are the same in hundreds of figures."""


def _stamp(s: str, prop: FontProperties, dpi: float, right: int, down: int, smooth: bool) -> _Stamp:
    """A text whose place is so many 64ths of a pixel to the right of a whole one, and below it."""
    width, height, _ = _Renderer(1, 1, dpi).get_text_width_height_descent(s, prop, False)
    room = round(height) + 2
    page = _Pen(round(width) + 2 * room, 3 * room, dpi)
    pen = page.new_gc()
    pen.set_antialiased(smooth)
    page.draw_text(pen, room + right / 64, 2 * room + down / 64, s, prop, 0)
    cover = np.asarray(page.buffer_rgba())[..., 3]
    rows, columns = np.flatnonzero(cover.any(1)), np.flatnonzero(cover.any(0))
    if not len(rows):
        return _Stamp(cover[:0], 0, 0)
    top, left = rows[0], columns[0]
    own = cover[top : rows[-1] + 1, left : columns[-1] + 1]
    return _Stamp(np.ascontiguousarray(own), int(left) - room, int(top) - 2 * room)


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
