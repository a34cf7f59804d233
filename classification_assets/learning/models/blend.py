"""Blend: packs of networks whose logits become probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from classification_assets.learning.packed.networks.members import PackedNetwork, filled


class Blend(nn.Module):
    """Probabilities of P packs: p = Σ wᵢ softmax(mean over members of logits / Tᵢ), mixed with uniform by floor.

    Shape: features (N, D) to probabilities (N, C).

    Parameters
    ----------
    packs : sequence of P packed networks
    weights, temperatures : Tensor (P,), optional
        1 / P and 1 by default.
    floor : float
        Share of the uniform distribution.
    """

    def __init__(
        self,
        packs: Sequence[PackedNetwork],
        weights: Tensor | None = None,
        temperatures: Tensor | None = None,
        floor: float = 0.0,
    ) -> None:
        super().__init__()
        self.packs = nn.ModuleList(packs)
        self.weights: Tensor
        self.temperatures: Tensor
        self.floor: Tensor
        P = len(packs)
        self.register_buffer("weights", filled(1 / P, P) if weights is None else weights)
        self.register_buffer("temperatures", filled(1, P) if temperatures is None else temperatures)
        self.register_buffer("floor", filled(floor))

    def networks(self) -> list[PackedNetwork]:
        """The P packs."""
        return list(self.packs)  # type: ignore[arg-type]  # a ModuleList forgets its type

    def forward(self, X: Tensor) -> Tensor:
        return self.blended(self.logits(X))

    def member_probabilities(self, X: Tensor) -> Tensor:
        """Each member's calibrated probabilities, (N, D) to (M, N, C), M members in all."""
        return self.members(self.logits(X))

    def logits(self, X: Tensor) -> list[Tensor]:
        """Each pack's logits (K, N, C) for X (N, D): one forward pass for all that follows."""
        return [pack(X.expand(pack.n_members, -1, -1)) for pack in self.networks()]

    def blended(self, logits: list[Tensor]) -> Tensor:
        """Probabilities (N, C) from the packs' logits."""
        parts = [
            weight * softmax(pack.mean(0) / temperature)
            for pack, weight, temperature in zip(logits, self.weights, self.temperatures, strict=True)
        ]
        blend = torch.stack(parts).sum(0)
        return (1 - self.floor) * blend + self.floor / blend.shape[1]

    def members(self, logits: list[Tensor]) -> Tensor:
        """Probabilities (M, N, C) of every member alone from the packs' logits."""
        return torch.cat(
            [softmax(pack / temperature) for pack, temperature in zip(logits, self.temperatures, strict=True)]
        )


def softmax(logits: Tensor) -> Tensor:
    """Probabilities (..., N, C) of logits (..., N, C), laid out with rows last, as packed networks lay out logits.

    Along a last axis of few classes PyTorch's kernel takes twenty times as long. Along another one its last digits
    would depend on where in a piece of work a row stands, and so on the number of threads: here they do not.
    """
    if torch.jit.is_tracing():
        return logits.softmax(-1)  # an exported file names the operation
    parts = logits.transpose(-1, -2)
    parts = parts - parts.amax(-2, keepdim=True)
    parts = parts.contiguous().exp_()
    return parts.div_(sum_over_classes(parts).unsqueeze(-2)).transpose(-1, -2)


def sum_over_classes(parts: Tensor) -> Tensor:
    """The sum (..., N) of (..., C, N) in the order of the classes, wherever a row stands."""
    total = parts.select(-2, 0).clone()
    for number in range(1, parts.shape[-2]):
        total += parts.select(-2, number)
    return total


def members_disagreement(members: np.ndarray) -> np.ndarray:
    """Mean over members (M, N, C) of the total variation distance to their mean: (N,) float32 in [0, 1]."""
    apart = members - members.mean(0)
    np.abs(apart, out=apart)
    return (apart.swapaxes(1, 2).sum(1) / 2).mean(0).astype(np.float32)
