"""How the boundary forms during training, as an animated GIF.

Frames are painted with Pillow from the tints and lines of every other figure: a matplotlib figure a frame
would take some twenty times longer. All share one palette, and are numbers of its colours from the first: tints are
looked up in it, and of what lies upon them only the few pixels that it covers are mixed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgb
from matplotlib.path import Path as Line
from matplotlib.transforms import Affine2D, IdentityTransform
from PIL import Image, ImageDraw, ImageFont

from classification_assets.learning.figures.canvas.gif import gif
from classification_assets.learning.figures.canvas.glyphs import font_file, tell_what_is_missing
from classification_assets.learning.figures.canvas.landscape import TINY, Extent, borders, tint
from classification_assets.learning.figures.canvas.legend import shortened
from classification_assets.learning.figures.canvas.points import TEST, Points
from classification_assets.learning.figures.canvas.style import PALETTE, Theme, theme_named
from classification_assets.learning.figures.evolution import Snapshot, panel_size

INLINE_BYTES = 300_000
"""Largest size of an inline picture."""

MOMENT, FIRST, LAST = 240, 700, 2_600  # milliseconds
POINTS = 250
UNTOUCHED = np.array([255, 255, 255, 0], np.uint8).view(np.uint32)[0]
"""The renderer's empty pixel: white without cover."""


@dataclass(frozen=True)
class _Quality:
    """Side of the map in pixels, frames a snapshot, tints a class, and about its bytes against the first's."""

    side: int
    between: int
    tints: int
    weight: float = 1.0


_LARGE = _Quality(560, 3, 12)
# Dagster's event log keeps an inline picture three times a run: it shows the snapshots alone, the large one glides.
_INLINE = (
    _Quality(340, 1, 8),
    _Quality(260, 1, 5, 0.6),
    _Quality(180, 1, 4, 0.35),
)


