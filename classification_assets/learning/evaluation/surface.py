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
"""Largest error of interpolated probabilities, in the middle of four known points, that is left as it is."""

TOLERANCE_OF_DISAGREEMENT = np.float32(1 / 32)
"""The same of disagreement, of which figures show no shades, only where it is large."""

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
    lines where another class wins, and round points where interpolation was wrong by more than a tolerance:
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
        old = np.ix_(places := np.searchsorted(nodes, known), places)
        field = _between(field, known, nodes)
        line = _at_a_line(field)
        wanted = np.zeros(line.shape, bool)
        wanted[old] = doubtful
        # A finer grid, if one follows, has to know how straight the answers are beside the line.
        wanted = _spread(wanted) | (line if len(nodes) == resolution else _spread(line))
        wanted[old] = False
        doubtful, known = wanted, nodes
        if len(found := np.flatnonzero(wanted)):
            row, column = np.divmod(found, len(nodes))
            doubtful.ravel()[found] = _correct(
                field, found, _asked(ask, nodes[row] * resolution + nodes[column])
            )
    *p, disagreement = _shown(field)
    return np.stack(p, axis=2), disagreement


def _correct(field: np.ndarray, points: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Put in what was said (C + 1, n) at some points (n,), and tell which of them were wrong by too much."""
    flat = field.reshape(len(field), -1)
    error = np.abs(_shown(flat[:, points]) - _shown(said))
    flat[:, points] = said
    return (error[:-1].max(0) > TOLERANCE) | (error[-1] > TOLERANCE_OF_DISAGREEMENT)


def _levels(resolution: int, least: int) -> list[np.ndarray]:
    """Indices along a side, from every 2^k-th on, the last one always among them, to all."""
    # Of R and not of its R - 1 stretches, or round numbers such as 400 would be asked twice as finely as 401 is.
    halvings = int(np.log2(max(1, resolution / least))) + 1
    last = resolution - 1
    return [np.append(np.arange(0, last, 2**power), last) for power in range(halvings, -1, -1)]


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
    """The field (C + 1, K, K) at all nodes (N,) of the next level along both sides, interpolated between those known.

    A node is new between any two known ones, but for the last two if they are neighbours.
    """
    new = nodes[1:-1:2]
    low, high = known[: len(new)], known[1 : len(new) + 1]
    part = ((new - low) / (high - low)).astype(np.float32)
    for axis in (1, 2):
        old = np.moveaxis(field, axis, 0)
        field = np.empty((*field.shape[:axis], len(nodes), *field.shape[axis + 1 :]), np.float32)
        whole = np.moveaxis(field, axis, 0)
        whole[-1], whole[:-1:2] = old[-1], old[:-1]
        between, before = whole[1:-1:2], old[: len(new)]
        np.subtract(old[1 : len(new) + 1], before, out=between)
        between *= part[:, None, None]
        between += before
    return field


def _at_a_line(field: np.ndarray) -> np.ndarray:
    """Points of a field (C + 1, N, N) with a neighbour that is won by another class."""
    winner, best = np.zeros(field.shape[1:], np.int32), field[0]
    for number, own in enumerate(field[1:-1], 1):
        np.putmask(winner, own > best, number)
        best = np.maximum(best, own)
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
