"""A figure's pixels, and pixels as PNG."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from PIL import Image

Heights = tuple[float, float, float]

COMPRESSION = 2
_UP, _KINDS = 2, {3: 2, 4: 6}
"""Of a line's filter, and of pixels without and with transparency, in PNG."""


class Canvas(FigureCanvasAgg):
    """What a figure is measured on: how large a text is, is remembered of one figure for the next."""

    measures = False
    """Whether nothing is to be drawn yet: then there are no pixels."""

    def get_renderer(self) -> RendererAgg:
        width, height = self.get_width_height(physical=True)
        dpi, known = self.figure.dpi, getattr(self, "renderer", None)
        if self.measures:
            width, height = 1, 1
        if known is None or (known.width, known.height, known.dpi) != (width, height, dpi):
            self.renderer = _Renderer(width, height, dpi)
        return self.renderer


class _Renderer(RendererAgg):
    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: bool | str) -> Heights:
        known = s, prop, ismath, self.dpi
        if known not in _SIZES:
            if len(_SIZES) >= MOST_SIZES:
                _SIZES.clear()
            size = super().get_text_width_height_descent(s, prop, ismath)
            _SIZES[s, prop.copy(), ismath, self.dpi] = size
        return _SIZES[known]

    def _get_font_height_metrics(self, prop: FontProperties) -> Heights:
        return font_heights(prop, self.dpi)


_SIZES: dict[Any, Heights] = {}
MOST_SIZES = 10_000


@lru_cache(1024)
def font_heights(prop: FontProperties, dpi: float) -> Heights:
    """Ascent, descent and gap of lines. Where it may not ask, matplotlib reads a font's tables for every text."""
    font = get_font(findfont(prop))
    table: Any = font.get_sfnt_table("OS/2")
    scale = prop.get_size_in_points() * dpi / 72 / font.units_per_EM
    return table["sTypoAscender"] * scale, -table["sTypoDescender"] * scale, table["sTypoLineGap"] * scale


def rendered(figure: Figure) -> Image.Image:
    """A figure at its own resolution, RGB."""
    width, height = map(int, figure.bbox.size)
    renderer = _Renderer(width, height, figure.dpi)
    figure.draw(renderer)
    return Image.frombuffer("RGBA", (width, height), renderer.buffer_rgba(), "raw", "RGBA", 0, 1).convert(
        "RGB"
    )


def as_png(picture: np.ndarray, dpi: float | None = None) -> bytes:
    """Pixels (height, width, 3 or 4) uint8 as PNG, without time and versions: the same pixels are the same bytes.

    Each line is stored as its difference from the one above. Pillow tries five such filters a line, which takes
    most of its time, for files as large.
    """
    height, width, channels = picture.shape
    lines = picture.reshape(height, channels * width)
    filtered = np.empty((height, 1 + channels * width), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = lines[0]
    np.subtract(lines[1:], lines[:-1], out=filtered[1:, 1:])
    chunks = [(b"IHDR", struct.pack(">2I5B", width, height, 8, _KINDS[channels], 0, 0, 0))]
    if dpi is not None:
        a_metre = round(dpi / 0.0254)
        chunks.append((b"pHYs", struct.pack(">2IB", a_metre, a_metre, 1)))
    chunks += [(b"IDAT", zlib.compress(filtered, COMPRESSION)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
