"""Importance of a sweep's hyper-parameters and the effect of each, with their uncertainty.

Shapes: N configurations, P hyper-parameters, G points of an axis, R resamples.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

import numpy as np

from classification_assets.learning.sweeps.axes import Axis, axes
from classification_assets.learning.sweeps.forest import grown
from classification_assets.learning.sweeps.places import places
from classification_assets.learning.sweeps.remembered import remembered
from classification_assets.learning.sweeps.result import SweepResult

FEWEST = 16
"""Configurations below which nothing is said: a resample would leave too few to be judged by."""

MOST = 2_000
"""Configurations that are looked at; of more, evenly spaced ones."""

RESAMPLES, TREES = 40, 5
MANY, TREES_OF_MANY = 400, 3
"""From so many configurations on a forest has fewer trees, which take three fifths of the time. Of 1,000 on moons,
shares moved by 0.005 at most, and intervals were 0.7 to 1.2 times as wide.
"""

GRID, ROWS = 15, 30
"""Points of an effect over a range of numbers, and the most configurations that a resample moves along it."""

LEVEL = 0.95

_LEAF = 3
_SHUFFLES = 2

_TOGETHER = 4
"""Resamples whose trees are grown at once: of more, what is read again and again no longer fits near the processor."""


@dataclass(frozen=True, eq=False)
class Effect:
    """Place of configurations against one hyper-parameter, all others as they were drawn.

    Attributes
    ----------
    axis : Axis
    grid : array (G,)
        Positions on the axis: its levels, or even steps over its range.
    place, low, high : array (G,)
        Expected place and the interval of 95 %.
    best : array (G,) bool
        Whether it cannot be told apart from the best point.
    """

    axis: Axis
    grid: np.ndarray
    place: np.ndarray
    low: np.ndarray
    high: np.ndarray
    best: np.ndarray


@dataclass(frozen=True, eq=False)
class Importance:
    """How much of the differences between configurations each hyper-parameter decides.

    Attributes
    ----------
    effects : tuple of P Effect
        The most important first.
    share, low, high : array (P,)
        Share of the variance of places that a hyper-parameter decides, alone or together with others, so that the sum
        may be above 1; with its interval of 95 %. Below 0 where chance is all there is.
    explained : float
        Share of the variance that all decide together; the rest is chance, such as the seed.
    n_configurations : int
    """

    effects: tuple[Effect, ...]
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    explained: float
    n_configurations: int

    @property
    def matters(self) -> np.ndarray:
        """Whether so many configurations show that a hyper-parameter makes a difference, (P,)."""
        return self.low > 0


@remembered
def importance(result: SweepResult) -> Importance | None:
    """The importance and the effects of a sweep's hyper-parameters; None of fewer than 16 configurations or of no axis.

    Randomized trees (see `forest`) learn the place (see `places`) from the hyper-parameters, again for each of 40
    bootstrap resamples of the configurations. Configurations that a resample has not drawn judge it: by how much the
    squared error grows when one hyper-parameter's values are shuffled among those that use it (permutation importance,
    Breiman 2001), halved and divided by the variance, is its total share of the variance (total-effect index of Sobol;
    Gregorutti et al. 2017). An effect is a partial dependence (Friedman 2001). Intervals are percentiles over the
    resamples: they tell what another draw of as many configurations might have shown.

    A forest sees effects that are neither straight nor additive, and takes configurations that a sampler has drawn
    near the best ones. The same configurations give the same numbers.
    """
    found, place = axes(result), places(result)
    N = len(place)
    if N < FEWEST or not found or np.ptp(place) == 0:
        return None
    some = np.arange(N)[:: -(-N // MOST)]
    drawn = [Axis(a.name, a.position[some], a.levels, a.ordered, a.log) for a in found]
    design = _Design(drawn)
    grids = [_grid(axis) for axis in drawn]
    shares, curves, explained = _resampled(design, grids, place[some])
    # By chance an estimate may be above all of the differences.
    shares = np.minimum(shares, 1)
    order = np.argsort(-shares.mean(0), kind="stable")
    low, high = _interval(shares)
    effects = tuple(_effect(found[index], grids[index], curves[index]) for index in order)
    return Importance(effects, shares.mean(0)[order], low[order], high[order], float(explained.mean()), N)


class _Design:
    """Hyper-parameters as columns (N, F) that trees read: unordered ones as a column a level."""

    def __init__(self, found: list[Axis]) -> None:
        self.axes = found
        blocks = [self.coded(axis, axis.position) for axis in found]
        ends = np.cumsum([block.shape[1] for block in blocks])
        self.columns = [slice(end - block.shape[1], end) for end, block in zip(ends, blocks, strict=True)]
        self.X = np.ascontiguousarray(np.hstack(blocks), np.float32)

    @staticmethod
    def coded(axis: Axis, position: np.ndarray) -> np.ndarray:
        """Positions (n,) as columns."""
        if not axis.ordered:
            return (position[:, None] == np.arange(len(axis.levels))).astype(np.float32)
        least, most = np.nanmin(axis.position), np.nanmax(axis.position)
        # Where it has no use is a place of its own, which a tree can split off.
        return np.where(np.isfinite(position), (position - least) / (most - least), -0.5)[:, None]


def _resampled(
    design: _Design, grids: list[np.ndarray], place: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Shares (R, P), effects of P hyper-parameters (R, G), and explained variance (R,)."""
    N, P = len(place), len(design.axes)
    shares, explained = np.zeros((RESAMPLES, P)), np.zeros(RESAMPLES)
    curves = [np.zeros((RESAMPLES, len(grid))) for grid in grids]
    # From the worst to the best: of rows at random the whole curve would be higher or lower by chance.
    order = np.argsort(place, kind="stable")
    users = [order[axis.used[order]] for axis in design.axes]
    coded = [design.coded(axis, grid) for axis, grid in zip(design.axes, grids, strict=True)]
    variance, trees = place.var(), TREES if N < MANY else TREES_OF_MANY
    # Where each cut halves a node, some two rows are left at the end.
    levels = int(log2(N)) - 1
    for first in range(0, RESAMPLES, _TOGETHER):
        rng = np.random.default_rng(first)
        counts = rng.multinomial(N, np.full(N, 1 / N), _TOGETHER)
        forest = grown(design.X, place, counts.repeat(trees, axis=0), _LEAF, levels, rng)
        for resample, count in enumerate(counts, first):
            out = np.flatnonzero(count == 0)
            judged, moved = _shuffled(design, out, rng), _moved(design, coded, users, rng)
            own = (resample - first) * trees + np.arange(trees)
            answers = forest.answers(np.vstack([judged, *moved]), own).mean(axis=0)
            ends = np.cumsum([len(judged), *map(len, moved)])[:-1]
            of_judged, *of_moved = np.split(answers, ends)
            errors = ((of_judged.reshape(-1, len(out)) - place[out]) ** 2).mean(1)
            rises = errors[1:].reshape(P, _SHUFFLES).mean(1) - errors[0]
            shares[resample] = rises / (2 * variance)
            explained[resample] = 1 - errors[0] / variance
            for curve, grid, answered in zip(curves, grids, of_moved, strict=True):
                curve[resample] = answered.reshape(len(grid), -1).mean(1)
    return shares, curves, explained


