"""A figure as SVG, in which text is outlines: a reader's machine need not have the font.

Matplotlib's own writer takes as long as all the drawing: it writes the style of every single point, and keeps
nothing of what it has found out about a text. Here points share a style, lines of one look are one path, and what
the letters look like is found once for all figures.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from math import isnan
from typing import Any

import numpy as np
from matplotlib import _path  # what its own writers of SVG, PDF and PostScript use
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D, Transform

from classification_assets.learning.figures.raster import as_png, font_heights

Colour = Sequence[float]

POINTS = 72
"""The unit of everything here, an inch's."""

DECIMALS = 2
_COMMANDS = [b"M", b"L", b"Q", b"C", b"Z"]
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" '
    'width="{0}pt" height="{1}pt" viewBox="0 0 {0} {1}">\n'
)


def as_svg(figure: Figure) -> str:
    """A figure as SVG, without time and versions: the same figure is the same text."""
    dpi = figure.dpi
    width, height = figure.get_size_inches()
    drawn = _Renderer(POINTS * width, POINTS * height, dpi)
    try:
        figure.dpi = POINTS
        # Artists that are to be pixels are drawn as such between those that are lines.
        figure.draw(MixedModeRenderer(figure, width, height, dpi, drawn))
    finally:
        figure.dpi = dpi
    return drawn.text()


