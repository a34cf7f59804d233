"""A figure's pixels."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
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


class _Renderer(RendererAgg):
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
    width, height = map(round, figure.bbox.size)
    renderer = _Renderer(width, height, figure.dpi)
    figure.draw(renderer)
    return Image.frombuffer("RGBA", (width, height), renderer.buffer_rgba(), "raw", "RGBA", 0, 1).convert(
        "RGB"
    )
