"""The uncertainty of scores: over resampled rows, and over members.

A score follows from sums over rows (`metrics.row_statistics`), so resampling is one product of a sparse matrix
with how often each resample holds each row. Two classifiers scored on the same rows meet the same resamples:
the difference of their resampled scores is a paired bootstrap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse
from scipy.stats import binomtest

from classification_assets.learning.metrics import (
    BINS,
    RANKING_METRICS,
    Key,
    average_scores,
    calibration_bins,
    calibration_error,
    class_scores,
    row_statistics,
    scores_of_sums,
)

RESAMPLES = 2_000
UNITS = 10_000
"""Above as many rows, random groups of rows are resampled instead: equally good, and the cost stays bounded."""

GROUPS, GROUPS_OF_MEMBERS = 64, 1024
"""Scores of a class are told apart up to this many; an interval is moved to where the exact score is."""

_SEED = 0
_CHUNK = 2**22
Interval = tuple[float, float]


@dataclass(frozen=True)
class Resampled:
    """The scores of some rows, and of their resamples.

    Attributes
    ----------
    values : mapping of Key to float
        The scores of the rows themselves, and each class's support.
    drawn : mapping of Key to array (R,)
        The scores of each resample; always the same rows are drawn from as many.
    proportions : mapping of Key to (int, int)
        Of the scores that are a share of rows: how many rows, of how many.
    """

    values: dict[Key, float]
    drawn: dict[Key, np.ndarray]
    proportions: Mapping[Key, tuple[int, int]]

    @classmethod
    def of(cls, y: np.ndarray, p: np.ndarray, classes: list[str], resamples: int = RESAMPLES) -> Self:
        """Score probabilities p (N, C) against class codes y (N,)."""
        overall = {("", name): value for name, value in average_scores(y, p).items()}
        rows = class_scores(y, p, classes).itertuples(index=False, name=None)
        values = overall | {(name, metric): value for name, metric, value in rows}
        predicted = p.argmax(1)
        among = {("", "accuracy"): np.ones(len(y), bool)}
        for index, name in enumerate(classes):
            among |= {(name, "recall"): y == index, (name, "precision"): predicted == index}
        right = predicted == y
        counts = {key: (int(right[own].sum()), int(own.sum())) for key, own in among.items()}
        return cls(values, resampled_scores(y, p, classes, resamples, GROUPS), counts)

    def interval(self, key: Key) -> Interval:
        """The 95 % percentile interval over resampled rows (Efron and Tibshirani 1993); NaN of what has none.

        Resamples know no error that the rows did not show: an accuracy, precision or recall without any spread
        has Wilson's interval instead (Wilson 1927). A resample's calibration error is larger by its own noise,
        which is taken off again.
        """
        if key not in self.drawn or not np.isfinite(self.values[key]):
            return np.nan, np.nan
        known = self.drawn[key][np.isfinite(self.drawn[key])]
        if not known.size:
            return np.nan, np.nan
        low, high = np.quantile(known, (0.025, 0.975))
        if low == high and key in self.proportions:
            return wilson(*self.proportions[key])
        if key[1] in (*RANKING_METRICS, "expected_calibration_error"):
            low, high = np.clip(np.array([low, high]) + self.values[key] - known.mean(), 0, 1)
        return float(low), float(high)


def resampled_scores(
    y: np.ndarray, p: np.ndarray, classes: list[str], resamples: int = RESAMPLES, groups: int = 0
) -> dict[Key, np.ndarray]:
    """Every score of each resample, (R,); the same rows are drawn for the same number of rows.

    Without `groups` the ranking metrics are left out, see `row_statistics`.
    """
    statistics = row_statistics(y, p, groups)
    parts = [scores_of_sums(sums, classes) for sums in resampled_sums(statistics, resamples)]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def resampled_sums(statistics: sparse.csr_array | np.ndarray, resamples: int) -> Iterator[np.ndarray]:
    """Sums of the rows of (N, S) in each resample, in parts (r, S)."""
    N, rng = statistics.shape[0], np.random.default_rng(_SEED)
    if N > UNITS:
        unit = rng.permutation(N) % UNITS
        gather = sparse.csr_array((np.ones(N, np.float32), (unit, np.arange(N))), shape=(UNITS, N))
        statistics, N = gather @ statistics, UNITS
    transposed = statistics.T
    size = max(1, _CHUNK // max(statistics.shape))
    for start in range(0, resamples, size):
        counts = np.stack(
            [
                np.bincount(rng.integers(N, size=N, dtype=np.int32), minlength=N)
                for _ in range(start, min(start + size, resamples))
            ],
            axis=1,
        )
        yield np.asarray(transposed @ counts.astype(np.float32)).T


def paired(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """Of two classifiers' resampled scores (R,): the 95 % interval of first - second, and a two-sided p-value."""
    difference = first - second
    low, high = np.quantile(difference, (0.025, 0.975))
    beyond = min((difference <= 0).sum(), (difference >= 0).sum())
    return float(low), float(high), float(min(1.0, 2 * (1 + beyond) / (1 + len(difference))))


def member_spreads(y: np.ndarray, members: np.ndarray, classes: list[str]) -> dict[Key, Interval]:
    """Mean and standard deviation of each score over members (M, N, C); of one member the latter is NaN."""
    sums = np.stack(
        [np.asarray(row_statistics(y, own, GROUPS_OF_MEMBERS).sum(0, dtype=np.float64)) for own in members]
    )
    return {
        key: (float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else np.nan)
        for key, values in scores_of_sums(sums, classes).items()
    }


def calibration_p_value(y: np.ndarray, p: np.ndarray, resamples: int = RESAMPLES) -> float:
    """How often a calibrated classifier with these probabilities would show so large a calibration error.

    A consistency resampling (Bröcker and Smith 2007): labels drawn from the probabilities themselves.
    """
    confidence = p.max(1).astype(np.float64)
    variance = np.bincount(calibration_bins(p), confidence * (1 - confidence), minlength=BINS)
    drawn = np.random.default_rng(_SEED).standard_normal((resamples, BINS)) * np.sqrt(variance)
    reached = (np.abs(drawn).sum(1) / len(y) >= calibration_error(y, p)).sum()
    return float((1 + reached) / (1 + resamples))


def wilson(successes: int, trials: int) -> Interval:
    """Wilson's 95 % interval of a proportion (Wilson 1927); everything is possible without a trial."""
    if not trials:
        return 0.0, 1.0
    interval = binomtest(int(successes), int(trials)).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
