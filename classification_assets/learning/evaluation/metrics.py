"""Scores of probabilities against labels, over all rows and for each class.

Point scores are those of scikit-learn, which tests compare them with. From one confusion matrix, and for each class
one order of the rows, they take a fraction of its time, which goes by in checking the same labels anew for each score.
Thousands of resamples need the same scores at once: `row_statistics` and `scores_of_sums` give those from sums over
rows, and a test holds the two together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

CLASS_METRICS = ("precision", "recall", "f1")
RANKING_METRICS = ("roc_auc", "average_precision")
BINS = 15
"""Bins of equal width, over the confidence, for the calibration error (Guo et al. 2017)."""

Key = tuple[str, str]
"""Class (empty: overall) and metric."""


def counted(weight: np.ndarray | None) -> tuple[np.ndarray | slice, np.ndarray | None]:
    """The rows that count, as an index (n,), and their weights with a mean of 1, float64; None if they count alike.

    A row of weight 0 is the same as none: it must not make a class look as if it were there, nor a score surer.
    """
    if weight is None:
        return slice(None), None
    rows = np.flatnonzero(weight > 0)
    own = weight[rows].astype(np.float64)
    return rows, None if not len(own) or (own == own[0]).all() else own / own.mean()


def average_scores(
    y: np.ndarray, p: np.ndarray, weight: np.ndarray | None = None, ranked: np.ndarray | None = None
) -> dict[str, float]:
    """Overall scores of probabilities p (N, C) against class codes y (N,), of rows of a weight (N,) each.

    ``log_loss`` is in nats; ``brier_score`` is the squared distance to the one-hot label, 0 to 2 (Brier
    1950); ``expected_calibration_error`` is over `BINS` equal bins of the confidence; ``roc_auc`` and
    ``average_precision`` are one-vs-rest, the mean over classes. A class without a row is left out of these
    two and of the balanced accuracy (NaN if none is left), and out of the macro scores unless it was
    predicted; a ratio without cases is 0. `ranked` saves computing `ranking_scores` again.
    """
    ranked = ranking_scores(y, p, weight) if ranked is None else ranked
    rows, weight = counted(weight)
    y, p = y[rows], p[rows]
    predicted, C = p.argmax(1), p.shape[1]
    one_hot = np.eye(C, dtype=p.dtype)[y]
    probability = np.clip(p[np.arange(len(y)), y], np.finfo(p.dtype).eps, 1 - np.finfo(p.dtype).eps)
    confusion = np.bincount(y * C + predicted, weight, C * C).reshape(C, C)
    agreement = _agreement(confusion.astype(np.float64))
    scores = {
        "accuracy": np.average(y == predicted, weights=weight),
        "balanced_accuracy": agreement.pop("balanced_accuracy"),
        "log_loss": np.average(-np.log(probability), weights=weight),
        "brier_score": np.average(((one_hot - p) ** 2).sum(1), weights=weight),
        "expected_calibration_error": calibration_error(y, p, weight),
    } | agreement
    support, chosen = confusion.sum(1), confusion.sum(0)
    there = support + chosen > 0
    by_class = dict(zip(CLASS_METRICS, _class_ratios(confusion), strict=True))
    for average, share in (("macro", None), ("weighted", support[there])):
        scores |= {
            f"{average}_{name}": np.average(values[there], weights=share) for name, values in by_class.items()
        }
    scores |= dict(zip(RANKING_METRICS, _mean_of_defined(ranked.T), strict=True))
    return {name: float(score) for name, score in scores.items()}


def class_scores(
    y: np.ndarray,
    p: np.ndarray,
    classes: list[str],
    weight: np.ndarray | None = None,
    ranked: np.ndarray | None = None,
) -> pd.DataFrame:
    """Scores of each class against the rest, and its rows (support): ``class``, ``metric``, ``value``.

    Of a class without a row the recall is NaN, and of one that was not predicted either the F1 score. `ranked`
    saves computing `ranking_scores` again.
    """
    ranked = ranking_scores(y, p, weight) if ranked is None else ranked
    rows, weight = counted(weight)
    y, p = y[rows], p[rows]
    predicted, C = p.argmax(1), len(classes)
    precision, recall, f1 = _class_ratios(np.bincount(y * C + predicted, weight, C * C).reshape(C, C))
    support = np.bincount(y, minlength=C)
    recall = np.where(support > 0, recall, np.nan)
    f1 = np.where(support + np.bincount(predicted, minlength=C) > 0, f1, np.nan)
    found = precision, recall, f1, support
    names = (*CLASS_METRICS, "support", *RANKING_METRICS)
    return pd.DataFrame(
        [
            {"class": name, "metric": metric, "value": float(scores[index])}
            for index, name in enumerate(classes)
            for metric, scores in zip(names, (*found, *zip(*ranked, strict=True)), strict=True)
        ]
    )


def ranking_scores(y: np.ndarray, p: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Each class's `RANKING_METRICS` against the rest, (C, 2); NaN of a class without rows, or without others."""
    rows, weight = counted(weight)
    y, p = y[rows], p[rows]
    return np.array([_ranking_scores(y == label, p[:, label], weight) for label in range(p.shape[1])])


