"""The champion's loss on new rows against that at its promotion.

Shapes: n rows then, m rows now.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

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


def score_change(then: np.ndarray, now: np.ndarray) -> ScoreChange | None:
    """Compare losses of rows (n,) then and others (m,) now (Welch 1947); None of too few rows."""
    if min(len(then), len(now)) < LEAST:
        return None
    error = float(np.sqrt(then.var(ddof=1) / len(then) + now.var(ddof=1) / len(now)))
    difference = float(now.mean() - then.mean())
    p_value = float(norm.sf(difference / error)) if error > 0 else float(difference <= 0)
    half = float(norm.ppf(0.975)) * error
    return ScoreChange(
        float(then.mean()),
        float(now.mean()),
        difference - half,
        difference + half,
        p_value,
        len(then),
        len(now),
    )
