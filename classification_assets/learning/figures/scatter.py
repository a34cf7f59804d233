"""The rows of a data set on the page, before any model has seen them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from classification_assets.learning.evaluation.plane import window
from classification_assets.learning.figures.canvas.legend import (
    HEIGHT,
    MARK_WIDTH,
    Entry,
    Section,
    class_dots,
    key,
)
from classification_assets.learning.figures.canvas.points import (
    TEST,
    TRAIN,
    VALIDATION,
    Points,
    chosen_rows,
    class_colours,
)
from classification_assets.learning.figures.canvas.style import NO_WORDS, Words, axis_names, map_size, sheet

MARKERS = {TRAIN: ("train", "o", 1.0), VALIDATION: ("validation", "s", 0.95), TEST: ("test", "^", 1.25)}


def scatter(
    points: Points,
    *,
    classes: Sequence[str],
    title: str = "",
    note: str = "",
    names: tuple[str, str] = ("x1", "x2"),
    words: Words = NO_WORDS,
    theme: str = "light",
) -> Figure:
    """Rows coloured by class; with more than one fold, the marker tells the fold.

    More than 3,000 rows are thinned, and the note says so. See `boundary` for the other parameters.
    """
    extent = (*window(points.xy[:, 0]), *window(points.xy[:, 1])) if len(points) else (0.0, 1.0, 0.0, 1.0)
    shown, remarks = chosen_rows(points, extent)
    folds = np.unique(points.fold)
    with sheet(theme, title, " · ".join([*filter(None, [note]), *remarks])) as figure:
        ax = figure.panel(0, 0, *map_size(extent, names))
        theme_ = figure.theme
        ax.grid(True)
        if shown is not None:
            size = 26 * np.clip(np.sqrt(600 / len(shown)), 0.5, 1.2)
            for fold in folds:
                rows = shown[shown.fold == fold]
                _, marker, factor = MARKERS[int(fold)]
                ax.scatter(
                    *rows.xy.T,
                    s=size * factor,
                    c=class_colours(rows.label, theme_),
                    marker=marker,
                    edgecolors=theme_.paper,
                    linewidths=0.45,
                    alpha=0.9,
                    zorder=3,
                )
        ax.set(xlim=extent[:2], ylim=extent[2:])
        axis_names(ax, names, words)
        marks = [Entry([_mark(MARKERS[int(fold)][1], theme_.muted)], MARKERS[int(fold)][0]) for fold in folds]
        key(
            ax,
            [
                Section("class", class_dots(classes, theme_)),
                Section("fold", marks if len(folds) > 1 else []),
            ],
            theme_,
        )
    return figure


def _mark(marker: str, colour: str) -> Line2D:
    return Line2D(
        [MARK_WIDTH / 2],
        [HEIGHT / 2],
        marker=marker,
        markersize=6,
        markerfacecolor=colour,
        markeredgecolor="none",
    )
