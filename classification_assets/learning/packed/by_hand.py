"""The gradient of our packed networks, written by hand: each layer writes it where the optimizer reads it.

PyTorch's inference mode saves the accounts that autograd would keep of each operation: a tenth of the time on small
networks.

Shapes: K members, D features, H units, C classes, B rows; features-major throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from classification_assets.learning.packed.flat import FlatParameters
from classification_assets.learning.packed.networks.layers import (
    PackedBatchNorm,
    PackedDropout,
    PackedLayerNorm,
    PackedLinear,
    PackedMLP,
    Residual,
)
from classification_assets.learning.packed.networks.tabular import PackedTabular

aten = torch.ops.aten

_ROWS_AT_ONCE = 4
"""Rows of a matrix that its product with a vector takes at one time; a rest is computed in another way."""


class ByHand:
    """The chain rule written out over the layers of a `PackedMLP`."""

    def __init__(self, network: PackedMLP, flat: FlatParameters, weighted: bool) -> None:
        self.chain, self.weighted = _Chain(network.layers, flat), weighted

    @torch.inference_mode()
    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        loss, g = _cross_entropy(self.chain.forward(x), target, self.weighted)
        self.chain.backward(g, first=True)
        return loss


class TabularByHand:
    """The chain rule written out for a `PackedTabular`."""

    def __init__(self, network: PackedTabular, flat: FlatParameters, weighted: bool) -> None:
        self.network, self.weighted = network, weighted
        self.to = {name: flat.gradient_of(parameter) for name, parameter in network.named_parameters()}
        bounded = torch.isfinite(network.low).flatten().nonzero()
        self.bounded = slice(int(bounded.min()), int(bounded.max()) + 1) if len(bounded) else slice(0)

    @torch.inference_mode()
    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        net, to, D, B = self.network, self.to, x.shape[1], x.shape[2]
        inputs = x.new_empty(len(x), net.weight1.shape[2], B)
        h, waves = inputs[:, :D], inputs[:, D:]
        torch.mul(x, net.scale, out=h)
        angles = torch.baddbmm(net.phases, net.waves, h)
        # At both limits the sine is 0, and so is the gradient of angles beyond them.
        angles[self.bounded].clamp_(net.low[self.bounded], net.high[self.bounded])
        torch.mul(angles.cos(), net.gate, out=waves)
        first = torch.baddbmm(net.bias1, net.weight1, inputs)
        hidden1 = aten.silu(first)
        second = torch.baddbmm(net.bias2, net.weight2, hidden1)
        hidden2 = aten.silu(second)
        logits = torch.baddbmm(net.bias3, net.weight3, hidden2).baddbmm_(net.skip, h)

        loss, g = _cross_entropy(logits, target, self.weighted)

        torch.bmm(g, h.transpose(1, 2), out=to["skip"])
        self._linear(g, hidden2, "3")
        below = aten.silu_backward(torch.bmm(net.weight3.transpose(1, 2), g), second)
        self._linear(below, hidden1, "2")
        below = aten.silu_backward(torch.bmm(net.weight2.transpose(1, 2), below), first)
        self._linear(below, inputs, "1")
        to_inputs = torch.bmm(net.weight1.transpose(1, 2), below)
        to_angles = angles.sin_().mul_(to_inputs[:, D:]).mul_(-net.gate)
        torch.bmm(to_angles, h.transpose(1, 2), out=to["waves"])
        torch.sum(to_angles, 2, keepdim=True, out=to["phases"])
        to_h = torch.baddbmm(to_inputs[:, :D], net.skip.transpose(1, 2), g)
        to_h.baddbmm_(net.waves.transpose(1, 2), to_angles)
        torch.sum(to_h.mul_(x), 2, keepdim=True, out=to["scale"])
        return loss

    def _linear(self, g: Tensor, h: Tensor, layer: str) -> None:
        torch.bmm(g, h.transpose(1, 2), out=self.to[f"weight{layer}"])
        torch.sum(g, 2, keepdim=True, out=self.to[f"bias{layer}"])


def _cross_entropy(logits: Tensor, target: Tensor, weighted: bool) -> tuple[Tensor, Tensor]:
    """Members' losses (K,), and the gradient with respect to the logits (K, C, B)."""
    B = logits.shape[2]
    log_p = logits.log_softmax(1)
    loss = (log_p * target).sum((1, 2)).div_(-B)
    p = log_p.exp_()
    if weighted:
        p.mul_(target.sum(1, keepdim=True))
    return loss, p.sub_(target).div_(B)


