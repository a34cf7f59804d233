"""Extremely randomized trees, grown for many resamples of the same rows at once.

Scikit-learn's take as long to grow, and four times as long to import: a process that trains a sweep has no other use
for it.

Shapes: N rows, F columns, B trees, K nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_STEPS = 4
"""Steps down a tree between two looks at which rows have come to a leaf."""


@dataclass(frozen=True, eq=False)
class Forest:
    """Regression trees; the first B nodes are their roots.

    Attributes
    ----------
    left : array (K,) int
        The node after each for values up to its threshold, that for larger ones being the next; -1 after a leaf.
    column, threshold : array (K,)
        The value that a node asks for, and where it is cut.
    value : array (K,)
        Mean of the node's rows.
    """

    left: np.ndarray
    column: np.ndarray
    threshold: np.ndarray
    value: np.ndarray

    def answers(self, X: np.ndarray, tree: np.ndarray) -> np.ndarray:
        """Values (Q,) that are expected of rows X (Q, F), each by one `tree` (Q,)."""
        cells, found = X.ravel(), np.empty(len(X))
        # A leaf leads to itself, so that it need not be looked for at each step.
        leaf = self.left < 0
        left = np.where(leaf, np.arange(len(leaf)), self.left)
        threshold = np.where(leaf, np.float32(np.inf), self.threshold)
        row, node = np.arange(len(X)), tree
        first = row * X.shape[1]
        while len(row):
            for _ in range(_STEPS):
                node = left.take(node) + (cells.take(first + self.column.take(node)) > threshold.take(node))
            ended = leaf.take(node)
            end, on = np.flatnonzero(ended), np.flatnonzero(~ended)
            found[row.take(end)] = self.value.take(node.take(end))
            row, first, node = row.take(on), first.take(on), node.take(on)
        return found


def grown(X: np.ndarray, y: np.ndarray, counts: np.ndarray, leaf: int, rng: np.random.Generator) -> Forest:
    """Trees of rows X (N, F) with values y (N,), after Geurts, Ernst and Wehenkel 2006.

    At each node every column offers a cut at random between its least and its largest value, and the one is taken that
    leaves the least variance.

    Parameters
    ----------
    X : array (N, F) float32
    y : array (N,)
    counts : array (B, N) int
        How often each row is there, tree by tree.
    leaf : int
        Rows of a node, at least.
    rng : Generator
    """
    columns = np.ascontiguousarray(X.T)
    tree, row = np.nonzero(counts)
    count, sizes = counts[tree, row].astype(float), np.bincount(tree, minlength=len(counts))
    levels, nodes = [], 0
    while len(sizes):
        # The rows of a level stand node by node.
        starts, nodes = np.cumsum(sizes) - sizes, nodes + len(sizes)
        total, target = np.add.reduceat(count, starts), np.add.reduceat(count * y[row], starts)
        left, column, threshold = (
            np.full(len(sizes), -1),
            np.zeros(len(sizes), int),
            np.zeros(len(sizes), np.float32),
        )
        levels.append((left, column, threshold, target / total))
        large = total >= 2 * leaf
        row, count, sizes = row[of_large := np.repeat(large, sizes)], count[of_large], sizes[large]
        if not len(row):
            break
        values = columns[:, row]
        chosen, cut = _cuts(values, y[row], count, sizes, leaf, rng)
        is_cut = chosen >= 0
        place = np.flatnonzero(large)[is_cut]
        left[place] = nodes + 2 * np.arange(len(place))
        column[place], threshold[place] = chosen[is_cut], cut[is_cut]
        kept = np.flatnonzero(np.repeat(is_cut, sizes))
        node = np.repeat(np.arange(len(place)), sizes[is_cut])
        above = values[column[place][node], kept] > threshold[place][node]
        side = 2 * node + above
        # In few bits: these are sorted in the time that it takes to read them.
        order = kept[np.argsort(side.astype(np.min_scalar_type(2 * len(place))), kind="stable")]
        row, count, sizes = row[order], count[order], np.bincount(side)
    return Forest(*(np.concatenate(parts) for parts in zip(*levels, strict=True)))


def _cuts(
    values: np.ndarray,
    y: np.ndarray,
    count: np.ndarray,
    sizes: np.ndarray,
    leaf: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """The column (K,), -1 for none, and the threshold (K,) of the best cut of each of K nodes.

    Parameters
    ----------
    values : array (F, M) float32
        Of the rows of all nodes, node by node.
    y, count : array (M,)
    sizes : array (K,) int
    """
    starts, nodes = np.cumsum(sizes) - sizes, np.arange(len(sizes))
    low, high = np.minimum.reduceat(values, starts, axis=1), np.maximum.reduceat(values, starts, axis=1)
    cut = low + rng.random(low.shape, np.float32) * (high - low)
    below = values <= np.repeat(cut, sizes, axis=1)
    target = count * y
    total, sums = np.add.reduceat(count, starts), np.add.reduceat(target, starts)
    total_below = np.add.reduceat(below * count, starts, axis=1)
    sums_below = np.add.reduceat(below * target, starts, axis=1)
    allowed = (total_below >= leaf) & (total - total_below >= leaf)
    with np.errstate(divide="ignore", invalid="ignore"):
        # What is left of the variance falls as this rises.
        gain = sums_below**2 / total_below + (sums - sums_below) ** 2 / (total - total_below)
    best = np.where(allowed, gain, -np.inf).argmax(axis=0)
    return np.where(allowed[best, nodes], best, -1), cut[best, nodes]
