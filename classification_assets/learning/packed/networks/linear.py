"""Linear models of a table's columns and, where these are few, of their products too.

Shapes: K members, N rows, D features, F features and products, C classes.
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from classification_assets.learning.packed.networks.members import PackedNetwork, filled

FEW_FEATURES = 12
"""Features, at most, whose products are features too: D features have some D² / 2 products."""


def with_products(x: Tensor) -> Tensor:
    """Features (..., D) and, where these are few, all their squares and products: (..., F)."""
    D = x.shape[-1]
    if D > FEW_FEATURES:
        return x
    return torch.cat([x, *(x[..., column : column + 1] * x[..., column:] for column in range(D))], -1)


class PackedQuadratic(PackedNetwork):
    """Logits that are linear in features and products. Shape: (K, N, D) to (K, N, C).

    Nothing in it is drawn: it has no seeds.

    Examples
    --------
    >>> PackedQuadratic(4, 3)(torch.zeros(1, 100, 4)).shape
    torch.Size([1, 100, 3])
    """

    kind = "linear"
    seeds = ()

    def __init__(self, n_features: int, n_classes: int, n_members: int = 1) -> None:
        super().__init__()
        F = n_features if n_features > FEW_FEATURES else n_features * (n_features + 3) // 2
        self.weight = nn.Parameter(filled(0, n_members, F, n_classes))
        self.bias = nn.Parameter(filled(0, n_members, 1, n_classes))

    @classmethod
    @torch.no_grad()
    def of_weights(cls, n_features: int, weight: Tensor, bias: Tensor) -> Self:
        """A pack with given weights (K, D or F, C) and biases (K, C), ready to predict."""
        model = cls(n_features, weight.shape[2], len(weight)).to(weight.device)
        model.weight[:, : weight.shape[1]] = weight
        model.bias.copy_(bias.unsqueeze(1))
        return model.eval()

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, with_products(x), self.weight)