class _Renderer(RendererBase):
    def __init__(self, width: float, height: float, image_dpi: float) -> None:
        super().__init__()
        self.width, self.height, self.image_dpi = width, height, image_dpi
        self.flipped = Affine2D().scale(1, -1).translate(0, height)
        self.shapes: list[str] = []
        self.definitions: dict[str, str] = {}

    def text(self) -> str:
        head = _HEAD.format(_number(self.width), _number(self.height))
        definitions = [text.replace(" ", f' id="{name}" ', 1) for text, name in self.definitions.items()]
        return "\n".join([head + "<defs>", *definitions, "</defs>", *self.shapes, "</svg>\n"])

    def draw_path(
        self, gc: GraphicsContextBase, path: Path, transform: Transform, rgbFace: Any = None
    ) -> None:
        # What lies outside of the page may be left out of a line, not of an area.
        line = rgbFace is None and gc.get_hatch() is None
        data = self._data(path, transform, clip=line, simplify=line and path.should_simplify)
        if data:
            self._add(f'<path d="{data}"{self._fill(gc, rgbFace)}{self._stroke(gc)}{self._clip(gc)}/>')

    def draw_markers(
        self,
        gc: GraphicsContextBase,
        marker_path: Path,
        marker_trans: Transform,
        path: Path,
        trans: Transform,
        rgbFace: Any = None,
    ) -> None:
        # A marker stands at the end of each stretch of the path.
        ends = [vertices[-2:] for vertices, _ in path.iter_segments(simplify=False)]
        if ends:
            mark = self._mark(marker_path, marker_trans)
            uses = _uses(mark, self._places(trans, np.array(ends)))
            self._group(uses, f"{self._fill(gc, rgbFace)}{self._stroke(gc)}{self._clip(gc)}")

    def draw_path_collection(
        self,
        gc: GraphicsContextBase,
        master_transform: Transform,
        paths: Sequence[Path],
        all_transforms: Any,
        offsets: Any,
        offset_trans: Transform,
        facecolors: Any,
        edgecolors: Any,
        linewidths: Any,
        linestyles: Any,
        antialiaseds: Any,
        *others: Any,
        **more: Any,
    ) -> None:
        if not len(paths):
            return  # a question of matplotlib's whether it may say more
        if not any(linewidths):
            edgecolors = edgecolors[:0]
        alike = max(map(len, (edgecolors, linewidths, linestyles))) <= 1 and len(all_transforms) <= 1
        if not alike or gc.get_hatch() is not None or (len(paths) > 1 and len(offsets) > 1):
            looks = (facecolors, edgecolors, linewidths, linestyles, antialiaseds)
            super().draw_path_collection(
                gc, master_transform, paths, all_transforms, offsets, offset_trans, *looks, *others, **more
            )
            return
        pen = self.new_gc()
        pen.copy_properties(gc)
        pen.set_linewidth(linewidths[0] if len(linewidths) and len(edgecolors) else 0)
        if len(edgecolors):
            pen.set_foreground(edgecolors[0], isRGBA=True)
        if len(linestyles):
            pen.set_dashes(*linestyles[0])
        look = f"{self._stroke(pen)}{self._clip(gc)}"
        fills = [self._fill(pen, colour) for colour in facecolors] or [self._fill(pen, None)]
        own = Affine2D(all_transforms[0]) if len(all_transforms) else Affine2D()
        if len(offsets) > 1:
            mark = self._mark(paths[0], own + master_transform)
            uses = _uses(mark, self._places(offset_trans, offsets), fills)
            self._group(uses, look)
            return
        moved = own + master_transform
        if len(offsets):
            moved += Affine2D().translate(*offset_trans.transform(offsets)[0])
        data = [self._data(path, moved, clip=not len(facecolors)) for path in paths]
        if len(fills) == 1:
            self._group([f'<path d="{" ".join(data)}"/>'], fills[0] + look)
        else:
            shapes = [f'<path d="{one}"{fill}/>' for one, fill in zip(data, fills * len(data), strict=False)]
            self._group(shapes, look)

    def draw_image(self, gc: GraphicsContextBase, x: float, y: float, im: Any, transform: Any = None) -> None:
        height, width = im.shape[:2]
        if not height * width:
            return
        if transform is None:
            transform = Affine2D().scale(POINTS / self.image_dpi)
        (x0, y0), (x1, y1) = transform.transform([(0, 0), (width, height)])
        box = (x + x0, self.height - y - y1, x1 - x0, y1 - y0)
        left, top, across, down = map(_number, box)
        opaque = im[..., :3] if im[..., 3].min() == 255 else im
        data = base64.b64encode(as_png(opaque[::-1])).decode()
        image = (
            f'<image x="{left}" y="{top}" width="{across}" height="{down}" preserveAspectRatio="none" '
            f'xlink:href="data:image/png;base64,{data}"/>'
        )
        self._group([image], self._clip(gc))

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: bool | str = False,
        mtext: Any = None,
    ) -> None:
        size = prop.get_size_in_points() / text_to_path.FONT_SCALE
        turned = f" rotate({_number(-angle)})" if angle else ""
        place = f"translate({_number(x)} {_number(y)}){turned} scale({size:.4g} {-size:.4g})"
        letters = [
            f'<use xlink:href="#{self._defined(outline)}" x="{place}"/>'
            for outline, place in _letters(s, prop)
        ]
        colour = tuple(gc.get_rgb())
        opacity = gc.get_alpha() if gc.get_forced_alpha() else colour[3]
        faint = f' opacity="{_number(opacity)}"' if opacity != 1 else ""
        fill = f' fill="{to_hex(colour[:3])}"{faint}{self._clip(gc)}'
        self._group([f'<g transform="{place}">', *letters, "</g>"], f' aria-label="{_escaped(s)}"{fill}')

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: bool | str
    ) -> tuple[float, float, float]:
        return _measured(s, prop)

    def _get_font_height_metrics(self, prop: FontProperties) -> tuple[float, float, float]:
        return font_heights(prop, POINTS)

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self.width, self.height

    def get_image_magnification(self) -> float:
        return self.image_dpi / POINTS

    def option_image_nocomposite(self) -> bool:
        return True

    def option_scale_image(self) -> bool:
        return True

    def _add(self, shape: str) -> None:
        self.shapes.append(shape)

    def _group(self, shapes: Sequence[str], look: str) -> None:
        self.shapes += [f"<g{look}>", *shapes, "</g>"]

    def _defined(self, definition: str) -> str:
        """The name of something that is used elsewhere; of two pictures in one page it means the same."""
        name = self.definitions.get(definition)
        if name is None:
            name = "i" + hashlib.sha256(definition.encode()).hexdigest()[:10]
            self.definitions[definition] = name
        return name

    def _data(self, path: Path, transform: Transform, *, clip: bool = False, simplify: bool = False) -> str:
        page = (0.0, 0.0, self.width, self.height) if clip else None
        return _written(path, transform + self.flipped, page, simplify)

    def _mark(self, path: Path, transform: Transform) -> str:
        """The name of a shape round (0, 0)."""
        return self._defined(f'<path d="{_written(path, transform + Affine2D().scale(1, -1))}"/>')

    def _places(self, transform: Transform, places: np.ndarray) -> np.ndarray:
        """Where on the page; NaN for what is not on it."""
        on_page = np.asarray((transform + self.flipped).transform(places), float)
        outside = ~((on_page >= 0) & (on_page <= (self.width, self.height))).all(1)
        on_page[outside] = np.nan
        return on_page

    def _fill(self, gc: GraphicsContextBase, face: Colour | None) -> str:
        if gc.get_hatch() is not None:
            return f' fill="url(#{self._hatch(gc)})"'
        if face is None or (len(face) == 4 and face[3] == 0):
            return ' fill="none"'
        alpha = face[3] if len(face) == 4 else 1
        return _filled(to_hex(tuple(face[:3])), gc.get_alpha() if gc.get_forced_alpha() else alpha)

    def _stroke(self, gc: GraphicsContextBase) -> str:
        width: float = gc.get_linewidth()
        colour: Any = gc.get_rgb()
        alpha = colour[3] if len(colour) == 4 else 1
        if not width or not alpha:
            return ""
        look = {
            "stroke": to_hex(colour[:3]),
            "stroke-width": _number(width),
            "stroke-linejoin": gc.get_joinstyle(),
        }
        if alpha != 1:
            look["stroke-opacity"] = _number(alpha)
        if (cap := gc.get_capstyle()) != "butt":
            look["stroke-linecap"] = {"projecting": "square"}.get(cap, cap)
        offset, dashes = gc.get_dashes()
        if dashes is not None:
            look |= {"stroke-dasharray": " ".join(map(_number, dashes)), "stroke-dashoffset": _number(offset)}
        return "".join(f' {name}="{value}"' for name, value in look.items())

    def _clip(self, gc: GraphicsContextBase) -> str:
        path, transform = gc.get_clip_path()
        if path is not None:
            shape = f'<path d="{self._data(path, transform)}"/>'
        elif (box := gc.get_clip_rectangle()) is not None:
            x, y, width, height = map(_number, (box.x0, self.height - box.y1, box.width, box.height))
            shape = f'<rect x="{x}" y="{y}" width="{width}" height="{height}"/>'
        else:
            return ""
        return f' clip-path="url(#{self._defined(f"<clipPath >{shape}</clipPath>")})"'

    def _hatch(self, gc: GraphicsContextBase) -> str:
        side = Affine2D().scale(POINTS, -POINTS).translate(0, POINTS)
        lines = _written(gc.get_hatch_path(), side)
        edge: Any = gc.get_hatch_color()
        colour, alpha = to_hex(edge), edge[3] if len(edge) == 4 else 1
        return self._defined(
            f'<pattern patternUnits="userSpaceOnUse" width="{POINTS}" height="{POINTS}">'
            f'<path d="{lines}" fill="{colour}" stroke="{colour}" '
            f'stroke-width="{_number(gc.get_hatch_linewidth())}" stroke-opacity="{_number(alpha)}"/></pattern>'
        )


