"""A classifier's answers over a plane, for a picture of it: asked only where they cannot be interpolated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from classification_assets.learning.evaluation.encoding import class_order, points_for
from classification_assets.learning.evaluation.plane import Plane, planes_of
from classification_assets.learning.evaluation.view import View
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.preparation.split import Split

LEAST = 50
"""Stretches along each side of the coarsest grid that is asked as a whole: what is smaller may be missed."""

TOLERANCE = np.float32(1 / 64)
"""Largest error of interpolation, in the middle of four known points, that is left as it is."""

TINY = np.float32(1e-9)
"""Smallest probability that is told from none."""

RESOLUTION, MATRIX_RESOLUTION = 201, 101
"""Points of a plane's grid along each side, and of each one of several; odd, so that every second one spans it too."""


@dataclass(frozen=True)
class Surfaces:
    """A classifier's answers over the planes of a view, for figures; partly interpolated, see `interpolated`.

    Attributes
    ----------
    probabilities : array (P, R, R, C) float32
        On the grid of each of P planes, see `Plane.grid`.
    disagreement : array (P, R, R) float32
        The members' disagreement, see `members_disagreement`.
    view : View
        What the planes are.
    """

    probabilities: np.ndarray
    disagreement: np.ndarray
    view: View


def surfaces(fitted: FittedModel, split: Split, view: View | None = None, device: str = "cpu") -> Surfaces:
    """A classifier's answers over the planes that a view shows of a split.

    Raises
    ------
    ValueError
        If the view names a feature that there is not, or the classifier cannot read the split's rows.
    """
    view = view or View()
    planes = planes_of(split, view)
    resolution = RESOLUTION if len(planes) == 1 else MATRIX_RESOLUTION
    found = [surface(fitted, split, plane, resolution, device) for plane in planes]
    return Surfaces(np.stack([p for p, _ in found]), np.stack([apart for _, apart in found]), view)


def surface(
    fitted: FittedModel, split: Split, plane: Plane, resolution: int, device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (R, R, C) and the members' disagreement (R, R) on a grid of R points a side, see `Plane.grid`.

    See `interpolated` for how exact they are.
    """
    classes = class_order(fitted, split)

    def ask(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        X = points_for(fitted, split, plane.grid(resolution, points))
        p, disagreement, _ = fitted.member_predictions(X, device, np.empty(0, np.int64))
        return p[:, classes], disagreement

    return interpolated(ask, resolution)


def interpolated(
    ask: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], resolution: int, least: int = LEAST
) -> tuple[np.ndarray, np.ndarray]:
    """The answers on a grid of R points a side, most of them interpolated.

    A coarse grid is asked, and halved again and again: between four known points the answer is interpolated, in
    the logarithms of probabilities, which are nearly straight pieces. The next finer grid is asked only along the
    lines where another class wins, and round points where interpolation was wrong by more than `TOLERANCE`:
    halving a stretch halves the error of a crease and quarters that of a curve. So nearly all probabilities are
    exact to a 200th, which is a step of an 8-bit colour or two, and the lines are where they were. Lost is what no
    point of the coarsest grid has seen: an island, or a strait, narrower than one of its stretches (a fiftieth of the
    window), unless it lies where more was asked anyway.

    Parameters
    ----------
    ask : callable
        Gives probabilities (n, C) and disagreement (n,) for indices (n,) into the grid's R * R points.
    resolution : int
        R; below twice the stretches of the coarsest grid, everything is asked.
    least : int
        Stretches along each side of the coarsest grid that is asked as a whole.

    Returns
    -------
    probabilities (R, R, C), disagreement (R, R), float32
    """
    levels = _levels(resolution, least)
    known = levels[0]
    field = _asked(ask, known[:, None] * resolution + known)
    doubtful = np.ones((len(known), len(known)), bool)
    for nodes in levels[1:]:
        places = np.searchsorted(nodes, known)
        here = np.zeros((len(nodes), len(nodes)), bool)
        last = len(nodes) == resolution
        here[np.ix_(places, places)] = doubtful if last else doubtful | _at_a_line(field[:-1].argmax(0))
        here = _spread(here)
        field = _between(_between(field, known, nodes).swapaxes(1, 2), known, nodes).swapaxes(1, 2)
        if last:
            # No finer grid follows, for which it would have to be known how straight the answers are beside the line.
            here |= _at_a_line(field[:-1].argmax(0))
        here[np.ix_(places, places)] = False
        row, column = np.nonzero(here)
        if len(row):
            said = _asked(ask, nodes[row] * resolution + nodes[column])
            error = np.abs(_shown(field[:, row, column]) - _shown(said)).max(0)
            field[:, row, column] = said
            here[row, column] = error > TOLERANCE
        doubtful, known = here, nodes
    shown = _shown(field)
    return np.ascontiguousarray(np.moveaxis(shown[:-1], 0, 2)), shown[-1]


def _levels(resolution: int, least: int) -> list[np.ndarray]:
    """Indices along a side, from every 2^k-th on, the last one always among them, to all."""
    # Of R and not of its R - 1 stretches, or round numbers such as 400 would be asked twice as finely as 401 is.
    coarse = 2 ** (int(np.log2(max(1, resolution / least))) + 1)
    levels = [np.unique([*range(0, resolution, coarse), resolution - 1])]
    while (np.diff(levels[-1]) > 1).any():
        nodes = levels[-1]
        levels.append(np.unique([*nodes, *((nodes[:-1] + nodes[1:]) // 2)]))
    return levels


def _asked(ask: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], points: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities, and disagreement below them: (C + 1, *points.shape)."""
    p, disagreement = ask(points.ravel())
    field = np.empty((p.shape[1] + 1, points.size), np.float32)
    np.log(np.maximum(p.T, TINY), out=field[:-1])
    field[-1] = disagreement
    return field.reshape(-1, *points.shape)


def _shown(field: np.ndarray) -> np.ndarray:
    """Probabilities, and disagreement below them."""
    shown = field.copy()
    np.exp(shown[:-1], out=shown[:-1])
    shown[:-1] /= shown[:-1].sum(0)
    return shown


def _between(field: np.ndarray, known: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """The field (C + 1, K, ...) at all nodes (N,), interpolated along its second axis between those known."""
    places = np.searchsorted(nodes, known)
    new = np.delete(np.arange(len(nodes)), places)
    before = np.searchsorted(known, nodes[new]) - 1
    part = (nodes[new] - known[before]) / (known[before + 1] - known[before])
    low = field[:, before]
    between = field[:, before + 1]
    between -= low
    between *= part.astype(np.float32).reshape(-1, *[1] * (field.ndim - 2))
    between += low
    whole = np.empty((len(field), len(nodes), *field.shape[2:]), np.float32)
    whole[:, places], whole[:, new] = field, between
    return whole


def _at_a_line(winner: np.ndarray) -> np.ndarray:
    """Points with a neighbour that is won by another class."""
    at = np.zeros(winner.shape, bool)
    for own, classes in ((at, winner), (at.T, winner.T)):
        other = classes[1:] != classes[:-1]
        own[1:] |= other
        own[:-1] |= other
    return at


def _spread(marked: np.ndarray) -> np.ndarray:
    """Marked points and their neighbours."""
    for axis in (0, 1):
        ends = np.moveaxis(marked.copy(), axis, 0)
        own = np.moveaxis(marked, axis, 0)
        ends[1:] |= own[:-1]
        ends[:-1] |= own[1:]
        marked = np.moveaxis(ends, 0, axis)
    return marked