def _shuffled(design: _Design, out: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows `out` of a forest as they are, then each hyper-parameter's values exchanged among those that use it."""
    rows = np.tile(design.X[out], (1 + len(design.axes) * _SHUFFLES, 1)).reshape(
        -1, len(out), design.X.shape[1]
    )
    blocks = iter(rows[1:])
    for axis, columns in zip(design.axes, design.columns, strict=True):
        its = np.flatnonzero(axis.used[out])
        for _ in range(_SHUFFLES):
            next(blocks)[its, columns] = rows[0][rng.permutation(its), columns]
    return rows.reshape(-1, design.X.shape[1])


def _moved(
    design: _Design, coded: list[np.ndarray], users: list[np.ndarray], rng: np.random.Generator
) -> list[np.ndarray]:
    """Some rows of those that use each hyper-parameter, at each of its G values as columns, (G·n, F) each."""
    moved = []
    for columns, values, used in zip(design.columns, coded, users, strict=True):
        base = design.X[used[rng.integers(step := -(-len(used) // ROWS)) :: step]]
        rows = np.tile(base, (len(values), 1))
        rows[:, columns] = values.repeat(len(base), axis=0)
        moved.append(rows)
    return moved


def _grid(axis: Axis) -> np.ndarray:
    known = np.unique(axis.position[axis.used])
    return known if axis.levels else np.linspace(known[0], known[-1], GRID)


def _effect(axis: Axis, grid: np.ndarray, curves: np.ndarray) -> Effect:
    mean = curves.mean(0)
    low, high = _interval(curves)
    # Of one resample all points rise and fall together: what tells them apart is their difference within each.
    behind = np.quantile(curves[:, [int(mean.argmax())]] - curves, (1 - LEVEL) / 2, axis=0)
    return Effect(axis, grid, mean, low, high, behind <= 0)


def _interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high
