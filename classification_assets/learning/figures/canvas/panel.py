"""Axes with ticks that cost little: those of Matplotlib take two fifths of the time of a chart.

Matplotlib makes five artists of a tick (two labels, two marks, a line of the grid), four ticks for axes that show none,
and looks for what they are seven times a picture. Here a tick is its label, made where it is shown, and an axis draws
the marks and the grid of all of them at once. What is set is set as usual, and looks the same. It stands in for inner
parts of Matplotlib, so with a version that it was not compared with, `panel` gives Matplotlib's own axes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis, YAxis
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, TICKLEFT, TICKRIGHT, TICKUP
from matplotlib.text import Text
from matplotlib.transforms import Transform

from classification_assets.learning.figures.canvas.compared import axes_compared
from classification_assets.learning.figures.canvas.label import Label


def panel(figure: Figure, place: tuple[float, float, float, float]) -> Axes:
    """New axes at a place (left, bottom, width, height; shares of the figure's size), which the figure then has."""
    kind = Panel if axes_compared() else Axes
    return figure.add_axes(kind(figure, place))


class Panel(Axes):
    """Matplotlib's axes but for the ticks."""

    def _init_axis(self) -> None:
        self.xaxis, self.yaxis = _XAxis(self, clear=False), _YAxis(self, clear=False)
        for axis, sides in ((self.xaxis, ("bottom", "top")), (self.yaxis, ("left", "right"))):
            for side in sides:
                self.spines[side].register_axis(axis)

    def clear(self) -> None:
        super().clear()
        # Their place is set when it is first asked for, which Matplotlib's ticks do.
        for spine in self.spines.values():
            spine.get_spine_transform()


class _Nothing:
    """A label or a line that a tick does not show."""

    @staticmethod
    def get_visible() -> bool:
        return False

    def set_text(self, text: str) -> None: ...

    def _internal_update(self, properties: dict[str, Any]) -> None: ...


_NOTHING = _Nothing()


class _Shown(_Nothing):
    """A line that a tick shows, which its axis draws."""

    @staticmethod
    def get_visible() -> bool:
        return True


_SHOWN = _Shown()


class _Tick:
    """A place on an axis, and its label: as much of Matplotlib's tick as an axis asks for."""

    _across: bool

    def __init__(self, axes: Axes, loc: float, *, major: bool, **look: Any) -> None:
        self.axes, self._loc, self.look = axes, loc, {"tick1On": True, "label1On": True} | look
        self.name = f"{'x' if self._across else 'y'}tick"
        self.rank = f"{self.name}.{'major' if major else 'minor'}"
        self._labels: dict[int, Text] = {}
        self._tickdir = "out"

    def chosen(self, name: str, *defaults: str) -> Any:
        """A property as it was set, or as the first of some parameters that is not None says."""
        parameters: Any = mpl.rcParams
        known = [self.look.get(name), *(parameters[default] for default in defaults)]
        return next((value for value in known if value is not None), None)

    @property
    def _size(self) -> float:
        return float(self.chosen("size", f"{self.rank}.size"))

    @property
    def label1(self) -> Text | _Nothing:
        return self._label(1)

    @property
    def label2(self) -> Text | _Nothing:
        return self._label(2)

    @property
    def tick1line(self) -> _Nothing:
        return self._line("tick1On")

    @property
    def tick2line(self) -> _Nothing:
        return self._line("tick2On")

    @property
    def gridline(self) -> _Nothing:
        return self._line("gridOn")

    def labels(self) -> list[Text]:
        """The labels that are shown."""
        return [label for label in (self.label1, self.label2) if isinstance(label, Text)]

    def get_loc(self) -> float:
        return self._loc

    def get_tick_padding(self) -> float:
        return self._size

    def update_position(self, loc: float) -> None:
        self._loc = loc
        for label in self._labels.values():
            (label.set_x if self._across else label.set_y)(loc)

    def _apply_params(self, **look: Any) -> None:
        self.look |= look
        own = {"labelcolor": "color", "labelsize": "fontsize", "labelrotation": "rotation"}
        changed = {own[name]: value for name, value in look.items() if name in own}
        for side, label in self._labels.items():
            label.set(transform=self._place(side)[0], **changed)

    def _line(self, name: str) -> _Nothing:
        return _SHOWN if self.look.get(name) else _NOTHING

    def _label(self, side: int) -> Text | _Nothing:
        if not self.look.get(f"label{side}On"):
            return _NOTHING
        if side not in self._labels:
            transform, va, ha = self._place(side)
            # As Matplotlib has it, not the colour that is set for the marks.
            colour = self.chosen("labelcolor", f"{self.name}.labelcolor")
            label = Label(
                *((self._loc, side - 1) if self._across else (side - 1, self._loc)),
                color=self.chosen("", f"{self.name}.color") if colour == "inherit" else colour,
                fontsize=self.chosen("labelsize", f"{self.name}.labelsize"),
                rotation=self.look.get("labelrotation", 0),
                va=va,
                ha=ha,
                transform=transform,
            )
            label.set_figure(self.axes.get_figure())
            self._labels[side] = label
        return self._labels[side]

    def _place(self, side: int) -> tuple[Transform, str, str]:
        """The transform of the label on a side, and how it is aligned."""
        pad = self.chosen("pad", f"{self.rank}.pad") + self.get_tick_padding()
        of_axes = getattr(self.axes, f"get_{'x' if self._across else 'y'}axis_text{side}_transform")
        return cast("tuple[Transform, str, str]", of_axes(pad))


class _Lean(Axis):
    """Draws the marks and the grid of its ticks, and finds these once for each state that it is in."""

    # Matplotlib's own, of which its stubs tell nothing.
    axis_name: str
    major: Any
    _major_tick_kw: dict[str, Any]
    _minor_tick_kw: dict[str, Any]
    label_position: str
    _update_offset_text_position: Callable[..., None]

    _tick_class: type[_Tick]
    _known: tuple[tuple[Any, ...], list[_Tick]] | None = None
    _boxes: tuple[tuple[Any, ...], Any] | None = None
    _named: tuple[Any, tuple[float, float]] | None = None

    def get_children(self) -> list[Artist]:
        ticks = cast("list[_Tick]", [*self.get_major_ticks(), *self.get_minor_ticks()])
        return [self.label, self.offsetText, *(label for tick in ticks for label in tick.labels())]

    def set_clip_path(self, path: Any, transform: Transform | None = None) -> None:
        Artist.set_clip_path(self, path, transform)

    def draw(self, renderer: RendererBase) -> None:
        if not self.get_visible():
            return
        renderer.open_group(f"matplotlib.{self.axis_name}axis", gid=self.get_gid())
        ticks = self._update_ticks()
        major = set(self.majorTicks)
        for group in ([each for each in ticks if (each in major) == first] for first in (True, False)):
            for line in self._lines(group):
                line.draw(renderer)
        for tick in ticks:
            for label in tick.labels():
                label.draw(renderer)
        # Each is put beside the labels of the ticks, which takes long to measure.
        if self.label.get_text():
            self._update_label_position(renderer)
            self.label.draw(renderer)
        self.offsetText.set_text(offset := self.major.formatter.get_offset())
        if offset:
            self._update_offset_text_position(*self._get_ticklabel_bboxes(ticks, renderer))
            self.offsetText.draw(renderer)
        renderer.close_group(f"matplotlib.{self.axis_name}axis")
        self.stale = False

    def _lines(self, ticks: list[_Tick]) -> list[Line2D]:
        """The grid and the marks of major ticks, or of minor ones."""
        if not ticks:
            return []
        axes, across, first = self.axes, self.axis_name == "x", ticks[0]
        places = np.array([tick.get_loc() for tick in ticks])

        def line(along: np.ndarray, beside: np.ndarray, where: str, **look: Any) -> Line2D:
            drawn = Line2D(*((along, beside) if across else (beside, along)), **look)
            drawn.set_figure(axes.get_figure())
            drawn.set_transform((axes.get_xaxis_transform if across else axes.get_yaxis_transform)(where))
            return drawn

        lines = []
        if first.gridline.get_visible():
            # Gaps between them make one line of all.
            ends = np.column_stack(
                [np.zeros(len(places)), np.ones(len(places)), np.full(len(places), np.nan)]
            )
            grid = line(
                np.repeat(places, 3),
                ends.ravel(),
                "grid",
                color=first.chosen("grid_color", "grid.color"),
                alpha=first.chosen("grid_alpha", "grid.alpha"),
                linestyle=first.chosen("grid_linestyle", "grid.linestyle"),
                linewidth=first.chosen("grid_linewidth", "grid.linewidth"),
            )
            grid.set_clip_path(axes.patch)
            lines.append(grid)
        for side, shown in enumerate((first.tick1line, first.tick2line)):
            if shown.get_visible() and first._size:
                colour = first.chosen("color", f"{first.name}.color")
                look = {
                    "marker": ((TICKDOWN, TICKUP) if across else (TICKLEFT, TICKRIGHT))[side],
                    "markeredgecolor": colour,
                    "markersize": first._size,
                    "markeredgewidth": first.chosen("width", f"{first.rank}.width"),
                }
                beside = np.full(len(places), float(side))
                lines.append(line(places, beside, f"tick{side + 1}", linestyle="none", **look))
        return lines

    def _get_ticklabel_bboxes(self, ticks: list[_Tick], renderer: RendererBase) -> Any:
        """Boxes of the labels on either side, which the name, the title, the sheet and the drawing all ask for."""
        key = self._look(ticks, renderer)
        if self._boxes is None or self._boxes[0] != key:
            inherited: Any = super()
            self._boxes = key, inherited._get_ticklabel_bboxes(ticks, renderer)
        return self._boxes[1]

    def _update_label_position(self, renderer: RendererBase) -> None:
        """Move the name beside what it stands by, where that has changed."""
        spine = self.axes.spines[self.label_position]
        beside = self._look(self._update_ticks(), renderer), self.labelpad, spine.get_visible()
        if self._named != (beside, self.label.get_position()):
            inherited: Any = super()
            inherited._update_label_position(renderer)
            self._named = beside, self.label.get_position()

    def _look(self, ticks: list[_Tick], renderer: RendererBase) -> tuple[Any, ...]:
        """The state on which the places of ticks' labels depend."""
        labels = [
            (label.get_text(), hash(label.get_fontproperties()), label.get_rotation(), label.get_visible())
            for tick in ticks
            for label in tick.labels()
        ]
        place = self.axes.bbox.bounds
        return type(renderer), renderer.points_to_pixels(1), self._known and self._known[0], place, labels

    def _update_ticks(self) -> list[_Tick]:
        kinds = (self.major, self.minor)
        state = (
            *(part for kind in kinds for part in (kind.locator, kind.formatter)),
            *(str(look) for look in (self._major_tick_kw, self._minor_tick_kw)),
            self.get_transform(),
            *self.get_view_interval(),
            # Where axes lie does not matter, and their size is found anew from that, with other roundings.
            *np.round(self.axes.bbox.size, 3).tolist(),
        )
        if self._known is None or self._known[0] != state:
            self._known = state, super()._update_ticks()
        return self._known[1]

    def _copy_tick_props(self, src: _Tick, dest: _Tick) -> None:
        """Nothing: all ticks of an axis are made with what was set for all."""


class _XTick(_Tick):
    _across = True


class _YTick(_Tick):
    _across = False


class _XAxis(_Lean, XAxis):
    _tick_class = _XTick


class _YAxis(_Lean, YAxis):
    _tick_class = _YTick
