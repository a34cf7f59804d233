"""Calibrating candidates and choosing among them, by their log loss on rows that they were not trained on.

Shapes: P candidates, N rows, C classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from classification_assets.learning.models.calibration import (
    TEMPERATURE_BOUND,
    common_temperature,
    temperatures,
    true_class,
)

ROUNDS = 15
"""Rounds of the greedy selection."""

BOOTSTRAPS, BOOTSTRAP_ROWS = (10, 40), 10_000
"""Bootstrap samples, at least and at most, and the rows that all of them together should hold.

The selection runs on each: a single one takes the luck of a few rows for merit, the more so the fewer rows there are.
"""


@dataclass(frozen=True)
class Choice:
    """Weights (P,) that sum to 1, most of them 0; temperatures (P,); each candidate's own log loss (P,)."""

    weights: Tensor
    temperatures: Tensor
    losses: Tensor


def choose(logits: Tensor, y: Tensor, weight: Tensor, floor: float, sizes: Tensor, most: int) -> Choice:
    """Calibrate every candidate, blend some, and calibrate the blend.

    Parameters
    ----------
    logits : Tensor (P, N, C)
    y : Tensor (N,) int64
    weight : Tensor (N,)
        With a mean of 1.
    floor : float
        The share of the uniform distribution in the blend.
    sizes : Tensor (P,)
        Networks in each candidate.
    most : int
        Networks in the blend, at most; a single candidate may have more.
    """
    alone = temperatures(logits, y, weight)
    right = true_class(logits, alone, y)
    lowest = floor / logits.shape[2]
    losses = -(right.clamp_min(lowest).log() * weight).mean(1)
    weights = bagged_weights(right, weight, lowest, sizes, most)
    used = weights > 0
    common = common_temperature(logits[used], alone[used], weights[used], y, weight, lowest)
    return Choice(weights, (alone * common).clamp(1 / TEMPERATURE_BOUND, TEMPERATURE_BOUND), losses)


def bagged_weights(right: Tensor, weight: Tensor, lowest: float, sizes: Tensor, most: int) -> Tensor:
    """The mean of the greedy weights on bootstrap samples of the rows, (P,), summing to 1; see `greedy_weights`.

    This keeps the selection from overfitting; Caruana et al. 2004 choose from samples of the candidates instead. Of
    the candidates taken, those with the largest weights stay, as long as they have at most `most` networks together.
    """
    rng, N = np.random.default_rng(0), right.shape[1]
    draws = int(np.clip(BOOTSTRAP_ROWS // max(N, 1), *BOOTSTRAPS))
    samples = (np.bincount(rng.integers(N, size=N), minlength=N) for _ in range(draws))
    total = torch.stack(
        [
            greedy_weights(right, weight * torch.from_numpy(drawn).to(weight), lowest, sizes, most)
            for drawn in samples
        ]
    ).sum(0)
    kept, networks = torch.zeros(len(right), dtype=torch.bool, device="cpu"), 0
    for candidate in total.argsort(descending=True, stable=True).tolist():
        size = int(sizes[candidate])
        if total[candidate] > 0 and (networks + size <= most or not kept.any()):
            kept[candidate] = True
            networks += size
    total = total * kept
    return total / total.sum()


def greedy_weights(right: Tensor, weight: Tensor, lowest: float, sizes: Tensor, most: int) -> Tensor:
    """Each candidate's share of the picks of a greedy selection with replacement, (P,), summing to 1.

    Caruana et al. 2004, "Ensemble Selection from Libraries of Models": each round picks the candidate that lowers
    the blend's log loss most; the best of all rounds' blends is kept.

    Parameters
    ----------
    right : Tensor (P, N)
        Each candidate's probability of each row's class.
    weight : Tensor (N,)
    lowest : float
        Lower bound on probabilities.
    sizes : Tensor (P,)
    most : int
        Bound on the sum of the sizes of those taken, which only the first may pass: each network costs time at
        prediction.
    """
    counts, total = right.new_zeros(len(right)), torch.zeros_like(right[0])
    best, best_loss = counts, math.inf
    for taken in range(1, ROUNDS + 1):
        losses = -(((total + right) / taken).clamp_min(lowest).log() * weight).mean(1)
        there = counts > 0
        if there.any():
            losses[~there & (sizes[there].sum() + sizes > most)] = math.inf
        chosen = int(losses.argmin())
        total = total + right[chosen]
        counts[chosen] += 1
        if float(losses[chosen]) < best_loss:
            best, best_loss = counts.clone(), float(losses[chosen])
    return best / best.sum()
