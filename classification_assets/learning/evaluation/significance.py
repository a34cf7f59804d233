"""Statistical tests of classifiers on the same rows, and of many classifiers over many data sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import scipy
from scipy import sparse

from classification_assets.learning.evaluation.metrics import scores_of_sums
from classification_assets.learning.evaluation.resampling import CHUNK, of_units

SIGNIFICANT = 0.05

_SEED = 1


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """Exact two-sided p-value that two classifiers, right or wrong (N,) on the same rows, err equally often.

    Only the rows on which they differ tell (McNemar 1947).
    """
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    if only_first + only_second == 0:
        return 1.0
    return float(scipy.stats.binomtest(only_first, only_first + only_second).pvalue)


def randomization(
    statistics: Mapping[str, sparse.csr_array],
    classes: list[str],
    metrics: Sequence[str],
    rounds: int,
    group: np.ndarray | None = None,
) -> dict[tuple[str, str, str], float]:
    """Two-sided p-value of each metric and pair of classifiers that were given the same rows.

    If two classifiers are equally good, whose prediction is whose does not matter: how often is the difference
    of their scores as large when the two predictions of each row change places at random? (Approximate
    randomization: Noreen 1989; Yeh 2000.) Nothing is assumed of the scores, and small folds are no exception.

    Parameters
    ----------
    statistics : mapping of a classifier's name to its `metrics.row_statistics` (N, S)
    classes : names of the classes
    metrics : overall scores that follow from the statistics
    rounds : int
        The smallest p-value is 1 / (rounds + 1).
    group : array (N,), optional
        Rows of one group change places together.

    Returns
    -------
    P-values by metric, first and second classifier, in the order of `statistics`.
    """
    units = {name: of_units(own, group, np.random.default_rng(_SEED)).T for name, own in statistics.items()}
    totals = {name: np.asarray(own.sum(1)) for name, own in units.items()}
    pairs, rng = list(combinations(units, 2)), np.random.default_rng(_SEED)

    def differences(first: str, second: str, parts: Mapping[str, np.ndarray]) -> Iterator[np.ndarray]:
        """The difference of each metric in every round (r,); `parts` (r, S) of the statistics have changed places."""
        moved = parts[first] - parts[second]
        one = scores_of_sums(totals[first] - moved, classes)
        other = scores_of_sums(totals[second] + moved, classes)
        return (np.abs(one["", metric] - other["", metric]) for metric in metrics)

    nothing = {name: np.zeros((1, len(total)), np.float32) for name, total in totals.items()}
    seen = {pair: [float(own[0]) for own in differences(*pair, nothing)] for pair in pairs}
    # What was seen counts as one of the rounds.
    reached = {pair: [1] * len(metrics) for pair in pairs}
    S, n_units = next(iter(units.values())).shape
    size = max(1, CHUNK // max(S, n_units))
    for start in range(0, rounds, size):
        swapped = (rng.random((n_units, min(size, rounds - start)), np.float32) < 0.5).astype(np.float32)
        parts = {name: np.asarray(own @ swapped).T for name, own in units.items()}
        for pair in pairs:
            for place, found in enumerate(differences(*pair, parts)):
                # Sums are of single precision: what is equal but for its rounding is as large.
                reached[pair][place] += int((found >= seen[pair][place] - 1e-6).sum())
    return {
        (metric, *pair): count / (rounds + 1)
        for pair in pairs
        for metric, count in zip(metrics, reached[pair], strict=True)
    }


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values (M,) that keep the chance of any false discovery among the M below the level (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted


def friedman(ranks: np.ndarray) -> float:
    """P-value that K classifiers rank equally over E data sets; ranks are (E, K) (Friedman 1937).

    Two classifiers, for which the test is not defined, get the exact sign test.
    """
    if ranks.shape[1] > 2:
        all_equal = (ranks == ranks[:, :1]).all()
        return 1.0 if all_equal else float(scipy.stats.friedmanchisquare(*ranks.T).pvalue)
    first, second = ranks.T
    return mcnemar(first < second, second < first)


def nemenyi_difference(n_classifiers: int, n_datasets: int) -> float:
    """The difference of average ranks from which two of K classifiers differ really (Nemenyi 1963, Demšar 2006)."""
    K = n_classifiers
    quantile = scipy.stats.studentized_range.ppf(1 - SIGNIFICANT, K, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(K * (K + 1) / (6 * n_datasets)))


def joined(ranks: np.ndarray, difference: float) -> list[list[int]]:
    """The largest groups of classifiers whose average ranks (K,) lie closer together than the difference."""
    order = np.argsort(ranks, kind="stable")
    groups: list[list[int]] = []
    end = 0
    for start in range(len(order)):
        last = start
        while last + 1 < len(order) and ranks[order[last + 1]] - ranks[order[start]] < difference:
            last += 1
        if last > start and last + 1 > end:
            groups.append(order[start : last + 1].tolist())
            end = last + 1
    return groups
