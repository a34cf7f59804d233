"""Rows of a data set as points on a page: what a figure needs of them, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from classification_assets.learning.figures.canvas.style import Theme

TRAIN, VALIDATION, TEST = 0, 1, 2
MOST = 3_000
# Not a number a person would choose: a split drawn by the same permutation would be thinned to one fold.
THINNING_SEED = 271_828_183


@dataclass(frozen=True, eq=False)
class Points:
    """N rows on the page.

    Attributes
    ----------
    xy : (N, 2), places on the page
    label : (N,), index of the true class
    fold : (N,), 0 train, 1 validation, 2 test
    wrong : (N,) bool, whether the model misclassifies the row
    """

    xy: np.ndarray
    label: np.ndarray
    fold: np.ndarray
    wrong: np.ndarray

    def __post_init__(self) -> None:
        rows = len(self.xy)
        for name, shape in (("xy", (rows, 2)), ("label", (rows,)), ("fold", (rows,)), ("wrong", (rows,))):
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(f"{name} must have shape {shape}, got {np.shape(getattr(self, name))}")

    def __len__(self) -> int:
        return len(self.xy)

    def __getitem__(self, rows: np.ndarray) -> Points:
        return Points(self.xy[rows], self.label[rows], self.fold[rows], self.wrong[rows])

    def inside(self, extent: tuple[float, float, float, float]) -> Points:
        x0, x1, y0, y1 = extent
        x, y = self.xy.T
        return self[(x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)]

    def thinned(self, most: int = MOST) -> Points:
        """At most `most` rows, always the same ones, in an order that lets no class lie on top."""
        return self[np.random.default_rng(THINNING_SEED).permutation(len(self))[:most]]


def chosen_rows(
    points: Points | None, extent: tuple[float, float, float, float]
) -> tuple[Points | None, list[str]]:
    """The rows that are drawn, and what the note must say of those that are not."""
    if points is None or not len(points):
        return None, []
    inside = points.inside(extent)
    remarks = []
    if len(inside) < len(points):
        remarks.append(f"rows outside the window: {len(points) - len(inside):,}")
    if len(inside) > MOST:
        remarks.append(f"{MOST:,} of {len(inside):,} rows are drawn")
    return inside.thinned(), remarks


def draw_points(ax: Axes, points: Points, theme: Theme, *, scale: float = 1.0) -> None:
    """Train and validation rows small and faint, test rows large, misclassified test rows ringed."""
    background = points.fold != TEST
    # Many large points would hide the areas that the figure is about.
    crowd = float(np.clip(np.sqrt(300 / max(1, int(np.sum(~background)))), 0.6, 1.0))
    size = (scale * crowd) ** 2
    faint = {"s": 6 * scale**2, "alpha": 0.55, "linewidths": 0, "zorder": 1.5}
    right = {"s": 26 * size, "edgecolors": theme.paper, "linewidths": 0.7 * scale, "zorder": 4}
    wrong = {"s": 34 * size, "edgecolors": theme.ink, "linewidths": 1.5 * scale * crowd, "zorder": 5}
    for which, look in (
        (background, faint),
        (~background & ~points.wrong, right),
        (~background & points.wrong, wrong),
    ):
        if which.any():
            ax.scatter(*points.xy[which].T, c=class_colours(points.label[which], theme), **look)


def class_colours(labels: np.ndarray, theme: Theme) -> np.ndarray:
    """Each row's colour, (N, 3)."""
    known, place = np.unique(labels, return_inverse=True)
    return np.array([to_rgb(theme.class_colour(int(c))) for c in known]).reshape(-1, 3)[place]


def point_mark(role: str, theme: Theme, x: float, y: float) -> Line2D:
    """The mark of a "train", "test" or "misclassified" row at a place in a legend."""
    size, edge, width = {
        "train": (2.8, "none", 0.0),
        "test": (5.8, theme.paper, 0.7),
        "misclassified": (6.2, theme.ink, 1.5),
    }[role]
    return Line2D(
        [x],
        [y],
        marker="o",
        markersize=size,
        markerfacecolor=theme.muted,
        markeredgecolor=edge,
        markeredgewidth=width,
    )
