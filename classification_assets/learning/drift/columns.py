"""One column in two tables: the test that fits its kind, and how large the difference is.

Shapes: n reference values, m current ones, B bins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy

from classification_assets.learning.tables.coercion import as_category, numbers, timestamps_of, truths
from classification_assets.learning.tables.roles import ColumnKind

FEW = 30
"""Different numbers up to which they are compared by their counts: between ties the KS test says too little."""

BINS = 10
"""Bins of the population stability index, by the reference's quantiles: one wild value fills no bin of its own."""

WORDS = 50
"""Different words that are compared one by one, at most; all others count as one."""

EXPECTED = 5.0
"""Rows that a cell must lead to expect, below which words are counted together (Cochran 1954)."""

EXACT = 1_000
"""Rows of the smaller side up to which tests are exact, or as good as that by drawing: approximations promise too much
in the far tails that Holm's correction looks at."""

DRAWS = 10_000


@dataclass(frozen=True)
class Difference:
    """A difference of a column between two tables.

    Attributes
    ----------
    test : str
        Its name, as it is to be read.
    p_value : float
        That both are drawn from one distribution; 1 where there is nothing to compare.
    effect : float
        0 (the same) to 1 (nothing in common).
    psi, psi_error : float
        Population stability index less what chance alone is expected to add, and its standard error; NaN of gaps.
    told : str
        The change in words.
    wasserstein : float
        Of numbers: how far they have moved, in the reference's interquartile ranges; NaN of others.
    jensen_shannon : float
        Of what is counted: the distance of the shares, 0 to 1 (Lin 1991); NaN of others.
    """

    test: str
    p_value: float
    effect: float
    psi: float = np.nan
    psi_error: float = np.nan
    told: str = ""
    wasserstein: float = np.nan
    jensen_shannon: float = np.nan


def differences(reference: pa.Array, current: pa.Array, kind: ColumnKind) -> Iterator[tuple[str, Difference]]:
    """Comparisons of a column: of its gaps, where there are some, and of its values.

    Raises
    ------
    ValueError
        If a value is not of the column's kind.
    """
    filled = [_filled(column) for column in (reference, current)]
    if any(len(one) < len(column) for one, column in zip(filled, (reference, current), strict=True)):
        yield "gaps", gaps(len(reference), len(filled[0]), len(current), len(filled[1]))
    if not all(len(one) for one in filled):
        return
    if kind == "boolean":
        shares = [np.asarray(truths(one, "value")) for one in filled]
        sides = [{"true": int((own == 1).sum()), "false": int((own == 0).sum())} for own in shares]
        yield "values", words(*sides)
        return
    if kind == "categorical":
        yield "values", words(word_counts(filled[0]), word_counts(filled[1]))
        return
    before, now = (_numbers(one, kind) for one in filled)
    yield "values", values(before, now, dates=kind == "date")


def gaps(n: int, n_filled: int, m: int, m_filled: int) -> Difference:
    """Whether the share of gaps differs: Fisher's exact test (Fisher 1922), of many rows the chi-square test."""
    table = np.array([[n - n_filled, n_filled], [m - m_filled, m_filled]])
    shares = table[:, 0] / np.maximum(table.sum(1), 1)
    p_value = 1.0
    if n and m and table[:, 0].any() and table[:, 1].any():
        small = min(n, m) <= EXACT
        p_value = (
            scipy.stats.fisher_exact(table).pvalue
            if small
            else scipy.stats.chi2_contingency(table, correction=False).pvalue
        )
    told = f"gaps {100 * shares[0]:.1f} % → {100 * shares[1]:.1f} %"
    return Difference("share of gaps", float(p_value), float(abs(shares[1] - shares[0])), told=told)


def values(reference: np.ndarray, current: np.ndarray, dates: bool = False) -> Difference:
    """Numbers: the Kolmogorov-Smirnov test, of few different ones the chi-square test of their counts."""
    both = reference, current
    told = f"median {_told(np.median(reference), dates)} → {_told(np.median(current), dates)}"
    moved = wasserstein(reference, current)
    if len(np.unique(np.concatenate([own[:EXACT] for own in both]))) <= FEW:
        different = np.unique(np.concatenate(both))
        if len(different) <= FEW:
            counts = [np.bincount(np.searchsorted(different, own), minlength=len(different)) for own in both]
            return replace(counted(np.array(counts, float)), told=told, wasserstein=moved)
    exact = min(map(len, both)) <= EXACT
    found = scipy.stats.ks_2samp(*both, method="exact" if exact else "asymp")
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = [np.bincount(np.searchsorted(edges, own, side="left"), minlength=len(edges) + 1) for own in both]
    p_value, effect = float(found.pvalue), float(found.statistic)
    return Difference("Kolmogorov-Smirnov", p_value, effect, *stability(*bins), told, moved)


def wasserstein(reference: np.ndarray, current: np.ndarray) -> float:
    """Mean distance of the quantiles of numbers (n,) and (m,), of the middle 99 %, in interquartile ranges.

    One wild value moves neither; where the range is 0, the standard deviation takes its place.
    """
    levels = np.linspace(0.005, 0.995, 199)
    first, second = np.quantile(reference, levels), np.quantile(current, levels)
    width = np.subtract(*np.quantile(reference, (0.75, 0.25))) or reference.std()
    return float(np.abs(first - second).mean() / width) if width > 0 else np.nan


