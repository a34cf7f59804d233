"""A figure as pixels, and as PNG: what is stored and what is shown come from one rendering."""

from __future__ import annotations

import io

from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image, WebPImagePlugin  # noqa: F401  # else Pillow imports all formats to find WebP's

from classification_assets.learning.figures.canvas.landscape import is_shaded
from classification_assets.learning.figures.canvas.quantize import in_few_colours, in_mixed_shades
from classification_assets.learning.figures.canvas.raster import rendered
from classification_assets.learning.figures.canvas.style import Sheet
from classification_assets.learning.printable import without_control

COMPRESSION, COMPRESSION_OF_ALL = 4, 2
"""Compression levels of PNG in 256 colours, and in all colours, where the usual one would take three times longer."""

_LARGEST, _SMALLEST = 1000, 460
"""Pixels of a preview's longer side; below the second quality is given up before more pixels are."""
_QUALITIES = (76, 60, 40)
_LEAST_GROWTH, _MOST_GROWTH = 1.3, 1.6
"""Powers of its side between which a preview's bytes grow: with the one a try too large is made smaller, with the other
a small one larger, so that the next try fits."""
_EFFORT = 2
"""Effort of WebP's encoder: from 3 on it takes twice the time for files smaller by a twentieth."""


def picture(figure: Figure) -> Image.Image:
    """A figure's pixels at its own resolution, RGB; a sheet is rendered once, however often it is asked."""
    if not isinstance(figure, Sheet):
        return rendered(figure)
    if figure.rendered is None:
        figure.rendered = figure.picture()
    return figure.rendered


def png(figure: Figure) -> bytes:
    """A figure as PNG, without time and versions: the same pixels are the same bytes.

    Figures of this project are stored in 256 colours, in a third of the bytes, where these are enough; a sheet is
    encoded once, however often it is asked.
    """
    if not isinstance(figure, Sheet):
        return _encoded(picture(figure), figure.dpi)
    if figure.encoded is None:
        in_palette = in_mixed_shades if is_shaded(figure) else in_few_colours
        figure.encoded = _encoded(in_palette(picture(figure)), figure.dpi)
    return figure.encoded


def encode(figure: Figure) -> None:
    """Encode what will be stored in advance; other figures than sheets may change until then.

    Where that fails, storing the figure fails as well, and tells why.
    """
    if isinstance(figure, Sheet):
        png(figure)


def _encoded(pixels: Image.Image, dpi: float) -> bytes:
    level = COMPRESSION if pixels.mode == "P" else COMPRESSION_OF_ALL
    buffer = io.BytesIO()
    pixels.save(buffer, format="png", compress_level=level, dpi=(dpi, dpi))
    return buffer.getvalue()


def svg(figure: Figure) -> bytes:
    """A figure as SVG, without time and versions: the same figure is the same bytes."""
    buffer = io.BytesIO()
    # Without a salt the names inside would be drawn anew each time.
    with rc_context({"svg.hashsalt": "classification_assets"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    # Texts are outlines, but stand in comments too, and XML bears no control character in these either.
    return without_control(buffer.getvalue().decode()).encode()


def preview(figure: Figure, most_bytes: int) -> bytes:
    """A small WebP, as large as `most_bytes` allow: of half the bytes of a PNG in few colours."""
    full = picture(figure)
    side, qualities = min(max(full.size), _LARGEST), iter(_QUALITIES)
    used = next(qualities)
    if side > _SMALLEST and is_shaded(figure):
        # Hardly one fits at its largest: how small a small one is tells for a third of the time what does.
        small = _reduced(full, _SMALLEST, used)
        side = min(side, max(_SMALLEST, round(_SMALLEST * (most_bytes / len(small)) ** (1 / _MOST_GROWTH))))
    while True:
        small = _reduced(full, side, used)
        if len(small) <= most_bytes:
            return small
        smaller = side * min(0.95, (most_bytes / len(small)) ** (1 / _LEAST_GROWTH))
        if side > _SMALLEST:
            side = max(_SMALLEST, round(smaller))
        elif worse := next(qualities, 0):
            used = worse
        else:
            side = round(smaller)


def _reduced(full: Image.Image, side: int, quality: int) -> bytes:
    share = side / max(full.size)
    size = (max(1, round(full.width * share)), max(1, round(full.height * share)))
    buffer = io.BytesIO()
    full.resize(size, Image.Resampling.HAMMING).save(buffer, format="webp", quality=quality, method=_EFFORT)
    return buffer.getvalue()