def animation(
    snapshots: Sequence[Snapshot],
    extent: Extent,
    *,
    classes: Sequence[str],
    points: Points | None = None,
    title: str = "",
    theme: str = "light",
    inline: bool = True,
) -> bytes:
    """An endlessly repeated GIF of a training, blended from snapshot to snapshot, that rests at the end.

    Parameters
    ----------
    snapshots : two or more, by step; their grids are equal
    extent : (x0, x1, y0, y1)
    classes : names of the C classes
    points : rows on the plane, of which some of the test fold are drawn
    title : one line
    theme : "light" or "dark"
    inline : small enough to be shown inside a page (less than 300 kB), else large, smooth and in more colours
    """
    if len(snapshots) < 2:
        raise ValueError(f"an animation needs two snapshots or more, got {len(snapshots)}")
    chosen = theme_named(theme)
    expected, moving = 0.0, b""
    # Of many classes hardly a pixel stands still, so there is no use in trying the largest.
    tried = _INLINE[0 if len(classes) <= 4 else 1 :] if inline else (_LARGE,)
    for quality in tried:
        if moving and quality is not _INLINE[-1] and expected * quality.weight > INLINE_BYTES:
            continue
        palette = _palette(chosen, len(classes), quality.tints)
        page = _Page(extent, classes, points, title, chosen, quality.side, palette)
        n_between = quality.between * (len(snapshots) - 1) - 1
        milliseconds = [FIRST, *[MOMENT // quality.between] * n_between, LAST]
        moving = gif(page.frames(snapshots, quality.between), page.colours.astype(np.uint8), milliseconds)
        if len(moving) <= INLINE_BYTES:
            break
        expected = len(moving) / quality.weight
    return moving


def _palette(theme: Theme, n_classes: int, levels: int) -> Image.Image:
    """The theme's colours, each class's own and its tints: with one palette, what stands still costs nothing."""
    greys = [theme.faded(theme.ink, part) for part in (0, 0.25, 0.5, 0.75, 1)]
    chosen = [*greys, theme.muted, theme.faint, theme.accent]
    chosen += [theme.class_colour(c) for c in range(min(n_classes, len(PALETTE)))]
    levels = min(levels, (255 - len(chosen)) // n_classes)
    certain = np.linspace(1 / n_classes, 1, levels + 1)[1:, None, None]
    probabilities = certain * np.eye(n_classes) + (1 - certain) * (1 - np.eye(n_classes)) / max(
        1, n_classes - 1
    )
    tints = (255 * tint(probabilities, theme)).round().astype(int).reshape(-1, 3)
    # What is hardly a tint would take the paper's place.
    paper = 255 * np.array(to_rgb(theme.paper))
    tints = tints[np.abs(tints - paper).max(axis=1) > 6]
    numbers = [*(255 * np.array([to_rgb(colour) for colour in chosen])).round().astype(int), *tints][:255]
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate(numbers).tolist())
    return palette


class _Page:
    """The part of an animation that stands still, and where things are, in pixels."""

    def __init__(
        self,
        extent: Extent,
        classes: Sequence[str],
        points: Points | None,
        title: str,
        theme: Theme,
        side: int,
        palette: Image.Image,
    ) -> None:
        self.extent, self.theme, self.palette = extent, theme, palette
        self.colours = np.reshape(palette.getpalette() or [], (-1, 3)).astype(np.float32)
        self.width, self.height = (round(length) for length in panel_size(extent, side))
        self.unit = unit = side / 340
        self.margin, self.top = round(12 * unit), round(56 * unit)
        names = [shortened(name) for name in classes]
        small = round(11.5 * unit)
        self.small, bold = _font(font_file(""), small), _font(font_file(title, bold=True), round(15 * unit))
        fonts = [_font(font_file(name), small) for name in names]
        line = 16 * unit
        rows = max(1, int((self.height + 4 * unit) // line))
        widest = max(font.getlength(name) for font, name in zip(fonts[:rows], names, strict=False))
        beside = round(widest + 34 * unit)
        across = max(self.width + beside, round(bold.getlength(title)))
        size = (across + 2 * self.margin, self.top + self.height + round(20 * unit))
        ground = Image.new("RGB", size, theme.paper)
        draw = ImageDraw.Draw(ground)
        draw.text((self.margin, round(8 * unit)), title, font=bold, fill=theme.ink)
        left = self.margin + self.width + round(14 * unit)
        for index, (font, name) in enumerate(zip(fonts[:rows], names, strict=False)):
            middle = self.top + (index + 0.5) * line
            _dot(ground, left + 4 * unit, middle, 4 * unit, theme.class_colour(index))
            draw.text((left + 14 * unit, middle), name, font=font, fill=theme.ink, anchor="lm")
        self.low = self.top + self.height + round(7 * unit)
        self.ground = self._numbers(ground)
        ramp = np.linspace(0, 1, 256)
        tints = (255 * tint(np.column_stack([1 - ramp, ramp]), theme)).round().astype(np.uint8)
        self.of_two = self._numbers(Image.fromarray(tints[None]))[0].tolist()
        self.dots = None if points is None else self._dots(points)
        tell_what_is_missing()

    def frames(self, snapshots: Sequence[Snapshot], between: int) -> Iterator[np.ndarray]:
        """The page at every snapshot, and blended at the steps `between` each and the next, in numbers of colours."""
        logs = [np.log(np.maximum(snapshot.probabilities, TINY)).astype(np.float32) for snapshot in snapshots]
        for index, (here, there) in enumerate(pairwise(logs)):
            self._name(snapshots, index)
            for part in np.arange(between, dtype=np.float32) / between:
                yield self._frame((1 - part) * here + part * there, (index + part) / (len(logs) - 1))
        self._name(snapshots, len(snapshots) - 1)
        yield self._frame(logs[-1], 1)

    def _frame(self, logs: np.ndarray, done: float) -> np.ndarray:
        """The page with a map of (R, R, C) logarithms of probabilities, when a part of the training is done."""
        probabilities = np.exp(logs)
        probabilities /= probabilities.sum(axis=2, keepdims=True)
        page = self.ground.copy()
        page[self.top :, self.margin :][: self.height, : self.width] = self._map(probabilities)
        bar = page[self.low : self.low + max(2, round(4 * self.unit)) + 1, self.margin :]
        for length, colour in ((self.width, self.theme.faint), (done * self.width, self.theme.accent)):
            bar[:, : round(length) + 1] = self._number(colour)
        return page

    def _map(self, probabilities: np.ndarray) -> np.ndarray:
        area = self._tints(probabilities[::-1])
        lines = _Layer(self.width, self.height)
        places = [self._pixels(line) for line in borders(probabilities, self.extent)]
        for colour, width, strength in ((self.theme.paper, 3.6, 0.75), (self.theme.ink, 1.7, 1.0)):
            for place in places:
                lines.line(place, colour, width * self.unit, strength)
        self._put(area, lines.marks())
        if self.dots is not None:
            self._put(area, self.dots)
        return area

    def _tints(self, probabilities: np.ndarray) -> np.ndarray:
        """The tints of the whole map; of two classes, the probability of one tells them in a third of the time."""
        chances = probabilities[..., 1] if probabilities.shape[2] == 2 else tint(probabilities, self.theme)
        coarse = Image.fromarray((255 * chances).round().astype(np.uint8))
        fine = coarse.resize((self.width, self.height), Image.Resampling.BILINEAR)
        return np.array(fine.point(self.of_two)) if fine.mode == "L" else self._numbers(fine)

    def _numbers(self, picture: Image.Image) -> np.ndarray:
        """The palette's colours that are nearest to those of a picture, RGB."""
        return np.array(picture.quantize(palette=self.palette, dither=Image.Dither.NONE))

    def _put(self, area: np.ndarray, marks: _Marks) -> None:
        if len(marks.places):
            pixels = area.reshape(-1)
            mixed = self.colours.take(pixels[marks.places], axis=0)
            mixed *= marks.clear
            mixed += marks.paint
            pixels[marks.places] = self._numbers(Image.fromarray(mixed.astype(np.uint8)[None]))[0]

    def _number(self, colour: str) -> np.ndarray:
        return self._numbers(Image.new("RGB", (1, 1), colour))

    def _name(self, snapshots: Sequence[Snapshot], index: int) -> None:
        """Write on all pages from now on which snapshot was the latest: snapshots are known as they are."""
        snapshot = snapshots[index]
        text = f"step {snapshot.step:,} of {snapshots[-1].step:,}"
        if snapshot.loss is not None:
            text += f" · validation loss {snapshot.loss:.3f}"
        line = Image.new("RGB", (self.ground.shape[1], self.top - round(30 * self.unit)), self.theme.paper)
        place = self.margin, round(32 * self.unit) - round(30 * self.unit)
        ImageDraw.Draw(line).text(place, text, font=self.small, fill=self.theme.muted)
        self.ground[self.top - line.height : self.top] = self._numbers(line)

    def _pixels(self, places: np.ndarray) -> np.ndarray:
        """Places (V, 2) in pixels from the map's lower left corner."""
        x0, x1, y0, y1 = self.extent
        return (places - (x0, y0)) / (x1 - x0, y1 - y0) * (self.width, self.height)

    def _dots(self, points: Points) -> _Marks:
        shown = points[points.fold == TEST].inside(self.extent).thinned(POINTS)
        dots = _Layer(self.width, self.height)
        for place, label in zip(self._pixels(shown.xy), shown.label.tolist(), strict=True):
            dots.dot(
                place, 2.6 * self.unit, self.theme.class_colour(label), self.theme.paper, 0.7 * self.unit
            )
        return dots.marks()


def _dot(ground: Image.Image, x: float, y: float, radius: float, colour: str) -> None:
    side = round(2 * radius) + 2
    layer = _Layer(side, side)
    layer.dot((side / 2, side / 2), radius, colour)
    dot = layer.image()
    ground.paste(dot, (round(x - side / 2), round(y - side / 2)), dot)


@dataclass(frozen=True, eq=False)
class _Marks:
    """P pixels that something covers.

    Attributes
    ----------
    places : (P,), line by line
    paint : (P, 3), its colours by how much it covers, and a half, so that what is mixed with them is rounded
    clear : (P, 1), the share of what is below that it leaves
    """

    places: np.ndarray
    paint: np.ndarray
    clear: np.ndarray


class _Layer:
    """Smooth lines and dots on nothing, painted by matplotlib's renderer without a figure; y points up."""

    def __init__(self, width: int, height: int) -> None:
        # At 72 dots an inch a pixel is a point, the unit of lines' widths.
        self.size, self.renderer = (width, height), RendererAgg(width, height, 72)

    def line(self, places: np.ndarray, colour: str, width: float, strength: float) -> None:
        """A polyline through places (V, 2)."""
        pen = self.renderer.new_gc()
        pen.set_capstyle("round")
        pen.set_joinstyle("round")
        pen.set_linewidth(width)
        pen.set_foreground(colour)
        pen.set_alpha(strength)
        self.renderer.draw_path(pen, Line(places), IdentityTransform())

    def dot(
        self, place: Sequence[float], radius: float, colour: str, edge: str | None = None, width: float = 0.0
    ) -> None:
        pen = self.renderer.new_gc()
        pen.set_linewidth(width)
        pen.set_foreground(edge or colour)
        circle = Affine2D().scale(radius).translate(*place)
        self.renderer.draw_path(pen, Line.unit_circle(), circle, to_rgb(colour))

    def marks(self) -> _Marks:
        pixels = np.asarray(self.renderer.buffer_rgba()).reshape(-1, 4)
        # A pixel as one number, since looking at one channel of four takes five times longer.
        places = np.flatnonzero(pixels.view(np.uint32)[:, 0] != UNTOUCHED)
        drawn = pixels[places].astype(np.float32)
        cover = drawn[:, 3:] / 255
        return _Marks(places, cover * drawn[:, :3] + np.float32(0.5), 1 - cover)

    def image(self) -> Image.Image:
        return Image.frombuffer("RGBA", self.size, self.renderer.buffer_rgba(), "raw", "RGBA", 0, 1)


@cache
def _font(file: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, size)
