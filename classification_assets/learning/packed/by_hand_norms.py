"""Normalizations whose gradient is written by hand. Shapes: K members, H units, B rows."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from classification_assets.learning.packed.by_hand_layer import InnerLayer
from classification_assets.learning.packed.flat import FlatParameters
from classification_assets.learning.packed.networks.layers import PackedBatchNorm, PackedLayerNorm

aten = torch.ops.aten

_ROWS_AT_ONCE = 4
"""Rows of a matrix that its product with a vector takes at one time; a rest is computed in another way."""


class BatchNorm(InnerLayer):
    """PyTorch's own backward; its forward takes twice as long as the few operations that it stands for."""

    def __init__(self, layer: PackedBatchNorm, flat: FlatParameters) -> None:
        self.momentum, self.eps = layer.momentum, layer.eps
        self.weight, self.bias = layer.weight.unsqueeze(2), layer.bias.unsqueeze(2)
        self.running_mean, self.running_var = layer.running_mean.view(-1), layer.running_var.view(-1)
        self.to_weight, self.to_bias = (flat.gradient_of(of).view(-1) for of in (layer.weight, layer.bias))
        self.mean, self.zeros = torch.empty_like(self.to_bias), torch.zeros_like(self.to_bias)
        self.least = torch.full_like(self.bias, self.eps)

    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        B, momentum = h.shape[2], self.momentum
        _row_sums(h, 1 / B, out=self.mean)
        self.running_mean.lerp_(self.mean, momentum)
        self.centered = h.sub_(self.mean.view_as(self.bias))
        squares = torch.linalg.vector_norm(h, dim=2, keepdim=True).square_()
        self.running_var.mul_(1 - momentum).add_(squares.view(-1), alpha=momentum / max(B - 1, 1))
        self.scale = torch.add(self.least, squares, alpha=1 / B).rsqrt_()
        # Two operations, since addcmul with two operands to broadcast takes three times as long.
        return torch.mul(h, self.scale * self.weight).add_(self.bias)

    def backward(self, g: Tensor, first: bool) -> Tensor:
        below, weight, bias = aten.native_batch_norm_backward(
            g.view(1, -1, g.shape[2]),
            self.centered.view(1, -1, g.shape[2]),
            self.weight.view(-1),
            None,
            None,
            # The mean of what is centered.
            self.zeros,
            self.scale.view(-1),
            True,
            self.eps,
            [True, True, True],
        )
        self.to_weight.copy_(weight)
        self.to_bias.copy_(bias)
        return below.view(g.shape)


class LayerNorm(InnerLayer):
    def __init__(self, layer: PackedLayerNorm, flat: FlatParameters) -> None:
        self.layer = layer
        self.to_weight, self.to_bias = flat.gradient_of(layer.weight), flat.gradient_of(layer.bias)

    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        centered = h - h.mean(1, keepdim=True)
        self.scale = (centered.square().mean(1, keepdim=True) + self.layer.eps).rsqrt()
        self.normalized = centered.mul_(self.scale)
        return (self.normalized * self.layer.weight).add_(self.layer.bias)

    def backward(self, g: Tensor, first: bool) -> Tensor:
        torch.sum(g, 2, keepdim=True, out=self.to_bias)
        torch.sum(g * self.normalized, 2, keepdim=True, out=self.to_weight)
        g = g * self.layer.weight
        along = (g * self.normalized).mean(1, keepdim=True)
        return (g - g.mean(1, keepdim=True) - self.normalized * along).mul_(self.scale)


@lru_cache(maxsize=8)
def _all(number: float, n: int, device: torch.device) -> Tensor:
    return torch.full((n,), number, dtype=torch.float32, device=device)


def _row_sums(h: Tensor, factor: float, out: Tensor) -> None:
    """Sums over the rows of h (K, H, B), times a factor, into `out` (K·H,)."""
    B = h.shape[2]
    if h.shape[1] % _ROWS_AT_ONCE == 0:
        # A matrix times a vector: on older versions of PyTorch half the time of a sum.
        torch.mv(h.view(-1, B), _all(factor, B, h.device), out=out)
        return
    # There it would round a unit in another way by where in the pack its member stands.
    torch.sum(h.view(-1, B), 1, out=out)
    if factor != 1:
        out.mul_(factor)