def _uses(mark: str, places: np.ndarray, looks: Sequence[str] = ("",)) -> list[str]:
    """A mark at each place (N, 2), with looks in turn."""
    return [
        f'<use xlink:href="#{mark}" x="{x:.2f}" y="{y:.2f}"{looks[index % len(looks)]}/>'
        for index, (x, y) in enumerate(places.tolist())
        if not isnan(x)  # it is on the page
    ]


@lru_cache(1024)
def _filled(colour: str, alpha: float) -> str:
    return f' fill="{colour}"' + (f' fill-opacity="{_number(alpha)}"' if alpha != 1 else "")


@lru_cache(4096)
def _letters(text: str, font: FontProperties) -> list[tuple[str, str]]:
    """The outline of each letter, at one size of the font, and its place in the line."""
    chosen = text_to_path._get_font(font)  # type: ignore[attr-defined]
    letters, outlines, _ = text_to_path.get_glyphs_with_font(chosen, text)
    return [
        (_outline(name, *outlines[name]), _number(x)) for name, x, *_ in letters if len(outlines[name][0])
    ]


_OUTLINES: dict[str, str] = {}


def _outline(name: str, vertices: np.ndarray, codes: np.ndarray) -> str:
    if name not in _OUTLINES:
        _OUTLINES[name] = f'<path d="{_written(Path(vertices, codes))}"/>'
    return _OUTLINES[name]


@lru_cache(4096)
def _measured(text: str, font: FontProperties) -> tuple[float, float, float]:
    return text_to_path.get_text_width_height_descent(text, font, False)


def _written(
    path: Path,
    transform: Transform | None = None,
    page: tuple[float, float, float, float] | None = None,
    simplify: bool = False,
) -> str:
    """A path as SVG says it, with what is outside of the page left out."""
    write = _path.convert_to_string  # type: ignore[attr-defined]
    text = write(path, transform, page, simplify, None, DECIMALS, _COMMANDS, False)
    return text.decode().replace(" \n", " ").replace("\n", " ")


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
