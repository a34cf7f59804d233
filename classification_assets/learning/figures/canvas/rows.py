"""Rows of a panel, one a thing that is compared: its name on the left, what is to be read of it on the right."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from classification_assets.learning.figures.canvas.legend import shortened
from classification_assets.learning.figures.canvas.style import Theme


def name_rows(
    ax: Axes, names: Sequence[str], bold: Sequence[bool], theme: Theme, *, mark: str = "", least: int = 1
) -> None:
    """Name N rows from the top down, some in bold after a mark; there is room for `least` of them."""
    rows = range(len(names))
    ax.set(ylim=(max(len(names), least) - 0.5, -0.5), yticks=rows)
    marked = zip(names, bold, strict=True)
    ax.set_yticklabels([f"{mark if own else ''}{shortened(name)}" for name, own in marked])
    for label, own in zip(ax.get_yticklabels(), bold, strict=True):
        label.set(color=theme.ink, fontweight="bold" if own else "normal")
    ax.tick_params(axis="y", length=0)


def tell_rows(ax: Axes, words: Sequence[str], theme: Theme) -> None:
    """Write words beside each row, from the top down."""
    beside = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points", "fontsize": 8}
    for row, own in enumerate(words):
        ax.annotate(own, (1, row), xytext=(6, 0), va="center_baseline", color=theme.ink, **beside)


def rule_rows(ax: Axes, n_rows: int, theme: Theme) -> None:
    """Draw a faint line along each row, instead of the left edge."""
    across = ax.get_yaxis_transform()
    ax.hlines(range(n_rows), 0, 1, transform=across, color=theme.faint, linewidth=0.6, zorder=0)
    ax.spines["left"].set_visible(False)