class _Layer(Protocol):
    """A layer that may overwrite its input unless it is the first: fresh memory costs more than arithmetic."""

    def inputs(self, B: int) -> Tensor | None:
        """Where whoever computes the inputs (K, D, B) does well to write them to; None if that is all the same."""
        ...

    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        """The outputs, in `out` if that is given and the layer can."""
        ...

    def backward(self, g: Tensor, first: bool) -> Tensor | None:
        """The gradient with respect to the input; None for the first layer, where nobody needs it."""
        ...


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


def _by_hand(layers: list[nn.Module], flat: FlatParameters) -> Iterator[_Layer]:
    while layers:
        match layers:
            case [nn.ReLU(), PackedDropout() as dropout, *layers]:
                yield _DroppedReLU(dropout)
            case [PackedLinear() as layer, *layers]:
                yield _Linear(layer, flat)
            case [PackedBatchNorm() as layer, *layers]:
                yield _BatchNorm(layer, flat)
            case [PackedLayerNorm() as layer, *layers]:
                yield _LayerNorm(layer, flat)
            case [PackedDropout() as layer, *layers]:
                yield _Dropout(layer)
            case [Residual() as layer, *layers]:
                yield _Residual(layer, flat)
            case [layer, *layers]:
                yield _Activation(layer)


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


class _Linear:
    """A product with the layer's block of parameters, whose last row is the biases, if it has any: see `flat`."""

    def __init__(self, layer: PackedLinear, flat: FlatParameters) -> None:
        # Views made once: on small networks making them takes as long as a product.
        block, D = flat.block_of(layer.weight), layer.weight.shape[2]
        weight = block.of(flat.values)
        self.transposed, self.weight, self.to_block = (
            weight.transpose(1, 2),
            weight[:, :D],
            block.of(flat.gradient),
        )
        self.has_bias = layer.bias is not None
        self.h = self.place = weight.new_empty(0, 0, 0)

    def inputs(self, B: int) -> Tensor | None:
        if not self.has_bias:
            return None
        if self.place.shape[2] != B:
            K, D, _ = self.weight.shape
            self.h = self.weight.new_ones(K, D + 1, B)
            self.place = self.h[:, :D]
        return self.place

    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        place = self.inputs(h.shape[2])
        if place is None:
            self.h = h
        elif h is not place:
            place.copy_(h)
        return torch.bmm(self.transposed, self.h)

    def backward(self, g: Tensor, first: bool) -> Tensor | None:
        torch.bmm(self.h, g.transpose(1, 2), out=self.to_block)
        return None if first else torch.bmm(self.weight, g)


class _Inner:
    """A layer that takes its inputs from wherever they are."""

    def inputs(self, B: int) -> Tensor | None:
        return None


class _Activation(_Inner):
    """An element-wise function and its derivative, from its output where that is enough, else from its input."""

    def __init__(self, layer: nn.Module) -> None:
        kinds: dict[type, tuple[Callable[..., Tensor], Callable[..., Tensor], tuple[Any, ...], bool]] = {
            # The derivative of a function that is 0 where the output is 0: PyTorch computes ReLU's own number by
            # number, which takes twice as long.
            nn.ReLU: (_relu, aten.hardshrink_backward.grad_input, (0.0,), True),
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


def _relu(h: Tensor, out: Tensor) -> Tensor:
    return torch.clamp_min(h, 0, out=out)


def _gelu(h: Tensor, out: Tensor) -> Tensor:
    # Into a part of another tensor oneDNN would write as if it were all of it.
    return F.gelu(h)


class _Dropout(_Inner):
    def __init__(self, layer: PackedDropout) -> None:
        self.masks = layer.masks

    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        self.mask = self.masks(*h.shape[1:])
        return torch.mul(h, self.mask, out=out)

    def backward(self, g: Tensor, first: bool) -> Tensor:
        return g.mul_(self.mask)


class _DroppedReLU(_Inner):
    """ReLU, then dropout: what comes out tells what was dropped, so the mask is read once, not twice."""

    def __init__(self, layer: PackedDropout) -> None:
        self.masks, self.ready = layer.masks, list[Tensor]()
        self.scale = (1 - layer.masks.parameter).reciprocal().view(-1, 1, 1)

    def forward(self, h: Tensor, out: Tensor | None) -> Tensor:
        if not self.ready or self.ready[-1].shape != h.shape:
            # Between other work, one mask at a time takes as long as its multiplication.
            self.ready = self.masks.ahead(16, *h.shape[1:])[::-1]
        self.masks.skip(1)
        self.output = _relu(h.mul_(self.ready.pop()), out=h if out is None else out)
        return self.output

    def backward(self, g: Tensor, first: bool) -> Tensor:
        return aten.hardshrink_backward.grad_input(g, self.output, 0.0, grad_input=g).mul_(self.scale)


class _BatchNorm(_Inner):
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


class _LayerNorm(_Inner):
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
