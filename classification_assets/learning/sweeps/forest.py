"""Randomized trees, grown for several resamples of the same rows at once.

Scikit-learn's take as long to import as to grow, and a process that trains a sweep has no other use for them.

Shapes: N rows, F columns, B trees, D levels of cuts; a level has 2^level nodes a tree, those of a tree side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Forest:
    """Regression trees with as many levels each.

    Attributes
    ----------
    columns, cuts : D arrays (B·2^level,)
        The column that a node asks for, and up to which value a row goes on to the first of its two nodes.
    values : array (B·2^D,)
        Means of the rows that end at each last node; NaN of nodes to which no row comes.
    """

    columns: list[np.ndarray]
    cuts: list[np.ndarray]
    values: np.ndarray

    def answers(self, X: np.ndarray, trees: np.ndarray) -> np.ndarray:
        """Values (len(trees), Q) that some of the trees expect of rows X (Q, F)."""
        cells, first = X.ravel(), np.tile(np.arange(len(X)) * X.shape[1], len(trees))
        node = np.repeat(trees, len(X))
        for column, cut in zip(self.columns, self.cuts, strict=True):
            above = cells.take(first + column.take(node)) > cut.take(node)
            node += node
            node += above
        return self.values.take(node).reshape(len(trees), -1)


def grown(
    X: np.ndarray, y: np.ndarray, counts: np.ndarray, leaf: int, levels: int, rng: np.random.Generator
) -> Forest:
    """Trees of rows X (N, F) with values y (N,), much as Geurts, Ernst and Wehenkel 2006 grow them.

    At each node every column offers a cut at random between the values of two of its rows, and the one is taken that
    leaves the least variance.

    Parameters
    ----------
    X : array (N, F) float32
    y : array (N,)
    counts : array (B, N) int
        How often each row is there, tree by tree.
    leaf : int
        Rows of a node, at least.
    levels : int
    rng : Generator
    """
    tree, row = np.nonzero(counts)
    weight = counts[tree, row].astype(float)
    target, rows = weight * y[row], np.arange(len(row))
    values, node = np.ascontiguousarray(X[row].T), tree
    order = rng.permutation(len(row))
    columns, cuts = list[np.ndarray](), list[np.ndarray]()
    for level in range(levels):
        nodes = len(counts) << level
        total, sums = np.bincount(node, weight, nodes), np.bincount(node, target, nodes)
        # Two rows of each node: the last that is written stays. A new start makes them others than at the last level.
        drawn, pair = np.roll(order, rng.integers(len(order))), np.zeros((2, nodes), int)
        pair[0, node[drawn]], pair[1, node[drawn[::-1]]] = drawn, drawn[::-1]
        one, other = values[:, pair[0]], values[:, pair[1]]
        cut = one + rng.random(one.shape, np.float32) * (other - one)
        below, sums_below = np.empty(cut.shape), np.empty(cut.shape)
        for column, value in enumerate(values):
            is_below = value <= cut[column].take(node)
            below[column] = np.bincount(node, weight * is_below, nodes)
            sums_below[column] = np.bincount(node, target * is_below, nodes)
        above, every = total - below, np.arange(nodes)
        with np.errstate(divide="ignore", invalid="ignore"):
            # What is left of the variance falls as this rises.
            gain = sums_below**2 / below + (sums - sums_below) ** 2 / above
        allowed = (below >= leaf) & (above >= leaf)
        best = np.where(allowed, gain, -np.inf).argmax(axis=0)
        columns.append(best)
        # Where there is none, all rows go on to the first node.
        cuts.append(np.where(allowed[best, every], cut[best, every], np.float32(np.inf)))
        node = 2 * node + (values[best.take(node), rows] > cuts[-1].take(node))
    nodes = len(counts) << levels
    total, sums = np.bincount(node, weight, nodes), np.bincount(node, target, nodes)
    return Forest(columns, cuts, np.divide(sums, total, out=np.full(nodes, np.nan), where=total > 0))
