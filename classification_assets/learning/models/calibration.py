"""Temperatures that calibrate probabilities (Guo et al. 2017), and the probabilities that they give.

Shapes: P candidates, N rows, C classes.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn.functional import cross_entropy

from classification_assets.learning.models.blend import softmax, sum_over_classes

TEMPERATURE_BOUND = 20.0
"""Bound on temperatures and on their inverses."""

_NEWTON_STEPS = 12


def temperature(logits: Tensor, y: Tensor, weight: Tensor | None = None) -> float:
    """The temperature in [1/20, 20] with the lowest log loss of logits (N, C), whose rows have the weights (N,).

    A prior of (2 / N) log² keeps a small fold without a single error from asking for certainty; N counts rows
    whose weight is above 0. The temperature is never worse than 1 on these rows, and is 1 without rows.
    """
    if weight is not None:
        logits, y, weight = logits[weight > 0], y[weight > 0], weight[weight > 0].double()
    if len(y) == 0:
        return 1.0
    scores, labels = logits.double(), y.long()
    share = torch.full_like(scores[:, 0], 1 / len(y)) if weight is None else weight / weight.sum()

    def loss(log_temperature: float) -> float:
        losses = cross_entropy(scores / np.exp(log_temperature), labels, reduction="none")
        return (losses * share).sum().item() + 2 / len(labels) * log_temperature**2

    limit = np.log(TEMPERATURE_BOUND)
    found = minimize_scalar(loss, bounds=(-limit, limit), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0


def temperatures(logits: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """The temperature (P,) in [1/20, 20] of each candidate with the lowest log loss (Guo et al. 2017).

    A prior of (2 / N) log² keeps few rows without a single error from asking for certainty.

    Parameters
    ----------
    logits : Tensor (P, N, C)
    y : Tensor (N,) int64
    weight : Tensor (N,)
        With a mean of 1.
    """
    P, N, _ = logits.shape
    share, prior = weight / max(N, 1), 4 / max(N, 1)
    of_label = logits.gather(2, y.expand(P, N).unsqueeze(2)).squeeze(2)
    by_class = logits.transpose(1, 2).contiguous()  # sums over a last axis of few classes take much longer
    log_b = torch.zeros(P, dtype=logits.dtype, device=logits.device)
    for _ in range(_NEWTON_STEPS):
        # The loss as a function of b = 1 / T is convex; its derivatives are a mean and a variance of logits.
        b = log_b.exp()
        p = softmax(logits * b.view(P, 1, 1)).transpose(1, 2)
        mean = sum_over_classes(p * by_class)
        variance = (sum_over_classes(p * by_class.square()) - mean.square()).clamp_min(0)
        slope = b * ((mean - of_label) * share).sum(1)
        gradient = slope + prior * log_b
        curvature = b.square() * (variance * share).sum(1) + slope.clamp_min(0) + prior
        log_b = (log_b - (gradient / curvature.clamp_min(1e-12)).clamp(-1, 1)).clamp(
            -math.log(TEMPERATURE_BOUND), math.log(TEMPERATURE_BOUND)
        )
    return (-log_b).exp()


def true_class(logits: Tensor, temperature: Tensor, y: Tensor) -> Tensor:
    """Each candidate's calibrated probability (P, N) of each row's class."""
    p = softmax(logits / temperature.view(-1, 1, 1))
    return p.gather(2, y.expand(logits.shape[:2]).unsqueeze(2)).squeeze(2)


def common_temperature(
    logits: Tensor, temperatures: Tensor, weights: Tensor, y: Tensor, weight: Tensor, lowest: float
) -> float:
    """The factor on the candidates' temperatures (P,) that gives their blend the lowest log loss."""

    def loss(log_factor: float) -> float:
        right = (true_class(logits, temperatures * math.exp(log_factor), y) * weights.unsqueeze(1)).sum(0)
        return float(-(right.clamp_min(lowest).log() * weight).mean()) + 2 / len(y) * log_factor**2

    found = minimize_scalar(loss, bounds=(-0.5, 0.5), method="bounded", options={"xatol": 5e-3})
    return math.exp(found.x) if found.fun < loss(0.0) else 1.0
