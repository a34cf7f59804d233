"""How depth, width and activation change the score and the boundary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from classification_assets.learning.figures.canvas.legend import (
    HEIGHT,
    MARK_WIDTH,
    Entry,
    Section,
    key,
    shortened,
)
from classification_assets.learning.figures.canvas.style import Theme, sheet
from classification_assets.learning.figures.gallery import Cell, draw_cell

WIDTH, HIGH, GAP = 2.3, 2.2, 0.3  # inches
PICTURE, ACROSS, BETWEEN, NAME, BELOW = 1.35, 6, 0.1, 0.24, 0.54
MARKERS = "osD^vP*X"


@dataclass(frozen=True, eq=False)
class Shapes:
    """The shapes of A architectures, and how good each one is.

    Attributes
    ----------
    names : of the architectures
    parameters : (A,), of one network
    depth : (A,), hidden layers
    width : (A,), units of the widest one, 0 without any
    activation : of each, in words; what else tells them apart may be said here too
    value, low, high : (A,), the score and its interval
    """

    names: Sequence[str]
    parameters: np.ndarray
    depth: np.ndarray
    width: np.ndarray
    activation: Sequence[str]
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __post_init__(self) -> None:
        A = len(self.names)
        for name in ("parameters", "depth", "width", "activation", "value", "low", "high"):
            if np.shape(getattr(self, name)) != (A,):
                raise ValueError(f"{name} must be ({A},) for {A} names, got {np.shape(getattr(self, name))}")

    def lines(self, varied: str) -> list[np.ndarray]:
        """Indices of architectures that differ in one factor alone, in its order; only of two or more."""
        values = {"depth": np.asarray(self.depth), "width": np.asarray(self.width)}
        # Without a hidden layer there is neither width nor activation: such a one starts every line of depths.
        bare = np.asarray(self.depth) == 0
        others = [name for name in values if name != varied]
        groups: dict[tuple, list[int]] = {}
        for index in np.flatnonzero(~bare).tolist():
            same = (*(values[name][index] for name in others), self.activation[index])
            groups.setdefault(same, []).append(index)
        start = list(np.flatnonzero(bare)) if varied == "depth" else []
        lines = [np.array([*start, *own]) for own in groups.values()]
        lines = [line[np.argsort(values[varied][line], kind="stable")] for line in lines]
        return [line for line in lines if len(np.unique(values[varied][line])) > 1]


def architecture_effect(
    shapes: Shapes,
    cells: Mapping[str, Cell],
    *,
    metric: str = "test accuracy",
    title: str = "",
    theme: str = "light",
) -> Figure:
    """The score against depth, width and number of parameters, and the boundaries underneath.

    A line joins architectures that differ in nothing but what the axis shows.

    Parameters
    ----------
    shapes : the architectures; points keep to the order of their activations
    cells : a small boundary picture by name, shown from the fewest to the most parameters
    metric : what the score is, as it is to be read
    title : lines after the first are set smaller
    theme : "light" or "dark"
    """
    if not len(shapes.names):
        raise ValueError("there must be at least one architecture, got none")
    order = np.argsort(np.asarray(shapes.parameters), kind="stable")
    shown = [shapes.names[index] for index in order if shapes.names[index] in cells]
    rows = -(-len(shown) // ACROSS)
    across = -(-len(shown) // max(rows, 1))  # rows of about one length
    floor = rows * (PICTURE + NAME + BETWEEN) + BELOW if rows else 0.0
    note = "bars: 95 % interval · lines join architectures that differ in nothing else"
    with sheet(theme, title, note) as figure:
        places = [figure.panel(i * (WIDTH + GAP), floor, WIDTH, HIGH) for i in range(3)]
        depth, width, parameters = (
            np.asarray(values, dtype=float) for values in (shapes.depth, shapes.width, shapes.parameters)
        )
        beside = _beside(shapes)
        for ax, x, lines, label in (
            (places[0], depth + 0.07 * beside, shapes.lines("depth"), "hidden layers"),
            (places[1], width * 1.1**beside, shapes.lines("width"), "units of the widest layer"),
            (places[2], parameters, [], "parameters of a network"),
        ):
            _lines(ax, shapes, x, lines, figure.theme)
            ax.set_xlabel(label)
        _whole_numbers(places[0], np.asarray(shapes.depth))
        _doublings(places[1], np.asarray(shapes.width))
        _powers(places[2], parameters)
        low, high = np.nanmin(shapes.low), np.nanmax(shapes.high)
        pad = 0.06 * max(high - low, 1e-3)
        for ax in places:
            ax.set_ylim(low - pad, high + pad)
            ax.grid(True, axis="y")
        for ax in places[1:]:
            ax.tick_params(labelleft=False)
        places[0].set_ylabel(metric)
        key(places[2], [Section("activation", _entries(shapes, figure.theme))], figure.theme)
        for index, name in enumerate(shown):
            row, column = divmod(index, across)
            up = (rows - 1 - row) * (PICTURE + NAME + BETWEEN)
            ax = figure.panel(column * (PICTURE + BETWEEN), up, PICTURE, PICTURE)
            draw_cell(ax, cells[name], PICTURE, figure.theme)
            # 7.5 pt letters are about 0.07 inch wide.
            ax.set_title(shortened(name, int(PICTURE / 0.07)), fontsize=7.5, pad=3, y=1)
    return figure


def _lines(ax: Axes, shapes: Shapes, x: np.ndarray, lines: Sequence[np.ndarray], theme: Theme) -> None:
    kinds = _kinds(shapes)
    value, low, high = (np.asarray(part, dtype=float) for part in (shapes.value, shapes.low, shapes.high))
    for line in lines:
        # The line's own kind is that of its last one, since the first may have no hidden layer.
        colour = theme.class_colour(kinds.index(shapes.activation[int(line[-1])]))
        ax.plot(x[line], value[line], color=theme.faded(colour, 0.35), linewidth=1.4, zorder=2)
    for kind, name in enumerate(kinds):
        own = np.array([activation == name for activation in shapes.activation])
        colour, edge = theme.class_colour(kind), theme.paper
        marker = MARKERS[kind % len(MARKERS)]
        ax.vlines(x[own], low[own], high[own], color=colour, linewidth=1.1, alpha=0.6, zorder=2.5)
        ax.scatter(
            x[own], value[own], s=36, color=colour, marker=marker, edgecolors=edge, linewidths=0.8, zorder=3
        )


def _beside(shapes: Shapes) -> np.ndarray:
    """How far (A,) each activation stands from the middle, so that equal places do not cover each other."""
    kinds = _kinds(shapes)
    hidden = [kind for kind in kinds if kind in np.asarray(shapes.activation)[np.asarray(shapes.depth) > 0]]
    places = {kind: index - (len(hidden) - 1) / 2 for index, kind in enumerate(hidden)}
    return np.array(
        [
            places.get(kind, 0.0) if depth else 0.0
            for kind, depth in zip(shapes.activation, shapes.depth, strict=True)
        ]
    )


def _kinds(shapes: Shapes) -> list[str]:
    return list(dict.fromkeys(shapes.activation))


def _entries(shapes: Shapes, theme: Theme) -> list[Entry]:
    return [
        Entry(
            [
                Line2D(
                    [MARK_WIDTH / 2],
                    [HEIGHT / 2],
                    marker=MARKERS[kind % len(MARKERS)],
                    markersize=6,
                    markerfacecolor=theme.class_colour(kind),
                    markeredgecolor=theme.paper,
                )
            ],
            shortened(name),
        )
        for kind, name in enumerate(_kinds(shapes))
    ]


def _whole_numbers(ax: Axes, values: np.ndarray) -> None:
    ax.set_xlim(values.min() - 0.5, values.max() + 0.5)
    step = -(-int(values.max() - values.min() + 1) // 8)
    ax.xaxis.set_major_locator(FixedLocator(np.arange(values.min(), values.max() + 1, step)))


def _doublings(ax: Axes, values: np.ndarray) -> None:
    """A logarithmic axis that has a place for no unit at all."""
    ax.set_xscale("symlog", base=2, linthresh=1)
    ticks = np.unique(values)
    if len(ticks) > 7:
        ticks = ticks[np.unique(np.linspace(0, len(ticks) - 1, 7).astype(int))]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set_xlim(-0.5 if ticks[0] == 0 else ticks[0] / 1.5, max(ticks[-1] * 1.5, 1))


def _powers(ax: Axes, values: np.ndarray) -> None:
    ax.set_xscale("log")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value / 1000:.3g}k" if value >= 1000 else f"{value:g}")
    )
    if values.max() < 10 * values.min():
        ax.xaxis.set_major_locator(FixedLocator(np.unique([values.min(), values.max()])))
    ax.set_xlim(values.min() / 1.6, values.max() * 1.6)
