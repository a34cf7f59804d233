"""How much each hyper-parameter of a sweep decides, with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from classification_assets.learning.figures.canvas.legend import Section, key
from classification_assets.learning.figures.canvas.rows import name_rows, rule_rows, tell_rows
from classification_assets.learning.figures.canvas.style import sheet
from classification_assets.learning.figures.sweep.marks import dot_entry, line_entry

WIDTH, ROW, LEAST = 4.0, 0.3, 3  # inches, and rows of the panel at least
NUMBERS = 92  # points, right of the panel


def importance_ranking(
    names: Sequence[str],
    share: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    title: str = "",
    note: str = "",
    theme: str = "light",
) -> Figure:
    """A row a hyper-parameter, the most important on top: the share of the differences that it decides.

    Parameters
    ----------
    names : of the P hyper-parameters
    share, low, high : (P,), from 0 to 1, with the ends of its interval; filled where low is above 0
    title : lines after the first are set smaller
    note : small text at the foot
    theme : "light" or "dark"
    """
    P = len(names)
    share, low, high = (100 * np.asarray(part, float) for part in (share, low, high))
    if not P or share.shape != (P,) or low.shape != (P,) or high.shape != (P,):
        raise ValueError(
            f"share, low and high must be ({P},) for {P} names, got {share.shape}, {low.shape}, {high.shape}"
        )
    rows, shown = np.arange(P), low > 0
    with sheet(theme, title, note) as figure:
        ax, theme_ = figure.panel(0, 0, WIDTH, ROW * max(P, LEAST)), figure.theme
        rule_rows(ax, P, theme_)
        ax.axvline(0, color=theme_.muted, linewidth=0.7, zorder=1)
        colours = np.where(shown, theme_.accent, theme_.muted)
        ax.barh(
            rows,
            np.maximum(share, 0),
            0.5,
            color=[theme_.faded(colour, 0.72) for colour in colours],
            zorder=1.5,
        )
        ax.hlines(rows, low, high, color=colours, linewidth=1.4, zorder=2)
        ax.scatter(
            share,
            rows,
            s=40,
            facecolors=np.where(shown, theme_.accent, theme_.paper),
            edgecolors=np.where(shown, theme_.paper, theme_.muted),
            linewidths=np.where(shown, 0.8, 1.4),
            zorder=4,
        )
        ax.set_xlabel("share of the differences in place, %")
        name_rows(ax, names, shown.tolist(), theme_, least=LEAST)
        ax.xaxis.set_major_locator(MaxNLocator(6))
        ax.margins(x=0.04)
        told = [
            f"{own:.0f} % ({max(a, 0):.0f} to {b:.0f})" for own, a, b in zip(share, low, high, strict=True)
        ]
        tell_rows(ax, np.where(shown, told, "not shown").tolist(), theme_)
        marks = [dot_entry("makes a difference", theme_.accent)] if shown.any() else []
        if not shown.all():
            hollow = {
                "markerfacecolor": theme_.paper,
                "markeredgecolor": theme_.muted,
                "markeredgewidth": 1.4,
            }
            marks.append(dot_entry("none shown", theme_.muted, **hollow))
        marks.append(line_entry("95 % interval", theme_.accent, linewidth=1.4))
        key(ax, [Section("hyper-parameter", marks)], theme_, gap=NUMBERS)
    return figure
