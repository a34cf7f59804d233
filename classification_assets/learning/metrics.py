"""Scores of probabilities against labels, with their uncertainty over rows and over members.

Point scores come from scikit-learn. Thousands of resamples need the same scores of many confusion matrices
at once, which it does not offer: `count_scores` gives those, and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    log_loss,
    precision_recall_fscore_support,
)

CLASS_METRICS = ("precision", "recall", "f1")
RESAMPLES = 2_000
_SEED = 0
_CHUNK = 2**22

Key = tuple[str, str]
"""Class (empty: overall) and metric."""


def average_scores(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Overall scores of probabilities p (N, C) against class codes y (N,).

    ``log_loss`` is in nats. A class without a single row is left out of the balanced accuracy, as
    scikit-learn does; a ratio without cases is 0.
    """
    predicted = p.argmax(1)
    scores = {
        "accuracy": accuracy_score(y, predicted),
        "balanced_accuracy": balanced_accuracy_score(y, predicted),
        "log_loss": log_loss(y, p, labels=np.arange(p.shape[1])),
    }
    for average in ("macro", "weighted"):
        found = precision_recall_fscore_support(
            y, predicted, average=average, labels=np.arange(p.shape[1]), zero_division=0
        )
        scores |= {f"{average}_{name}": score for name, score in zip(CLASS_METRICS, found, strict=False)}
    return {name: float(score) for name, score in scores.items()}


def class_scores(y: np.ndarray, p: np.ndarray, classes: list[str]) -> pd.DataFrame:
    """Precision, recall, F1 and support of each class: ``class``, ``metric``, ``value``."""
    found = precision_recall_fscore_support(y, p.argmax(1), labels=np.arange(len(classes)), zero_division=0)
    return pd.DataFrame(
        [
            {"class": name, "metric": metric, "value": float(scores[index])}
            for index, name in enumerate(classes)
            for metric, scores in zip((*CLASS_METRICS, "support"), found, strict=True)
        ]
    )


def count_scores(confusion: np.ndarray, classes: list[str]) -> dict[Key, np.ndarray]:
    """Scores that follow from counts, of many confusion matrices (R, C, C) at once: (R,) each."""
    right = np.diagonal(confusion, axis1=1, axis2=2)
    support, predicted, total = confusion.sum(2), confusion.sum(1), confusion.sum((1, 2))
    precision, recall = _ratio(right, predicted), _ratio(right, support)
    f1 = _ratio(2 * right, support + predicted)
    scores: dict[Key, np.ndarray] = {
        ("", "accuracy"): right.sum(1) / total,
        ("", "balanced_accuracy"): _ratio(recall.sum(1), (support > 0).sum(1)),
    }
    for name, values in zip(CLASS_METRICS, (precision, recall, f1), strict=True):
        scores["", f"macro_{name}"] = values.mean(1)
        scores["", f"weighted_{name}"] = (values * support).sum(1) / total
        scores |= {(label, name): values[:, index] for index, label in enumerate(classes)}
    return scores


def bootstrap_intervals(
    y: np.ndarray, p: np.ndarray, classes: list[str], resamples: int = RESAMPLES
) -> dict[Key, tuple[float, float]]:
    """95 % percentile intervals over resampled rows (Efron and Tibshirani 1993), always the same resamples.

    Resampling rows resamples the cells of the confusion matrix as one multinomial draw, so counts cost
    nothing that follows N; only the log loss draws rows.
    """
    C, rng = len(classes), np.random.default_rng(_SEED)
    cells, counts = np.unique(y * C + p.argmax(1), return_counts=True)
    confusion = np.zeros((resamples, C * C))
    confusion[:, cells] = rng.multinomial(len(y), counts / len(y), size=resamples)
    scores = count_scores(confusion.reshape(-1, C, C), classes)
    loss = _row_loss(y, p)
    chunk = max(1, _CHUNK // len(y))
    scores["", "log_loss"] = np.concatenate(
        [
            loss[rng.integers(len(y), size=(min(chunk, resamples - start), len(y)), dtype=np.int32)].mean(1)
            for start in range(0, resamples, chunk)
        ]
    )
    return {key: (float(low), float(high)) for key, (low, high) in _quantiles(scores.items())}


def member_spreads(y: np.ndarray, members: np.ndarray, classes: list[str]) -> dict[Key, tuple[float, float]]:
    """Mean and standard deviation of each score over members (M, N, C); of one member the latter is NaN."""
    C = len(classes)
    codes = y * C + members.argmax(2)
    confusion = np.stack([np.bincount(own, minlength=C * C) for own in codes]).reshape(-1, C, C)
    scores = count_scores(confusion, classes)
    scores["", "log_loss"] = np.array([_row_loss(y, own).mean() for own in members])
    return {
        key: (float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else np.nan)
        for key, values in scores.items()
    }


def _row_loss(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    chosen = p[np.arange(len(y)), y].astype(np.float64)
    return -np.log(np.clip(chosen, np.finfo(p.dtype).eps, 1))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole > 0)


def _quantiles(scores: Iterable[tuple[Key, np.ndarray]]) -> Iterable[tuple[Key, np.ndarray]]:
    for key, values in scores:
        yield key, np.quantile(values, (0.025, 0.975))