def words(reference: dict[str, int], current: dict[str, int]) -> Difference:
    """Words: the chi-square test of their counts.

    Of many different words, those that one half of the reference does not have are counted together, in its other half
    and in the current rows: a vocabulary that is never seen whole is no drift, and one that was exchanged is.
    """
    if len(reference) <= WORDS:
        known, other = reference, reference
    else:
        known, other = _halves(reference)
    common = sorted(known, key=lambda word: (-known[word], word))[:WORDS]
    counts = []
    for own in (other, current):
        there = [own.get(word, 0) for word in common]
        unknown = sum(count for word, count in own.items() if word not in known)
        counts.append([*there, sum(own.values()) - sum(there) - unknown, unknown])
    table = np.array(counts, float)
    return replace(counted(table[:, table.sum(0) > 0]), told=_changes(reference, current))


def _halves(counts: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """The rows of some words, dealt into two halves."""
    whole = np.array(list(counts.values()), np.int64)
    first = np.random.default_rng(0).multivariate_hypergeometric(
        whole, int(whole.sum()) // 2, method="marginals"
    )
    one, other = (
        {word: int(n) for word, n in zip(counts, own, strict=True) if n} for own in (first, whole - first)
    )
    return one, other


def counted(counts: np.ndarray) -> Difference:
    """Counts (2, B) of the same things in two tables, those too rare for the test's approximation together."""
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    found = Difference(
        "chi-square",
        1.0,
        float(np.abs(shares[0] - shares[1]).sum() / 2),
        *stability(*counts),
        jensen_shannon=float(np.nan_to_num(scipy.spatial.distance.jensenshannon(*shares, base=2))),
    )
    rare = counts.sum(0) / counts.sum() * counts.sum(1).min() < EXPECTED
    kept = np.column_stack([counts[:, ~rare], counts[:, rare].sum(1)]) if rare.any() else counts
    kept = kept[:, kept.sum(0) > 0]
    if kept.shape[1] > 1 and (kept.sum(0) / kept.sum() * counts.sum(1).min())[-1] < EXPECTED and rare.any():
        # Even together they are too rare: they go to the most common one, which changes least by it.
        most = int(kept[:, :-1].sum(0).argmax())
        kept[:, most] += kept[:, -1]
        kept = kept[:, :-1]
    return found if kept.shape[1] < 2 else replace(found, p_value=_chi_square(kept))


def _chi_square(counts: np.ndarray) -> float:
    """P-value of counts (2, B); with few rows by drawing tables of the same margins (Patefield 1981)."""
    found = scipy.stats.chi2_contingency(counts, correction=False)
    whole = np.rint(counts).astype(np.int64)
    small = int(whole.sum(1).argmin())
    if whole[small].sum() > EXACT:
        return float(found.pvalue)
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_hypergeometric(whole.sum(0), int(whole[small].sum()), DRAWS)
    expected = found.expected_freq
    statistics = ((drawn - expected[small]) ** 2 / expected[small]).sum(1)
    statistics += ((drawn - expected[small]) ** 2 / expected[1 - small]).sum(1)
    reached = int((statistics >= found.statistic - 1e-9).sum())
    p_value = (1 + reached) / (1 + DRAWS)
    return p_value if reached else min(p_value, float(found.pvalue))


def stability(reference: np.ndarray, current: np.ndarray) -> tuple[float, float]:
    """Population stability index of counts (B,), less its expectation under chance, and its standard error.

    Under chance its mean is (B - 1)(1/n + 1/m), and its variance twice that times (1/n + 1/m) (Yurdakul and Naranjo
    2020); where shares differ, the delta method adds to it. Half a row is added to each cell, so that none is empty.
    """
    B, n, m = len(reference), reference.sum(), current.sum()
    p, q = (reference + 0.5) / (n + B / 2), (current + 0.5) / (m + B / 2)
    ratio, scale = np.log(q / p), 1 / n + 1 / m
    by_chance = (B - 1) * scale
    slope_p, slope_q = -ratio + 1 - q / p, ratio + 1 - p / q
    variance = (p @ slope_p**2 - (p @ slope_p) ** 2) / n + (q @ slope_q**2 - (q @ slope_q) ** 2) / m
    index = float(((q - p) * ratio).sum())
    return max(0.0, index - by_chance), float(np.sqrt(max(variance, 0.0) + 2 * by_chance * scale))


def _changes(reference: dict[str, int], current: dict[str, int], most: int = 3) -> str:
    n, m = max(sum(reference.values()), 1), max(sum(current.values()), 1)
    moved = {word: current.get(word, 0) / m - reference.get(word, 0) / n for word in {*reference, *current}}
    first = sorted(moved, key=lambda word: (-abs(moved[word]), word))[:most]
    return ", ".join(
        f"{word[:30]} {100 * reference.get(word, 0) / n:.1f} % → {100 * current.get(word, 0) / m:.1f} %"
        for word in first
    )


def _told(value: float, dates: bool) -> str:
    return str(np.datetime64(int(value), "us").astype("datetime64[s]")) if dates else f"{value:.4g}"


def _filled(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.filter(pc.invert(pc.is_null(column, nan_is_null=True)))


def word_counts(column: pa.Array) -> dict[str, int]:
    """How often each value is there, written as one word however a file writes it; gaps are left out."""
    counts: dict[str, int] = {}
    for entry in pc.value_counts(column).to_pylist():
        word = as_category(entry["values"])
        if word is not None:
            counts[word] = counts.get(word, 0) + entry["counts"]
    return counts


def _numbers(column: pa.Array, kind: ColumnKind) -> np.ndarray:
    if kind == "date" and not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return np.asarray(timestamps_of(column).cast(pa.timestamp("us")).cast(pa.int64()), float)
    found = np.asarray(numbers(column, "value"), float)
    return found[np.isfinite(found)]
