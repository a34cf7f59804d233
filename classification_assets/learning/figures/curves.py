"""How training went: losses and accuracy of every member, and the step each was taken from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import StrMethodFormatter

from classification_assets.learning.figures.canvas.legend import HEIGHT, MARK_WIDTH, Entry, Section, key
from classification_assets.learning.figures.canvas.scale import logarithmic
from classification_assets.learning.figures.canvas.style import Theme, sheet

WIDTH, HEIGHT_OF_PANEL, GAP = 3.3, 2.8, 0.75  # inches
MEMBERS_AS_LINES = 12
WIDE_RANGE = 20


def curves(
    history: Mapping[str, np.ndarray],
    *,
    best_step: np.ndarray | None = None,
    title: str = "",
    theme: str = "light",
) -> Figure:
    """Loss and validation accuracy of K members over training.

    Parameters
    ----------
    history : `step` (E,) and `train_loss`, `validation_loss`, `validation_accuracy` (E, K), which are NaN
        once a member left
    best_step : (K,), the step whose weights each member keeps, -1 for a member that failed
    title : lines after the first are set smaller
    theme : "light" or "dark"
    """
    step = np.asarray(history["step"])
    series = {
        name: np.asarray(history[name], dtype=float)
        for name in ("train_loss", "validation_loss", "validation_accuracy")
    }
    K = series["train_loss"].shape[1]
    best_step = np.full(K, -1) if best_step is None else np.asarray(best_step)
    chosen = bool((best_step >= 0).any())
    failed = int(np.sum(best_step < 0)) if chosen else 0
    note = f"{failed} of {K} members failed: no chosen step" if failed else ""
    with sheet(theme, title, note) as figure:
        colours = {"train": figure.theme.muted, "validation": figure.theme.accent}
        loss = figure.panel(0, 0, WIDTH, HEIGHT_OF_PANEL)
        accuracy = figure.panel(WIDTH + GAP, 0, WIDTH, HEIGHT_OF_PANEL)
        _members(loss, step, series["train_loss"], colours["train"])
        _members(loss, step, series["validation_loss"], colours["validation"])
        _members(accuracy, step, series["validation_accuracy"], colours["validation"])
        for ax, name in ((loss, "validation_loss"), (accuracy, "validation_accuracy")):
            _chosen(ax, step, series[name], best_step, figure.theme)
            ax.grid(True, axis="y")
            ax.set_xlabel("step")
            ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        loss.set_ylabel("loss")
        accuracy.set_ylabel("validation accuracy")
        _scale(loss, np.concatenate([series["train_loss"], series["validation_loss"]]))
        key(accuracy, _sections(K, chosen, colours, figure.theme), figure.theme)
    return figure


def _members(ax: Axes, step: np.ndarray, values: np.ndarray, colour: str) -> None:
    present = np.isfinite(values)
    some = present.any(axis=1)
    if not some.any():
        ax.text(0.5, 0.5, "nothing recorded", transform=ax.transAxes, ha="center", va="center", color=colour)
        return
    K = values.shape[1]
    if K > MEMBERS_AS_LINES:
        low, lower, upper, high = np.nanquantile(values[some], [0, 0.25, 0.75, 1], axis=1)
        ax.fill_between(step[some], low, high, color=colour, alpha=0.15, linewidth=0)
        ax.fill_between(step[some], lower, upper, color=colour, alpha=0.25, linewidth=0)
    elif K > 1:
        ax.plot(step, values, color=colour, linewidth=0.7, alpha=0.45)
    # Of the few that train longest a median would say nothing about the pack.
    most = present.sum(axis=1) >= max(1, present.any(axis=0).sum() / 2)
    ax.plot(
        step[most],
        np.nanmedian(values[most], axis=1),
        color=colour,
        linewidth=1.8,
        marker="o" if most.sum() == 1 else None,
        markersize=4,
    )


def _chosen(ax: Axes, step: np.ndarray, values: np.ndarray, best_step: np.ndarray, theme: Theme) -> None:
    members = np.flatnonzero(best_step >= 0)
    if not len(members) or not len(step):
        return
    nearest = np.abs(step[:, None] - best_step[members]).argmin(axis=0)
    ax.scatter(
        step[nearest],
        values[nearest, members],
        s=24 if len(members) <= MEMBERS_AS_LINES else 12,
        c=theme.accent,
        edgecolors=theme.paper,
        linewidths=0.8,
        zorder=5,
    )


def _scale(ax: Axes, losses: np.ndarray) -> None:
    losses = losses[np.isfinite(losses)]
    if len(losses) and losses.min() > 0 and losses.max() > WIDE_RANGE * losses.min():
        logarithmic(ax.yaxis, losses.min(), losses.max())


def _sections(K: int, chosen: bool, colours: Mapping[str, str], theme: Theme) -> list[Section]:
    ends, middle = [0, MARK_WIDTH], [HEIGHT / 2] * 2
    lines = [
        Entry([Line2D(ends, middle, color=colour, linewidth=1.8)], name) for name, colour in colours.items()
    ]
    members = []
    if K > MEMBERS_AS_LINES:
        whole = Rectangle((0, 0), MARK_WIDTH, HEIGHT, color=theme.muted, alpha=0.15, linewidth=0)
        half = Rectangle((0, HEIGHT / 4), MARK_WIDTH, HEIGHT / 2, color=theme.muted, alpha=0.3, linewidth=0)
        members.append(Entry([whole, half], "all, middle half"))
    elif K > 1:
        members.append(Entry([Line2D(ends, middle, color=theme.muted, linewidth=0.7, alpha=0.6)], "each"))
    if chosen:
        dot = Line2D(
            [MARK_WIDTH / 2],
            [HEIGHT / 2],
            marker="o",
            markersize=5.5,
            markerfacecolor=colours["validation"],
            markeredgecolor=theme.paper,
        )
        members.append(Entry([dot], "chosen step"))
    heading = "one member" if K == 1 else f"{K} members"
    return [Section("median" if K > 1 else "fold", lines), Section(heading, members)]
