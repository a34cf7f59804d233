"""The champion's loss on new rows against that at its promotion.

Shapes: n rows then, m rows now.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

LEAST = 30
"""New rows with labels with which the mean loss is said to be known: with fewer, it says nothing."""


@dataclass(frozen=True)
class ScoreChange:
    """A mean loss then and now, of different rows.

    Attributes
    ----------
    then, now : float
    low, high : float
        95 % interval of now - then.
    p_value : float
        One-sided: that it is not worse now.
    n_then, n_now : int
    """

    then: float
    now: float
    low: float
    high: float
    p_value: float
    n_then: int
    n_now: int

    @property
    def difference(self) -> float:
        """How much worse it is now."""
        return self.now - self.then

    def sentence(self) -> str:
        """The change in words."""
        return (
            f"the champion's log loss is {self.now:.3f} on {self.n_now:,} new rows, {self.then:.3f} on the "
            f"{self.n_then:,} test rows at its promotion: a difference of {self.difference:+.3f} (95 % interval "
            f"{self.low:+.3f} to {self.high:+.3f})"
        )


def score_change(
    then: np.ndarray,
    now: np.ndarray,
    weight_then: np.ndarray | None = None,
    weight_now: np.ndarray | None = None,
) -> ScoreChange | None:
    """Compare losses of rows (n,) then and others (m,) now (Welch 1947); None of too few rows.

    Where rows have weights, these have a mean of 1.
    """
    if min(len(then), len(now)) < LEAST:
        return None
    mean_then, variance_then = _mean(then, weight_then)
    mean_now, variance_now = _mean(now, weight_now)
    error = float(np.sqrt(variance_then + variance_now))
    difference = mean_now - mean_then
    p_value = float(scipy.stats.norm.sf(difference / error)) if error > 0 else float(difference <= 0)
    half = float(scipy.stats.norm.ppf(0.975)) * error
    return ScoreChange(
        mean_then,
        mean_now,
        difference - half,
        difference + half,
        p_value,
        len(then),
        len(now),
    )


def _mean(losses: np.ndarray, weight: np.ndarray | None) -> tuple[float, float]:
    """The mean of losses (n,), and its variance."""
    n = len(losses)
    if weight is None:
        return float(losses.mean()), float(losses.var(ddof=1) / n)
    mean = np.average(losses, weights=weight)
    return float(mean), float(((weight * (losses - mean)) ** 2).sum() / (n * (n - 1)))
