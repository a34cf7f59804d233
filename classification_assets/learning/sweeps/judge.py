"""Judge: scores of a sweep's networks and configurations on the rows that judge them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classification_assets.learning.evaluation.bounds import Metric
from classification_assets.learning.evaluation.metrics import (
    row_losses,
    row_statistics,
    scores_of_sums,
    summed_statistics,
)
from classification_assets.learning.sweeps.scored_rows import SweptRows

LINEAR = frozenset({"log_loss", "accuracy", "brier_score"})
"""Metrics that are means over rows."""


class Judge:
    """Scores of probabilities on the rows that judge, all folds together.

    Parameters
    ----------
    rows : SweptRows
    metric : str
    labels : sequence of C labels, optional
        For messages; by default their codes.

    Raises
    ------
    ValueError
        If these rows cannot give the metric.
    """

    def __init__(self, rows: SweptRows, metric: Metric, labels: Sequence[object] | None = None) -> None:
        index = np.concatenate(rows.scored)
        self.metric, self.y, self.rows = metric, rows.y[index], rows
        self.weight = None if rows.weight is None else rows.weight[index] / rows.weight[index].mean()
        self.names = [str(label) for label in range(rows.n_classes)]
        missing = sorted(set(range(rows.n_classes)) - set(self.y.tolist()))
        if missing and metric in ("balanced_accuracy", "macro_f1"):
            absent = missing[0] if labels is None else labels[missing[0]]
            raise ValueError(
                f"sweep.metric: {metric} needs rows of every class among those that judge, and there are none of class "
                f"{absent!r}; choose log_loss or accuracy, more validation rows, or sweep.folds of 2 or more"
            )

    def score(self, probabilities: Sequence[np.ndarray]) -> float:
        """The metric of probabilities (V_f, C), an array a fold."""
        p = np.concatenate(probabilities)
        if self.metric in LINEAR:
            return float(np.average(self.row_scores(p), weights=self.weight))
        sums = summed_statistics(self.y, p, 0, self.weight)[None]
        return float(scores_of_sums(sums, self.names)["", self.metric][0])

    def resampled(self, p: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """The metric (R,) of probabilities p (V, C) in resamples that hold each row so many times, counts (R, V)."""
        if self.metric in LINEAR:
            weight = counts if self.weight is None else counts * self.weight.astype(counts.dtype)
            with np.errstate(invalid="ignore"):
                return weight @ self.row_scores(p).astype(counts.dtype) / weight.sum(1)
        statistics = row_statistics(self.y, p, 0, self.weight)
        # Sparse from the left: SciPy would turn the dense side into a sparse one.
        sums = np.asarray((statistics.T @ counts.T).T)
        return scores_of_sums(sums, self.names)["", self.metric]

    def row_scores(self, p: np.ndarray) -> np.ndarray:
        """Each row's part (V,) of a metric that is a mean over rows."""
        if self.metric == "log_loss":
            return row_losses(self.y, p)
        if self.metric == "accuracy":
            return (p.argmax(1) == self.y).astype(np.float64)
        return ((np.eye(p.shape[1], dtype=p.dtype)[self.y] - p).astype(np.float64) ** 2).sum(1)

    def of_network(self, fold: int, p: np.ndarray) -> tuple[float, float]:
        """Log loss and accuracy of one network's probabilities p (V, C) of its fold's rows."""
        index = self.rows.scored[fold]
        y, weight = self.rows.y[index], None if self.rows.weight is None else self.rows.weight[index]
        right = np.average(p.argmax(1) == y, weights=weight)
        return float(np.average(row_losses(y, p), weights=weight)), float(right)
