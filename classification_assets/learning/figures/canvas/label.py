"""A text that is laid out once: ticks and keys have the same ones again, and each is asked for its size often.

To draw one panel Matplotlib asks each label four times, and works out anew where its lines lie.
"""

from __future__ import annotations

from typing import Any

from matplotlib.backend_bases import RendererBase
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from classification_assets.learning.figures.canvas.compared import texts_compared
from classification_assets.learning.figures.canvas.raster import MOST_TEXTS, Renderer

_LAYOUTS: dict[Any, Any] = {}


class Label(Text):
    """Matplotlib's text, whose layout round its place is remembered."""

    def get_window_extent(self, renderer: RendererBase | None = None, dpi: float | None = None) -> Bbox:
        if (
            not (isinstance(renderer, Renderer) and texts_compared())
            or dpi is not None
            or not (self.get_visible() and self.get_text())
        ):
            return super().get_window_extent(renderer, dpi)
        x, y = self.get_transform().transform(self.get_unitless_position())
        found: Bbox = self._get_layout(renderer)[0].translated(x, y)
        return found

    def _get_layout(self, renderer: RendererBase) -> Any:
        inherited: Any = super()
        compared = texts_compared() and not self.get_wrap() and not self.get_usetex()
        if not (isinstance(renderer, Renderer) and compared):
            return inherited._get_layout(renderer)
        font = self.get_fontproperties()
        look = (
            renderer.dpi,
            self.get_rotation(),
            self.get_rotation_mode(),
            self.get_horizontalalignment(),
            self.get_verticalalignment(),
            self.get_parse_math(),
        )
        key = self.get_text(), font, look
        layout = _LAYOUTS.get(key)
        if layout is None:
            layout = inherited._get_layout(renderer)
            # Of letters that the font has not, the renderer is to hear each time.
            if not renderer.lacks:
                if len(_LAYOUTS) >= MOST_TEXTS:
                    _LAYOUTS.clear()
                _LAYOUTS[key[0], font.copy(), look] = layout
        return layout