def calibration_error(y: np.ndarray, p: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Expected calibration error of the predicted class's probability (Guo et al. 2017)."""
    rows, weight = counted(weight)
    miss = _miss(y[rows], p[rows])
    if weight is not None:
        miss = weight * miss
    return float(np.abs(np.bincount(calibration_bins(p[rows]), miss)).sum() / len(miss))


def calibration_bins(p: np.ndarray) -> np.ndarray:
    """The bin (N,) of each row's confidence, 0 to `BINS` - 1."""
    return np.minimum((p.max(1) * BINS).astype(np.int64), BINS - 1)


def row_losses(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Log loss of each row (N,), bounded where the label had no probability at all."""
    chosen = p[np.arange(len(y)), y].astype(np.float64)
    return -np.log(np.clip(chosen, np.finfo(p.dtype).eps, 1))


def row_statistics(
    y: np.ndarray, p: np.ndarray, groups: int = 0, weight: np.ndarray | None = None
) -> sparse.csr_array:
    """Each row's weighted contribution to the sums that every score is computed from: (N, S).

    The columns are the C² cells of the confusion matrix, the log loss, the Brier score, the misses of `BINS`
    calibration bins and, of each class, the rows in groups of neighbouring score, positive ones and others:
    by these the ranking metrics are exact for at most as many rows as there are groups, and without any
    groups they are left out.
    """
    columns, values, S = _entries(y, p, groups, weight)
    N, L = columns.shape
    entries = values.ravel(), columns.ravel(), np.arange(0, N * L + 1, L)
    return sparse.csr_array(entries, shape=(N, S))


def summed_statistics(
    y: np.ndarray, p: np.ndarray, groups: int = 0, weight: np.ndarray | None = None
) -> np.ndarray:
    """The sum (S,) of `row_statistics` over all rows."""
    columns, values, S = _entries(y, p, groups, weight)
    return np.bincount(columns.ravel(), values.ravel(), minlength=S)


def _entries(
    y: np.ndarray, p: np.ndarray, groups: int, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, int]:
    """The columns that are not 0: their indices, ascending, int32, and their values float32 (N, L)."""
    N, C = p.shape
    base, L = C * C + 2 + BINS, 4 + (C if groups else 0)
    columns, values = np.empty((N, L), np.int32), np.ones((N, L), np.float32)
    columns[:, 0] = y * C + p.argmax(1)
    columns[:, 1], values[:, 1] = C * C, row_losses(y, p)
    columns[:, 2], values[:, 2] = C * C + 1, (p.astype(np.float64) ** 2).sum(1) - 2 * p[np.arange(N), y] + 1
    columns[:, 3], values[:, 3] = C * C + 2 + calibration_bins(p), _miss(y, p)
    for label, column in enumerate(columns.T[4:]):
        column[:] = base + 2 * groups * label + _groups(p[:, label], groups) + groups * (y != label)
    if weight is not None:
        values *= weight[:, None]
    return columns, values, base + 2 * groups * (L - 4)


def scores_of_sums(sums: np.ndarray, classes: list[str]) -> dict[Key, np.ndarray]:
    """Scores, (R,) each, of R sums of `row_statistics` (R, S)."""
    C = len(classes)
    confusion, rest = sums[:, : C * C].reshape(-1, C, C).astype(np.float64), sums[:, C * C :]
    scores = _count_scores(confusion, classes)
    total = confusion.sum((1, 2))
    # Where no row counts, nothing is known.
    scores["", "log_loss"] = _ratio(rest[:, 0], total, np.nan)
    scores["", "brier_score"] = _ratio(rest[:, 1], total, np.nan)
    scores["", "expected_calibration_error"] = _ratio(np.abs(rest[:, 2 : 2 + BINS]).sum(1), total, np.nan)
    if rest.shape[1] > 2 + BINS:
        groups = rest[:, 2 + BINS :].reshape(len(sums), C, 2, -1)
        # A class at a time: what is computed of ten at once no longer fits into the processor's cache.
        ranked = [_ranked(groups[:, label, 0], groups[:, label, 1]) for label in range(C)]
        for name, by_class in zip(RANKING_METRICS, zip(*ranked, strict=True), strict=True):
            values = np.stack(by_class, axis=1)
            scores["", name] = _mean_of_defined(values)
            scores |= {(label, name): values[:, index] for index, label in enumerate(classes)}
    return scores


def _count_scores(confusion: np.ndarray, classes: list[str]) -> dict[Key, np.ndarray]:
    right = np.diagonal(confusion, axis1=1, axis2=2)
    support, predicted, total = confusion.sum(2), confusion.sum(1), confusion.sum((1, 2))
    precision, recall = _ratio(right, predicted), _ratio(right, support)
    f1 = _ratio(2 * right, support + predicted)
    agreed, by_chance = right.sum(1) * total, (support * predicted).sum(1)
    spread = (total**2 - (support**2).sum(1)) * (total**2 - (predicted**2).sum(1))
    scores: dict[Key, np.ndarray] = {
        ("", "accuracy"): _ratio(right.sum(1), total, np.nan),
        ("", "balanced_accuracy"): _ratio(recall.sum(1), (support > 0).sum(1)),
        ("", "cohen_kappa"): _ratio(agreed - by_chance, total**2 - by_chance),
        ("", "matthews_correlation"): _ratio(agreed - by_chance, np.sqrt(np.maximum(spread, 0))),
    }
    there = support + predicted > 0
    known = {"recall": support > 0, "f1": there, "precision": np.ones_like(there)}
    for name, values in zip(CLASS_METRICS, (precision, recall, f1), strict=True):
        scores["", f"macro_{name}"] = _ratio((values * there).sum(1), there.sum(1))
        scores["", f"weighted_{name}"] = _ratio((values * support).sum(1), total, np.nan)
        own = np.where(known[name], values, np.nan)
        scores |= {(label, name): own[:, index] for index, label in enumerate(classes)}
    return scores


def _ranked(positive: np.ndarray, negative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Area under the ROC curve and average precision of groups (..., G) of ascending score."""
    found = np.cumsum(positive[..., ::-1], -1, dtype=np.float64)[..., ::-1]
    taken = np.cumsum((positive + negative)[..., ::-1], -1, dtype=np.float64)[..., ::-1]
    positives = found[..., 0]
    negatives = taken[..., 0] - positives
    below = negatives[..., None] - (taken - found) + negative / 2
    area = _ratio((positive * below).sum(-1), positives * negatives, np.nan)
    precision = _ratio((positive * _ratio(found, taken)).sum(-1), positives, np.nan)
    return area, precision


def _groups(scores: np.ndarray, groups: int) -> np.ndarray:
    """The group (N,) of each score, ascending; equal scores are in one."""
    ascending, N = np.sort(scores), len(scores)
    if groups >= N:
        return np.searchsorted(ascending, scores)
    # A group begins where as many scores are below as its share is: few edges are found much faster than ranks.
    edges = ascending[-(-np.arange(1, groups) * N // groups) - 1]
    return np.searchsorted(edges, scores)


def _agreement(confusion: np.ndarray) -> dict[str, float]:
    """Scores of how labels and predictions go together, from their confusion matrix (C, C)."""
    right, support, chosen = np.diagonal(confusion), confusion.sum(1), confusion.sum(0)
    total = confusion.sum()
    by_chance = np.outer(chosen, support) / total
    apart = 1 - np.eye(len(confusion))
    disagreed = (apart * by_chance).sum()
    # Of one class nothing varies, whatever rounding makes of that.
    varies = min(np.count_nonzero(support), np.count_nonzero(chosen)) > 1
    spread = (total**2 - chosen @ chosen) * (total**2 - support @ support)
    return {
        "balanced_accuracy": _ratio(right, support)[support > 0].mean(),
        # By chance all rows would be right too, so agreement says nothing.
        "cohen_kappa": 1 - (apart * confusion).sum() / disagreed if disagreed > 0 else 0.0,
        "matthews_correlation": (right.sum() * total - support @ chosen) / np.sqrt(spread) if varies else 0.0,
    }


def _class_ratios(confusion: np.ndarray) -> np.ndarray:
    """Precision, recall and F1 score of each class, (3, C), from the confusion matrix (C, C); 0 without cases."""
    right, support, chosen = np.diagonal(confusion), confusion.sum(1), confusion.sum(0)
    return np.stack([_ratio(right, chosen), _ratio(right, support), _ratio(2 * right, support + chosen)])


def _ranking_scores(
    positive: np.ndarray, score: np.ndarray, weight: np.ndarray | None
) -> tuple[float, float]:
    """Area under the ROC curve, and average precision, over the steps at which the score (N,) falls."""
    if not positive.any():
        return np.nan, np.nan
    order = np.argsort(-score, kind="stable")
    own = np.ones(len(order)) if weight is None else weight[order]
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    found, wrong = (np.cumsum(own * rows)[ends] for rows in (positive[order], ~positive[order]))
    recall = found / found[-1]
    precision = np.flip(np.diff(recall, prepend=0.0) * (found / (found + wrong))).copy().sum()
    if positive.all():
        return np.nan, float(precision)
    # Points between others on one line change nothing but the rounding.
    corner = np.full(len(ends), True)
    corner[1:-1] = (np.diff(found, 2) != 0) | (np.diff(wrong, 2) != 0)
    true, false = (np.append(0.0, counts[corner]) / counts[-1] for counts in (found, wrong))
    return float(np.trapezoid(true, false)), float(precision)


def _miss(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Confidence less whether it was right, (N,)."""
    return p.max(1) - (p.argmax(1) == y)


def _mean_of_defined(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is not NaN."""
    known = np.isfinite(values)
    return _ratio(np.where(known, values, 0).sum(-1), known.sum(-1), np.nan)


def _ratio(part: np.ndarray, whole: np.ndarray, otherwise: float = 0.0) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(whole), otherwise), where=whole > 0)
