"""The uncertainty of scores: over resampled rows, and over members.

A score follows from sums over rows (`metrics.row_statistics`), so resampling is one product of a sparse matrix
with how often each resample holds each row. Two classifiers scored on the same rows meet the same resamples:
the difference of their resampled scores is a paired bootstrap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Self

import numpy as np
from scipy import sparse
from scipy.special import ndtri

from classification_assets.learning.evaluation.metrics import (
    BINS,
    RANKING_METRICS,
    Key,
    average_scores,
    calibration_bins,
    calibration_error,
    class_scores,
    counted,
    ranking_scores,
    row_statistics,
    scores_of_sums,
    summed_statistics,
)

RESAMPLES = 2_000
UNITS = 10_000
"""Above as many rows, random groups of rows are resampled instead: equally good, and the cost stays bounded."""

GROUPS, GROUPS_OF_MEMBERS = 64, 1024
"""Scores of a class are told apart up to this many; an interval is moved to where the exact score is."""

_SEED = 0
CHUNK, DRAWN = 2**22, 2**17
Interval = tuple[float, float]


@dataclass(frozen=True)
class Resampled:
    """The scores of the rows that count, and of their resamples.

    Attributes
    ----------
    values : mapping of Key to float
        The scores of the rows themselves, and each class's support.
    drawn : mapping of Key to array (R,)
        The scores of each resample; always the same rows are drawn from as many.
    proportions : mapping of Key to (float, float)
        Of the scores that are a share of rows: how many rows, of how many, see `effective_size`.
    by_chance : float
        See `calibration_p_value`.
    """

    values: dict[Key, float]
    drawn: dict[Key, np.ndarray]
    proportions: Mapping[Key, tuple[float, float]]
    by_chance: float

    @classmethod
    def of(
        cls,
        y: np.ndarray,
        p: np.ndarray,
        classes: list[str],
        resamples: int = RESAMPLES,
        weight: np.ndarray | None = None,
        group: np.ndarray | None = None,
    ) -> Self:
        """Score probabilities p (N, C) against class codes y (N,), rows of a group (N,) being drawn together."""
        rows, weight = counted(weight)
        y, p, group = y[rows], p[rows], None if group is None else group[rows]
        ranked = ranking_scores(y, p, weight)
        overall = {("", name): value for name, value in average_scores(y, p, weight, ranked).items()}
        by_class = class_scores(y, p, classes, weight, ranked).itertuples(index=False, name=None)
        values = overall | {(name, metric): value for name, metric, value in by_class}
        predicted = p.argmax(1)
        among = {("", "accuracy"): np.ones(len(y), bool)}
        for index, name in enumerate(classes):
            among |= {(name, "recall"): y == index, (name, "precision"): predicted == index}
        sizes = {key: effective_size(own, weight, group) for key, own in among.items()}
        drawn = resampled_scores(y, p, classes, resamples, GROUPS, weight, group)
        counts = {key: (values[key] * size, size) for key, size in sizes.items()}
        return cls(values, drawn, counts, calibration_p_value(y, p, resamples, weight))

    def interval(self, key: Key) -> Interval:
        """The 95 % percentile interval over resampled rows (Efron and Tibshirani 1993); NaN of what has none.

        Resamples know no error that the rows did not show: an accuracy, precision or recall without any spread
        has Wilson's interval instead, of as many rows as weights and groups leave (Wilson 1927, Kish 1965). A
        calibration error is larger by its rows' noise, and that of a resample by its own on top: both are taken off,
        and where chance alone explains it the interval begins at 0.
        """
        if key not in self.drawn or not np.isfinite(self.values[key]):
            return np.nan, np.nan
        low, high, mean = self._spans[key]
        if np.isnan(mean):
            return np.nan, np.nan
        # Sums of weights are equal but for their rounding.
        if high - low < 1e-9 and key in self.proportions:
            return wilson(*self.proportions[key])
        noise = {"expected_calibration_error": 2} | dict.fromkeys(RANKING_METRICS, 1)
        if times := noise.get(key[1]):
            low, high = np.clip(np.array([low, high]) + times * (self.values[key] - mean), 0, 1)
        if key == ("", "expected_calibration_error") and self.by_chance >= 0.05:
            low = 0.0
        return float(low), float(high)

    @cached_property
    def _spans(self) -> dict[Key, tuple[float, float, float]]:
        """The two quantiles and the mean of each score's resamples; NaN of what none of them knows."""
        known = {key: own[np.isfinite(own)] for key, own in self.drawn.items()}
        spans = dict.fromkeys(known, (np.nan, np.nan, np.nan))
        # Those of as many resamples at once, as nearly all are: one by one they would take four times as long.
        for size in {own.size for own in known.values()} - {0}:
            keys = [key for key, own in known.items() if own.size == size]
            drawn = np.stack([known[key] for key in keys])
            found = [*np.quantile(drawn, (0.025, 0.975), axis=1), drawn.mean(1)]
            spans |= dict(zip(keys, np.stack(found, axis=1).tolist(), strict=True))
        return spans


