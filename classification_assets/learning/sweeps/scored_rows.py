"""Rows of a sweep: what its networks learn from, and the rows by which they are judged, which they never see."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from classification_assets.learning.evaluation.bounds import Metric
from classification_assets.learning.evaluation.metrics import (
    row_losses,
    row_statistics,
    scores_of_sums,
    summed_statistics,
)
from classification_assets.learning.models.tabular.inner_folds import InnerFolds
from classification_assets.learning.packed.batches import RowSource
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split, features_by_fold, features_of

LINEAR = frozenset({"log_loss", "accuracy", "brier_score"})
"""Metrics that are means over rows."""

MOST_SCORED = 4_000
"""Rows of a fold, at most, that judge: evenly spaced ones of more."""


@dataclass(frozen=True)
class SweptRows:
    """Features, labels, and the rows of each fold.

    A table's rows are there once for each of F folds, each time as what its networks learn from shows them: means and
    scales know nothing of the rows that judge.

    Attributes
    ----------
    X : array (F N, D) float32, or rows that are computed when they are asked for
    y : array (F N,) int64
    weight : array (F N,) float32 or None
    learned, scored : lists of F arrays of indices
        What a network of each fold learns from, and is judged by.
    n_classes : int
    """

    X: np.ndarray | RowSource
    y: np.ndarray
    weight: np.ndarray | None
    learned: list[np.ndarray]
    scored: list[np.ndarray]
    n_classes: int

    @classmethod
    def of(cls, split: Split, folds: int, seed: int, device: str = "cpu") -> SweptRows:
        """The rows of a split: its validation fold judges, or each of so many folds of both in turns.

        Test rows have no part in it.

        Raises
        ------
        ValueError
            If there are no rows to judge by.
        """
        train, validation = split.rows(Fold.TRAIN), split.rows(Fold.VALIDATION)
        if folds == 1:
            learned, scored = [train], [validation]
        else:
            both = np.concatenate([train, validation])
            dealt = InnerFolds.of(
                both,
                split.y,
                folds,
                1,
                seed,
                group=split.group,
                timestamp=None if split.group is not None else split.timestamp,
            )
            if dealt.count < folds:
                timed = "rows" if split.timestamp is None else "times"
                things = timed if split.group is None else "groups"
                raise ValueError(
                    f"sweep.folds: training and validation have {dealt.count} {things}, and there are never more folds "
                    f"than that, got {folds}"
                )
            members = range(dealt.members)
            learned = dealt.seen_by(members)
            scored = [dealt.rows[dealt.unseen(member)] for member in members]
        counted = [rows if split.weight is None else rows[split.weight[rows] > 0] for rows in scored]
        if not all(len(rows) for rows in counted):
            raise ValueError(
                "sweep: configurations are judged by the validation fold, which has no rows that count; "
                "declare a split with validation above 0, or sweep.folds of 2 or more"
            )
        if split.weight is not None and not all(split.weight[rows].any() for rows in learned):
            raise ValueError(
                f"sweep.folds: in one of {folds} folds, all rows that are left to learn from have a weight of 0; give "
                "more rows a weight above 0, or choose other folds"
            )
        scored = [rows[:: -(-len(rows) // MOST_SCORED)] for rows in counted]
        # One validation fold is judged by what knows the training fold alone, as the split's preprocessing does.
        X = features_of(split, device) if folds == 1 else features_by_fold(split, learned, device)
        starts = range(0, folds * len(split.y), len(split.y))
        return cls(
            X.numpy() if isinstance(X, torch.Tensor) and X.device.type == "cpu" else X,
            np.tile(split.y, folds),
            None if split.weight is None else np.tile(split.weight, folds),
            [rows + start for rows, start in zip(learned, starts, strict=True)],
            [rows + start for rows, start in zip(scored, starts, strict=True)],
            len(split.classes),
        )

    @property
    def folds(self) -> int:
        """F."""
        return len(self.learned)

    @property
    def can_be_sent(self) -> bool:
        """Whether another process can have them: plain arrays on the CPU."""
        return isinstance(self.X, np.ndarray)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all numbers."""
        found = hashlib.sha256(f"{tuple(self.X.shape)} {self.n_classes}".encode())
        arrays = [self.y, *self.learned, *self.scored]
        for array in [*arrays, *([] if self.weight is None else [self.weight])]:
            # Lengths as well: two folds one after the other look the same wherever the one ends.
            found.update(f"{array.dtype} {array.shape}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
        every = torch.arange(len(self.y), device=getattr(self.X, "device", "cpu"))
        for part in every.split(2**16):
            rows = self.X[part.numpy()] if isinstance(self.X, np.ndarray) else self.X[part].cpu().numpy()
            found.update(np.ascontiguousarray(rows).tobytes())
        return found.hexdigest()


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
