"""Statistical tests of classifiers on the same rows, and of many classifiers over many data sets."""

from __future__ import annotations

import numpy as np
from scipy.stats import binomtest, friedmanchisquare, studentized_range

SIGNIFICANT = 0.05


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """Exact two-sided p-value that two classifiers, right or wrong (N,) on the same rows, err equally often.

    Only the rows on which they differ tell (McNemar 1947).
    """
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    if only_first + only_second == 0:
        return 1.0
    return float(binomtest(only_first, only_first + only_second).pvalue)


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
        return 1.0 if all_equal else float(friedmanchisquare(*ranks.T).pvalue)
    first, second = ranks.T
    return mcnemar(first < second, second < first)


def nemenyi_difference(n_classifiers: int, n_datasets: int) -> float:
    """The difference of average ranks from which two of K classifiers differ really (Nemenyi 1963, Demšar 2006)."""
    K = n_classifiers
    quantile = studentized_range.ppf(1 - SIGNIFICANT, K, np.inf) / np.sqrt(2)
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
