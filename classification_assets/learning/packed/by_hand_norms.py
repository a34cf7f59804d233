"""Normalizations whose gradient is written by hand. Shapes: K members, H units, B rows."""

from __future__ import annotations

import torch
from torch import Tensor

from classification_assets.learning.packed.by_hand_layer import InnerLayer
from classification_assets.learning.packed.flat import FlatParameters
from classification_assets.learning.packed.networks.layers import PackedBatchNorm, PackedLayerNorm

_ROWS_AT_ONCE = 4
"""Rows of a matrix that its product with a vector takes at one time; a rest is computed in another way."""


class BatchNorm(InnerLayer):
    """Few and simple operations on views made once: on small packs calling PyTorch takes longer than its arithmetic.

    On large packs its own forward takes twice as long, too; its own backward takes as long as this one, and its fresh
    memory costs those around it a tenth of their time: `outputs` holds products, too, while nobody needs the outputs.
    """

    def __init__(self, layer: PackedBatchNorm, flat: FlatParameters) -> None:
        self.momentum, self.eps = layer.momentum, layer.eps
        self.weight, self.bias = layer.weight.unsqueeze(2), layer.bias.unsqueeze(2)
        self.running_mean, self.running_var = layer.running_mean.unsqueeze(2), layer.running_var.unsqueeze(2)
        self.to_weight, self.to_bias = (
            flat.gradient_of(of).unsqueeze(2) for of in (layer.weight, layer.bias)
        )
        self.mean, self.var, self.scale, self.factor, self.along = torch.empty(
            5, *self.bias.shape, device=self.bias.device, dtype=self.bias.dtype
        )
        self.least = torch.full_like(self.bias, self.eps)
        self.h = self.g = self.bias.new_empty(0, 0, 0)

    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        B, freedom = h.shape[2], max(h.shape[2] - 1, 1)
        if h is not self.h:
            self.h, self.outputs = h, torch.empty_like(h)
            self.take_mean = RowSums(h, 1 / B, self.mean)
            self.take_var = RowSums(self.outputs, 1 / freedom, self.var)
            self.take_weight = RowSums(self.outputs, 1, self.to_weight)
        self.take_mean()
        self.running_mean.lerp_(self.mean, self.momentum)
        torch.mul(h.sub_(self.mean), h, out=self.outputs)
        self.take_var()
        self.running_var.lerp_(self.var, self.momentum)
        torch.add(self.least, self.var, alpha=freedom / B, out=self.scale).rsqrt_()
        torch.mul(self.scale, self.weight, out=self.factor)
        # Two operations, since addcmul with two operands to broadcast takes three times as long.
        return torch.mul(h, self.factor, out=self.outputs).add_(self.bias)

    def backward(self, g: Tensor, first: bool) -> Tensor:
        B = g.shape[2]
        if g is not self.g:
            self.g, self.take_bias = g, RowSums(g, 1, self.to_bias)
        self.take_bias()
        torch.mul(g, self.h, out=self.outputs)
        self.take_weight()
        torch.mul(self.to_weight.mul_(self.scale), self.scale, out=self.along)
        g.addcmul_(self.h, self.along, value=-1 / B).sub_(self.to_bias, alpha=1 / B)
        return g.mul_(self.factor)


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


class RowSums:
    """Sums over the rows of h (K, H, B), times a factor, which each call writes into `out` (K, H, 1)."""

    def __init__(self, h: Tensor, factor: float, out: Tensor) -> None:
        K, H, B = h.shape
        self.rows, self.out, self.factor = h.view(K * H, B), out.view(-1), factor
        # A matrix times a vector: on older versions of PyTorch half the time of a sum. With a rest it would round a
        # unit in another way by where in the pack its member stands.
        self.factors = None if H % _ROWS_AT_ONCE else h.new_full((B,), factor)

    def __call__(self) -> None:
        if self.factors is not None:
            torch.mv(self.rows, self.factors, out=self.out)
            return
        torch.sum(self.rows, 1, out=self.out)
        if self.factor != 1:
            self.out.mul_(self.factor)
