"""Whether probabilities mean what they say: how often the classifier is right where it is how confident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from classification_assets.learning.evaluation.metrics import (
    BINS,
    calibration_bins,
    calibration_error,
    counted,
)
from classification_assets.learning.evaluation.resampling import effective_size, wilson
from classification_assets.learning.figures.canvas.legend import HEIGHT, MARK_WIDTH, Entry, Section, key
from classification_assets.learning.figures.canvas.style import Theme, sheet
from classification_assets.learning.figures.confusion import WRONG

SIDE, STRIP, GAP = 3.6, 0.85, 0.14  # inches


@dataclass(frozen=True)
class _Bins:
    """The rows of each bin of confidence that has any, (B,) each."""

    index: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    rows: np.ndarray
    low: np.ndarray
    high: np.ndarray
    error: float

    @classmethod
    def of(cls, probabilities: np.ndarray, labels: np.ndarray, weight: np.ndarray | None) -> _Bins:
        counts = np.ones(len(labels)) if weight is None else weight
        position = calibration_bins(probabilities)
        rows = np.bincount(position, counts, BINS)
        right = np.bincount(position, counts * (probabilities.argmax(1) == labels), BINS)
        confidence = np.bincount(position, counts * probabilities.max(1), BINS)
        (some,) = rows.nonzero()
        sizes = [effective_size(position == place, weight, None) for place in some]
        bounds = [wilson(*own) for own in zip(right[some] / rows[some] * sizes, sizes, strict=True)]
        return cls(
            index=some,
            confidence=confidence[some] / rows[some],
            accuracy=right[some] / rows[some],
            rows=rows[some],
            low=np.array([low for low, _ in bounds]),
            high=np.array([high for _, high in bounds]),
            error=calibration_error(labels, probabilities, weight),
        )


def reliability(
    probabilities: np.ndarray,
    labels: np.ndarray,
    *,
    before: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    title: str = "",
    theme: str = "light",
) -> Figure:
    """Confidence against accuracy in 15 bins of equal width, with the number of rows in each.

    Parameters
    ----------
    probabilities : (N, C); confidence is that of the most probable class
    labels : (N,), index of the true class
    before : (N, C), probabilities before calibration, drawn as a thin line
    weight : (N,), how much each row counts
    title : lines after the first are set smaller
    theme : "light" or "dark"
    """
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not len(labels):
        raise ValueError(
            "probabilities must be (N, C) and labels (N,) with N > 0, "
            f"got {probabilities.shape} and {labels.shape}"
        )
    rows, weight = counted(weight)
    labels = labels[rows]
    now = _Bins.of(probabilities[rows], labels, weight)
    earlier = None if before is None else _Bins.of(np.asarray(before)[rows], labels, weight)
    note = "bars: 95 % interval (Wilson) · ECE: a row's mean distance from the diagonal"
    # Below 1 / C nothing can lie.
    left = int(BINS / probabilities.shape[1]) / BINS
    with sheet(theme, title, note) as figure:
        diagram = figure.panel(0, STRIP + GAP, SIDE, SIDE)
        strip = figure.panel(0, 0, SIDE, STRIP)
        _diagram(diagram, now, earlier, figure.theme)
        _histogram(strip, now, figure.theme)
        for ax in (diagram, strip):
            ax.set_xlim(left, 1)
        diagram.set(ylim=(0, 1), ylabel="accuracy")
        diagram.tick_params(labelbottom=False)
        strip.set(xlabel="confidence", ylabel="rows")
        key(diagram, _sections(now, earlier, figure.theme), figure.theme)
    return figure


def _diagram(ax: Axes, now: _Bins, earlier: _Bins | None, theme: Theme) -> None:
    ax.grid(True)
    ax.plot([0, 1], [0, 1], color=theme.muted, linewidth=1, linestyle=(0, (4, 3)))
    if earlier is not None:
        ax.plot(
            earlier.confidence, earlier.accuracy, color=theme.muted, linewidth=1, marker="o", markersize=2.5
        )
    ax.vlines(now.confidence, now.low, now.high, color=theme.accent, linewidth=1.2, alpha=0.7)
    ax.plot(now.confidence, now.accuracy, color=theme.accent, linewidth=1.8, zorder=3)
    ax.scatter(
        now.confidence,
        now.accuracy,
        s=34,
        color=theme.accent,
        edgecolors=theme.paper,
        linewidths=0.8,
        zorder=4,
        clip_on=False,
    )


def _histogram(ax: Axes, now: _Bins, theme: Theme) -> None:
    place = {"x": (now.index + 0.5) / BINS, "width": 0.86 / BINS}
    ax.bar(height=now.rows * now.accuracy, color=theme.accent, alpha=0.75, **place)
    ax.bar(
        height=now.rows * (1 - now.accuracy), bottom=now.rows * now.accuracy, color=WRONG, alpha=0.85, **place
    )
    ax.set_ylim(0, 1.05 * now.rows.max())
    ax.locator_params(axis="y", nbins=3, integer=True)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _sections(now: _Bins, earlier: _Bins | None, theme: Theme) -> Sequence[Section]:
    ends, middle = [0, MARK_WIDTH], [HEIGHT / 2] * 2
    dot = {"marker": "o", "markevery": [0]}
    centre = [MARK_WIDTH / 2], [HEIGHT / 2]
    strong = [
        Line2D(ends, middle, color=theme.accent, linewidth=1.8),
        Line2D(*centre, color=theme.accent, markeredgecolor=theme.paper, markersize=5.5, **dot),
    ]
    name = "probabilities" if earlier is None else "calibrated"
    lines = [Entry(strong, f"{name}: ECE {now.error:.3f}")]
    if earlier is not None:
        thin = [
            Line2D(ends, middle, color=theme.muted, linewidth=1),
            Line2D(*centre, color=theme.muted, markersize=2.5, **dot),
        ]
        lines.append(Entry(thin, f"before: ECE {earlier.error:.3f}"))
    dashed = Line2D(ends, middle, color=theme.muted, linewidth=1, linestyle=(0, (4, 3)))
    lines.append(Entry([dashed], "as it should be"))
    bars = [
        Entry([Rectangle((0, 0), MARK_WIDTH, HEIGHT, facecolor=colour, alpha=alpha, linewidth=0)], label)
        for colour, alpha, label in ((theme.accent, 0.75, "right"), (WRONG, 0.85, "wrong"))
    ]
    return [Section("accuracy", lines), Section("rows", bars)]
