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
    LIMIT,
    common_temperature,
    temperatures,
    true_class,
)

ROUNDS = 15
"""Of the greedy selection."""

DRAWS, DRAWN = (10, 40), 10_000
"""Draws of rows with replacement, at least and at most, and how many rows these shall be in all.

Each chooses anew: one choice alone takes a few rows' luck for merit, and the fewer they are, the more.
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
        Of how many networks each candidate is.
    most : int
        Networks in the blend; a single candidate may be of more.
    """
    own = temperatures(logits, y, weight)
    right = true_class(logits, own, y)
    lowest = floor / logits.shape[2]
    losses = -(right.clamp_min(lowest).log() * weight).mean(1)
    weights = bagged_weights(right, weight, lowest, sizes, most)
    used = weights > 0
    common = common_temperature(logits[used], own[used], weights[used], y, weight, lowest)
    return Choice(weights, (own * common).clamp(1 / LIMIT, LIMIT), losses)


def bagged_weights(own: Tensor, weight: Tensor, lowest: float, sizes: Tensor, most: int) -> Tensor:
    """The mean of the greedy weights on bootstrap samples of the rows, (P,), summing to 1; see `greedy_weights`.

    That keeps the selection from overfitting, as Caruana et al. 2004 do by choosing from samples of the candidates.

    Of all candidates taken, those with the largest weights stay that are of no more than `most` networks together.
    """
    rng, N = np.random.default_rng(0), own.shape[1]
    draws = int(np.clip(DRAWN // max(N, 1), *DRAWS))
    samples = (np.bincount(rng.integers(N, size=N), minlength=N) for _ in range(draws))
    total = torch.stack(
        [
            greedy_weights(own, weight * torch.from_numpy(drawn).to(weight), lowest, sizes, most)
            for drawn in samples
        ]
    ).sum(0)
    kept, networks = torch.zeros(len(own), dtype=torch.bool), 0
    for candidate in total.argsort(descending=True, stable=True).tolist():
        size = int(sizes[candidate])
        if total[candidate] > 0 and (networks + size <= most or not kept.any()):
            kept[candidate] = True
            networks += size
    total = total * kept
    return total / total.sum()


def greedy_weights(own: Tensor, weight: Tensor, lowest: float, sizes: Tensor, most: int) -> Tensor:
    """How often a greedy selection with replacement takes each candidate, (P,), summing to 1.

    Caruana et al. 2004, "Ensemble Selection from Libraries of Models": in each round the candidate that lowers
    the blend's log loss most; of all rounds' blends the best is kept.

    Parameters
    ----------
    own : Tensor (P, N)
        Probabilities of each row's own class.
    weight : Tensor (N,)
    lowest : float
        Below which no probability falls.
    sizes : Tensor (P,)
    most : int
        A candidate with which the sizes would sum to more is not taken, but as the first: who predicts pays for each.
    """
    counts, total = torch.zeros(len(own)), torch.zeros_like(own[0])
    best, best_loss = counts, math.inf
    for taken in range(1, ROUNDS + 1):
        losses = -(((total + own) / taken).clamp_min(lowest).log() * weight).mean(1)
        there = counts > 0
        if there.any():
            losses[~there & (sizes[there].sum() + sizes > most)] = math.inf
        chosen = int(losses.argmin())
        total = total + own[chosen]
        counts[chosen] += 1
        if float(losses[chosen]) < best_loss:
            best, best_loss = counts.clone(), float(losses[chosen])
    return best / best.sum()
