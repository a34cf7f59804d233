"""How well each class's probability ranks the rows: ROC and precision-recall curves, one class against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from classification_assets.learning.evaluation.metrics import counted
from classification_assets.learning.figures.canvas.glyphs import from_the_left
from classification_assets.learning.figures.canvas.legend import (
    HEIGHT,
    MARK_WIDTH,
    Entry,
    Section,
    key,
    shortened,
)
from classification_assets.learning.figures.canvas.style import Theme, sheet

SIDE, GAP = 3.3, 0.75  # inches
NAMED = 8
"""With more classes only the lowest few are named; the others are faint."""
LOWEST = 3
GRID = np.linspace(0, 1, 301)


@dataclass(frozen=True)
class _Class:
    """The curves of one class, with at most as many points as can be seen."""

    index: int
    roc: np.ndarray
    precision: np.ndarray
    area: float
    average_precision: float

    @classmethod
    def of(cls, index: int, positive: np.ndarray, score: np.ndarray, weight: np.ndarray | None) -> _Class:
        from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_curve

        false, true, _ = roc_curve(positive, score, sample_weight=weight)
        precision, recall, _ = precision_recall_curve(positive, score, sample_weight=weight)
        return cls(
            index=index,
            roc=_thinned(np.stack([false, true])),
            precision=_thinned(np.stack([recall, precision])[:, ::-1]),
            area=auc(false, true),
            average_precision=average_precision_score(positive, score, sample_weight=weight),
        )


def roc_pr(
    probabilities: np.ndarray,
    labels: np.ndarray,
    *,
    classes: Sequence[str],
    weight: np.ndarray | None = None,
    title: str = "",
    theme: str = "light",
) -> Figure:
    """ROC and precision-recall of every class against the rest, and their macro average.

    With more than eight classes the three that rank worst are in colour and the others faint. A class without
    rows, or with all of them, has no curve; the note says so.

    Parameters
    ----------
    probabilities : (N, C)
    labels : (N,), index of the true class
    classes : names of the C classes
    weight : (N,), how much each row counts
    title : lines after the first are set smaller
    theme : "light" or "dark"
    """
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    if probabilities.shape != (len(labels), len(classes)):
        raise ValueError(
            f"probabilities must be ({len(labels)}, {len(classes)}) for as many labels and classes, "
            f"got {probabilities.shape}"
        )
    rows, weight = counted(weight)
    probabilities, labels = probabilities[rows], labels[rows]
    counts = np.bincount(labels, minlength=len(classes))
    (some,) = np.nonzero((counts > 0) & (counts < len(labels)))
    curves = [_Class.of(c, labels == c, probabilities[:, c], weight) for c in some]
    worst = sorted(curves, key=lambda curve: curve.area)[:LOWEST]
    named = curves if len(classes) <= NAMED else worst
    left_out = len(classes) - len(curves)
    remark = f"classes without curves, because all or none of the rows are theirs: {left_out}"
    with sheet(theme, title, remark if left_out else "") as figure:
        roc, precision = figure.panel(0, 0, SIDE, SIDE), figure.panel(SIDE + GAP, 0, SIDE, SIDE)
        roc.plot([0, 1], [0, 1], color=figure.theme.muted, linewidth=1, linestyle=(0, (4, 3)))
        for curve in curves:
            look = _look(curve, curve in named, figure.theme)
            roc.plot(*curve.roc, **look)
            precision.plot(*curve.precision, **look)
        if len(curves) > 1:
            bold = {"color": figure.theme.ink, "linewidth": 2.4, "zorder": 4}
            roc.plot(GRID, np.mean([np.interp(GRID, *curve.roc) for curve in curves], axis=0), **bold)
            precision.plot(
                GRID, np.mean([_precision_at(GRID, curve.precision) for curve in curves], axis=0), **bold
            )
        _frame(roc, "false positive rate", "true positive rate")
        _frame(precision, "recall", "precision")
        key(precision, _sections(curves, named, classes, figure.theme), figure.theme)
    return figure


def _thinned(line: np.ndarray, most: int = 800) -> np.ndarray:
    """The points (2, P) of a line without those that are no further along than a pixel."""
    if line.shape[1] <= most:
        return line
    along = np.abs(np.diff(line, axis=1)).sum(0).cumsum()
    kept = np.searchsorted(along, np.linspace(0, along[-1], most))
    return line[:, np.unique([0, *kept, line.shape[1] - 1])]


def _precision_at(recall: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Precision of the highest threshold that reaches a recall."""
    return line[1][np.minimum(np.searchsorted(line[0], recall), line.shape[1] - 1)]


def _look(curve: _Class, named: bool, theme: Theme) -> dict[str, object]:
    if not named:
        return {"color": theme.muted, "linewidth": 0.7, "alpha": 0.45, "zorder": 2}
    return {"color": theme.class_colour(curve.index), "linewidth": 1.5, "zorder": 3}


def _frame(ax: Axes, x: str, y: str) -> None:
    ax.grid(True)
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel=x, ylabel=y)


def _sections(
    curves: Sequence[_Class], named: Sequence[_Class], classes: Sequence[str], theme: Theme
) -> list[Section]:
    ends, middle = [0, MARK_WIDTH], [HEIGHT / 2] * 2

    def scores(some: Sequence[_Class]) -> str:
        area = np.mean([curve.area for curve in some])
        return f"{area:.3f} · {np.mean([curve.average_precision for curve in some]):.3f}"

    entries = []
    if len(curves) > 1:
        bold = Line2D(ends, middle, color=theme.ink, linewidth=2.4)
        entries.append(Entry([bold], f"{scores(curves)}  macro"))
    for curve in named:
        line = Line2D(ends, middle, color=theme.class_colour(curve.index), linewidth=1.5)
        name = shortened(classes[curve.index])
        entries.append(Entry([line], from_the_left(f"{scores([curve])}  {name}")))
    if len(curves) > len(named):
        faint = Line2D(ends, middle, color=theme.muted, linewidth=0.7, alpha=0.6)
        entries.append(Entry([faint], f"{len(curves) - len(named)} classes that rank better"))
    chance = Line2D(ends, middle, color=theme.muted, linewidth=1, linestyle=(0, (4, 3)))
    return [Section("ROC AUC · average precision", [*entries, Entry([chance], "0.500  chance (ROC)")])]
