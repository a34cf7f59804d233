"""How good the best of many really is: the optimism of having looked at all of them, and the finalists."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from classification_assets.learning.evaluation.bounds import LOWER_IS_BETTER
from classification_assets.learning.seeds import SELECTED
from classification_assets.learning.sweeps.judge import Judge

RESAMPLES = 500
"""Resamples of the rows that judge."""

CONSIDERED = 200
"""Configurations, the best ones, among which a resample may choose: one further down would hardly ever be its best."""


def corrected(judge: Judge, probabilities: Mapping[int, np.ndarray], seed: int) -> float:
    """The score that the best of some configurations may be expected to have on new rows.

    Bootstrap bias corrected cross-validation (Tsamardinos, Greasidou and Borboudakis 2018): in each resample of the
    rows the best configuration is chosen anew, and scored on the rows that the resample has left out. The mean of these
    scores is free of the optimism of the choice, and a little pessimistic, since each choice has fewer rows.

    Parameters
    ----------
    judge : Judge
    probabilities : mapping of int to array (V, C)
        Of the configurations that could be chosen, on the rows that judge.
    seed : int

    Returns
    -------
    float
        NaN if no resample can be scored.
    """
    if len(probabilities) == 1:
        # Nothing was chosen.
        return judge.score(list(probabilities.values()))
    indices = sorted(probabilities)
    rng = np.random.default_rng([seed, SELECTED])
    V = len(judge.y)
    counts = rng.multinomial(V, np.full(V, 1 / V), RESAMPLES).astype(np.float32)
    left_out = (counts == 0).astype(np.float32)
    chosen_by, scored_by = (np.empty((len(indices), RESAMPLES)) for _ in range(2))
    for row, index in enumerate(indices):
        chosen_by[row] = judge.resampled(probabilities[index], counts)
        scored_by[row] = judge.resampled(probabilities[index], left_out)
    sign = 1 if judge.metric in LOWER_IS_BETTER else -1
    # A resample without a row left out, or without one of a class, cannot be scored.
    losses = np.where(np.isnan(chosen_by), np.inf, sign * chosen_by)
    winners = losses.argmin(0)
    outcome = scored_by[winners, np.arange(RESAMPLES)]
    return float(np.nanmean(outcome)) if np.isfinite(outcome).any() else np.nan


def optimism(metric: str, best: float, expected: float) -> float:
    """By how much a best score is better than what is expected of it, in the metric's unit; never below 0."""
    better = expected - best if metric in LOWER_IS_BETTER else best - expected
    return max(0.0, better) if np.isfinite(better) else 0.0
