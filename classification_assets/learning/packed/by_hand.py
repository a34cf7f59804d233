"""The gradient of our packed networks, written by hand: each layer writes it where the optimizer reads it.

PyTorch's inference mode saves the accounts that autograd would keep of each operation: a tenth of the time on small
networks.

Shapes: K members, D features, H units, C classes, B rows; features-major throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from classification_assets.learning.packed.by_hand_layer import InnerLayer, Layer
from classification_assets.learning.packed.by_hand_norms import BatchNorm, LayerNorm
from classification_assets.learning.packed.cross_entropy import cross_entropy
from classification_assets.learning.packed.flat import FlatParameters
from classification_assets.learning.packed.networks.layers import (
    PackedBatchNorm,
    PackedDropout,
    PackedLayerNorm,
    PackedLinear,
    PackedMLP,
    Residual,
)
from classification_assets.learning.packed.torch_state import in_inference_mode

aten = torch.ops.aten


class ByHand:
    """The chain rule written out over the layers of a `PackedMLP`."""

    def __init__(self, network: PackedMLP, flat: FlatParameters, weighted: bool) -> None:
        self.chain, self.weighted = _Chain(network.layers, flat), weighted

    @in_inference_mode
    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        loss, g = cross_entropy(self.chain.forward(x), target, self.weighted)
        self.chain.backward(g, first=True)
        return loss


class _Chain:
    def __init__(self, layers: nn.Sequential, flat: FlatParameters) -> None:
        self.layers = list(_by_hand(list(layers), flat))

    def inputs(self, B: int) -> Tensor | None:
        return self.layers[0].inputs(B)

    def forward(self, h: Tensor, out: Tensor | None = None) -> Tensor:
        B = h.shape[2]
        for layer, above in pairwise(self.layers):
            h = layer.forward(h, above.inputs(B))
        return self.layers[-1].forward(h, out)

    def backward(self, g: Tensor, first: bool) -> Tensor | None:
        for layer in self.layers[:0:-1]:
            # Only the first layer of the network has an input that nothing is learned from.
            below = layer.backward(g, first=False)
            assert below is not None
            g = below
        return self.layers[0].backward(g, first)


def _by_hand(layers: list[nn.Module], flat: FlatParameters) -> Iterator[Layer]:
    while layers:
        match layers:
            case [nn.ReLU(), PackedDropout() as dropout, *layers]:
                yield _DroppedReLU(dropout)
            case [nn.ReLU(), *layers]:
                yield _ReLU()
            case [PackedLinear() as layer, *layers]:
                yield _Linear(layer, flat)
            case [PackedBatchNorm() as layer, *layers]:
                yield BatchNorm(layer, flat)
            case [PackedLayerNorm() as layer, *layers]:
                yield LayerNorm(layer, flat)
            case [PackedDropout() as layer, *layers]:
                yield _Dropout(layer)
            case [Residual() as layer, *layers]:
                yield _Residual(layer, flat)
            case [layer, *layers]:
                yield _Activation(layer)


class _Linear:
    """A product with the layer's block of parameters, whose last row is the biases, if it has any: see `flat`.

    Memory and views are made once: on small networks making them takes as long as a product.
    """

    def __init__(self, layer: PackedLinear, flat: FlatParameters) -> None:
        block, D = flat.block_of(layer.weight), layer.weight.shape[2]
        weight = block.of(flat.values)
        self.transposed, self.weight, self.to_block = (
            weight.transpose(1, 2),
            weight[:, :D],
            block.of(flat.gradient),
        )
        self.has_bias = layer.bias is not None
        self.h = self.place = self.outputs = self.below = self.g = weight.new_empty(0, 0, 0)

    def inputs(self, B: int) -> Tensor:
        if self.place.shape[2] != B:
            K, D, _ = self.weight.shape
            self.h = self.weight.new_ones(K, D + self.has_bias, B)
            self.place = self.h[:, :D]
        return self.place

    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        B = h.shape[2]
        if h is not self.inputs(B):
            # Contiguous: where a product has to turn its second matrix, a member's rounding follows from its place.
            self.place.copy_(h)
        if self.outputs.shape[2] != B:
            K, H, _ = self.transposed.shape
            self.outputs = self.weight.new_empty(K, H, B)
        # Not to `out`: into a part of another tensor a product takes several times as long.
        return torch.bmm(self.transposed, self.h, out=self.outputs)

    def backward(self, g: Tensor, first: bool) -> Tensor | None:
        if g is not self.g:
            self.g, self.g_transposed = g, g.transpose(1, 2)
        torch.bmm(self.h, self.g_transposed, out=self.to_block)
        if first:
            return None
        if self.below.shape[2] != g.shape[2]:
            K, D, _ = self.weight.shape
            self.below = self.weight.new_empty(K, D, g.shape[2])
        return torch.bmm(self.weight, g, out=self.below)


class _ReLU(InnerLayer):
    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        self.output = torch.clamp_min(h, 0, out=h if out is None else out)
        return self.output

    def backward(self, g: Tensor, first: bool) -> Tensor:
        # PyTorch's own derivative takes longer to call, and no less to compute. The output is not needed any more.
        return g.mul_(self.output.sign_())


class _Activation(InnerLayer):
    """An element-wise function and its derivative, from its output where that is enough, else from its input."""

    def __init__(self, layer: nn.Module) -> None:
        kinds: dict[type, tuple[Callable[..., Tensor], Callable[..., Tensor], tuple[Any, ...], bool]] = {
            nn.Tanh: (torch.tanh, aten.tanh_backward.grad_input, (), True),
            nn.LeakyReLU: (aten.leaky_relu.out, aten.leaky_relu_backward.grad_input, (0.01, False), False),
            nn.GELU: (_gelu, aten.gelu_backward.grad_input, (), False),
            nn.SiLU: (aten.silu.out, aten.silu_backward.grad_input, (), False),
        }
        self.function, self.derivative, self.numbers, self.from_output = kinds[type(layer)]

    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        if out is None:
            out = h if self.from_output else torch.empty_like(h)
        output = self.function(h, out=out)
        self.saved = output if self.from_output else h
        return output

    def backward(self, g: Tensor, first: bool) -> Tensor:
        return self.derivative(g, self.saved, *self.numbers, grad_input=g)


def _gelu(h: Tensor, out: Tensor) -> Tensor:
    # Into a part of another tensor oneDNN would write as if it were all of it.
    return F.gelu(h)


class _Dropout(InnerLayer):
    def __init__(self, layer: PackedDropout) -> None:
        self.masks = layer.masks

    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        self.mask = self.masks(*h.shape[1:])
        return torch.mul(h, self.mask, out=out)

    def backward(self, g: Tensor, first: bool) -> Tensor:
        return g.mul_(self.mask)


class _DroppedReLU(_ReLU):
    """ReLU, then dropout: what comes out tells what was dropped, so the mask is read once, not twice."""

    def __init__(self, layer: PackedDropout) -> None:
        self.masks, self.ready = layer.masks, list[Tensor]()
        self.scale = (1 - layer.masks.parameter).reciprocal().view(-1, 1, 1)

    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        if not self.ready or self.ready[-1].shape != h.shape:
            # Between other work, one mask at a time takes as long as its multiplication.
            self.ready = self.masks.ahead(16, *h.shape[1:])[::-1]
        self.masks.skip(1)
        self.output = torch.mul(h.clamp_min_(0), self.ready.pop(), out=h if out is None else out)
        return self.output

    def backward(self, g: Tensor, first: bool) -> Tensor:
        return super().backward(g, first).mul_(self.scale)


class _Residual:
    def __init__(self, layer: Residual, flat: FlatParameters) -> None:
        self.chain = _Chain(layer, flat)

    def inputs(self, B: int) -> Tensor | None:
        return self.chain.inputs(B)

    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        return torch.add(h, self.chain.forward(h), out=out)

    def backward(self, g: Tensor, first: bool) -> Tensor:
        below = self.chain.backward(g.clone(), first=False)
        assert below is not None
        return below.add_(g)