def resampled_scores(
    y: np.ndarray,
    p: np.ndarray,
    classes: list[str],
    resamples: int = RESAMPLES,
    groups: int = 0,
    weight: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> dict[Key, np.ndarray]:
    """Every score of each resample, (R,); the same rows are drawn for the same number of rows.

    Without `groups` the ranking metrics are left out, see `row_statistics`. Rows of one `group` (N,) are drawn
    together, since they are not independent; rows of weight 0 are not drawn.
    """
    rows, weight = counted(weight)
    statistics = row_statistics(y[rows], p[rows], groups, weight)
    drawn = resampled_sums(statistics, resamples, None if group is None else group[rows])
    parts = [scores_of_sums(sums, classes) for sums in drawn]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def resampled_sums(
    statistics: sparse.csr_array | np.ndarray, resamples: int, group: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Sums of the rows of (N, S) in each resample, in parts (r, S)."""
    statistics = of_units(statistics, group, np.random.default_rng([_SEED, 1]))
    N = statistics.shape[0]
    transposed = statistics.T
    # Of many classes there are more sums than rows.
    size = max(1, CHUNK // max(statistics.shape))
    for counts in _all_counts(N, resamples):
        for start in range(0, counts.shape[1], size):
            yield np.asarray(transposed @ counts[:, start : start + size]).T


def _all_counts(n_units: int, resamples: int) -> Iterator[np.ndarray]:
    size = max(1, CHUNK // n_units)
    if size >= resamples:
        yield _counts(n_units, resamples)
        return
    rng = np.random.default_rng(_SEED)
    for start in range(0, resamples, size):
        yield _drawn_counts(rng, n_units, min(size, resamples - start))


@lru_cache(maxsize=2)
def _counts(n_units: int, resamples: int) -> np.ndarray:
    """Those of all resamples of few rows, which every classifier scored on the validation and the test fold meets."""
    return _drawn_counts(np.random.default_rng(_SEED), n_units, resamples)


def _drawn_counts(rng: np.random.Generator, n_units: int, resamples: int) -> np.ndarray:
    """How often each resample holds each row or group, (n_units, resamples) float32."""
    counts = np.empty((n_units, resamples), np.float32)
    # Some resamples at a time: one by one takes five times as long, and counts of all would leave the cache.
    size = max(1, DRAWN // n_units)
    for start in range(0, resamples, size):
        own = counts[:, start : start + size]
        drawn = rng.integers(n_units, size=own.shape[::-1], dtype=np.int32)
        drawn += n_units * np.arange(len(drawn), dtype=np.int32)[:, None]
        own[:] = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).T
    return counts


def of_units(
    statistics: sparse.csr_array | np.ndarray, group: np.ndarray | None, rng: np.random.Generator
) -> sparse.csr_array | np.ndarray:
    """Sums of the rows of (N, S) over what is drawn together: a row, a group, random groups of very many of these."""
    N = statistics.shape[0]
    unit = np.arange(N) if group is None else np.unique(group, return_inverse=True)[1]
    n_units = int(unit.max()) + 1
    if n_units > UNITS:
        unit, n_units = (rng.permutation(n_units) % UNITS)[unit], UNITS
    if n_units == N:
        return statistics
    return sparse.csr_array((np.ones(N, np.float32), (unit, np.arange(N))), shape=(n_units, N)) @ statistics


def paired_interval(first: np.ndarray, second: np.ndarray) -> Interval:
    """The 95 % interval of first - second, from two classifiers' scores on the same resamples (R,)."""
    difference = first - second
    low, high = np.quantile(difference[np.isfinite(difference)], (0.025, 0.975))
    return float(low), float(high)


def member_spreads(
    y: np.ndarray, members: np.ndarray, classes: list[str], weight: np.ndarray | None = None
) -> dict[Key, Interval]:
    """Mean and standard deviation of each score over members (M, N, C); of one member the latter is NaN."""
    rows, weight = counted(weight)
    y, members = y[rows], members[:, rows]
    sums = np.stack([summed_statistics(y, own, GROUPS_OF_MEMBERS, weight) for own in members])
    return {
        key: (float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else np.nan)
        for key, values in scores_of_sums(sums, classes).items()
    }


def calibration_p_value(
    y: np.ndarray, p: np.ndarray, resamples: int = RESAMPLES, weight: np.ndarray | None = None
) -> float:
    """How often a calibrated classifier with these probabilities would show so large a calibration error.

    A consistency resampling (Bröcker and Smith 2007): hits drawn from the probabilities themselves; of many rows
    their sums, which are normal. A row's hit counts by its weight.
    """
    rows, weight = counted(weight)
    y, p = y[rows], p[rows]
    rng, confidence, position = np.random.default_rng(_SEED), p.max(1).astype(np.float64), calibration_bins(p)
    if len(y) > UNITS:
        counts = 1.0 if weight is None else weight**2
        variance = np.bincount(position, counts * confidence * (1 - confidence), minlength=BINS)
        drawn = np.abs(rng.standard_normal((resamples, BINS)) * np.sqrt(variance)).sum(1)
    else:
        belongs = (position[:, None] == np.arange(BINS)) * (
            np.float32(1) if weight is None else weight[:, None]
        )
        expected = confidence @ belongs
        size = max(1, CHUNK // len(y))
        drawn = np.concatenate(
            [
                np.abs(
                    (rng.random((min(size, resamples - start), len(y))) < confidence) @ belongs - expected
                ).sum(1)
                for start in range(0, resamples, size)
            ]
        )
    # What was seen counts as reached whatever rounding made of it.
    reached = (drawn / len(y) >= calibration_error(y, p, weight) - 1e-9).sum()
    return float((1 + reached) / (1 + resamples))


def effective_size(among: np.ndarray, weight: np.ndarray | None, group: np.ndarray | None) -> float:
    """As many rows of equal weight, each alone, as tell of a share what some (a mask, (N,)) weighted rows do.

    That is (Σ w)² / Σ w² (Kish 1965), of a group's summed weight where its rows are drawn together.
    """
    own = among.astype(np.float64) if weight is None else weight * among
    if group is not None:
        own = np.bincount(np.unique(group, return_inverse=True)[1], own)
    squares = float((own**2).sum())
    return float(own.sum()) ** 2 / squares if squares else 0.0


def wilson(successes: float, trials: float) -> Interval:
    """Wilson's 95 % interval of a proportion (Wilson 1927); everything is possible without a trial.

    Of weighted rows the number of trials is their `effective_size`, which is no whole number, as in surveys (Franco et
    al. 2019).
    """
    if not trials:
        return 0.0, 1.0
    share = successes / trials
    z = float(ndtri(0.975))
    middle = share + z**2 / (2 * trials)
    half = z * np.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    low, high = ((middle + side * half) / (1 + z**2 / trials) for side in (-1, 1))
    # Rounding leaves no share outside of its own interval.
    return float(min(max(low, 0.0), share)), float(max(min(high, 1.0), share))
