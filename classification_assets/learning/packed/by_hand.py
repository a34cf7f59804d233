"""The gradient of our packed networks, written by hand: each layer writes it where the optimizer reads it.

`gradient_of` maps the `id` of each parameter to the tensor that its gradient is written to. PyTorch's inference mode
saves the accounts that autograd would keep of each operation: a tenth of the time on small networks.

Shapes: K members, D features, H units, C classes, B rows; features-major throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor, nn

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

    def __init__(self, network: PackedMLP, gradient_of: dict[int, Tensor]) -> None:
        self.chain = _Chain(network.layers, gradient_of)

    @torch.inference_mode()
    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        B = x.shape[2]
        log_p = self.chain.forward(x).log_softmax(1)
        loss = (log_p * target).sum((1, 2)).div_(-B)
        weight = target.sum(1, keepdim=True)
        self.chain.backward(log_p.exp_().mul_(weight).sub_(target).div_(B), first=True)
        return loss


class TabularByHand:
    """The chain rule written out for a `PackedTabular`."""

    def __init__(self, network: PackedTabular, gradient_of: dict[int, Tensor]) -> None:
        self.network = network
        self.to = {name: gradient_of[id(parameter)] for name, parameter in network.named_parameters()}
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

        log_p = logits.log_softmax(1)
        loss = (log_p * target).sum((1, 2)).div_(-B)
        g = log_p.exp_().mul_(target.sum(1, keepdim=True)).sub_(target).div_(B)

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


class _Layer(Protocol):
    """A layer that may overwrite its input unless it is the first: fresh memory costs more than arithmetic."""

    def forward(self, h: Tensor) -> Tensor: ...

    def backward(self, g: Tensor, first: bool) -> Tensor | None:
        """The gradient with respect to the input; None for the first layer, where nobody needs it."""
        ...


class _Chain:
    def __init__(self, layers: nn.Sequential, gradient_of: dict[int, Tensor]) -> None:
        self.layers = list(_by_hand(list(layers), gradient_of))

    def forward(self, h: Tensor) -> Tensor:
        for layer in self.layers:
            h = layer.forward(h)
        return h

    def backward(self, g: Tensor, first: bool) -> Tensor | None:
        for layer in self.layers[:0:-1]:
            # Only the first layer of the network has an input that nothing is learned from.
            below = layer.backward(g, first=False)
            assert below is not None
            g = below
        return self.layers[0].backward(g, first)


def _by_hand(layers: list[nn.Module], gradient_of: dict[int, Tensor]) -> Iterator[_Layer]:
    while layers:
        match layers:
            case [nn.ReLU(), PackedDropout() as dropout, *layers]:
                yield _DroppedReLU(dropout)
            case [PackedLinear() as layer, *layers]:
                yield _Linear(layer, gradient_of)
            case [PackedBatchNorm() as layer, *layers]:
                yield _BatchNorm(layer, gradient_of)
            case [PackedLayerNorm() as layer, *layers]:
                yield _LayerNorm(layer, gradient_of)
            case [PackedDropout() as layer, *layers]:
                yield _Dropout(layer)
            case [Residual() as layer, *layers]:
                yield _Residual(layer, gradient_of)
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
    def __init__(self, layer: PackedLinear, gradient_of: dict[int, Tensor]) -> None:
        # Views made once: on small networks making them takes as long as a product.
        self.weight = layer.weight.detach()
        self.transposed = self.weight.transpose(1, 2)
        self.bias = None if layer.bias is None else layer.bias.detach()
        self.to_weight = gradient_of[id(layer.weight)]
        self.to_bias = None if layer.bias is None else gradient_of[id(layer.bias)].view(-1)

    def forward(self, h: Tensor) -> Tensor:
        self.h = h
        return torch.bmm(self.weight, h) if self.bias is None else torch.baddbmm(self.bias, self.weight, h)

    def backward(self, g: Tensor, first: bool) -> Tensor | None:
        torch.bmm(g, self.h.transpose(1, 2), out=self.to_weight)
        if self.to_bias is not None:
            _row_sums(g, 1.0, out=self.to_bias)
        return None if first else torch.bmm(self.transposed, g)


class _Activation:
    """An element-wise function and its derivative, from its output where that is enough, else from its input."""

    def __init__(self, layer: nn.Module) -> None:
        kinds: dict[type, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor], bool]] = {
            nn.ReLU: (
                torch.relu_,
                lambda g, y: aten.threshold_backward.grad_input(g, y, 0, grad_input=g),
                True,
            ),
            nn.Tanh: (torch.tanh_, aten.tanh_backward, True),
            nn.LeakyReLU: (layer, lambda g, x: aten.leaky_relu_backward(g, x, 0.01, False), False),
            nn.GELU: (layer, aten.gelu_backward, False),
            nn.SiLU: (layer, aten.silu_backward, False),
        }
        self.function, self.derivative, self.from_output = kinds[type(layer)]

    def forward(self, h: Tensor) -> Tensor:
        output = self.function(h)
        self.saved = output if self.from_output else h
        return output

    def backward(self, g: Tensor, first: bool) -> Tensor:
        return self.derivative(g, self.saved)


class _Dropout:
    def __init__(self, layer: PackedDropout) -> None:
        self.masks = layer.masks

    def forward(self, h: Tensor) -> Tensor:
        self.mask = self.masks(*h.shape[1:])
        return h * self.mask

    def backward(self, g: Tensor, first: bool) -> Tensor:
        return g.mul_(self.mask)


class _DroppedReLU:
    """ReLU, then dropout: what comes out tells what was dropped, so the mask is read once, not twice."""

    def __init__(self, layer: PackedDropout) -> None:
        self.masks, self.ready = layer.masks, list[Tensor]()
        self.scale = (1 - layer.masks.parameter).reciprocal().view(-1, 1, 1)

    def forward(self, h: Tensor) -> Tensor:
        if not self.ready or self.ready[-1].shape != h.shape:
            # Between other work, one mask at a time takes as long as its multiplication.
            self.ready = self.masks.ahead(16, *h.shape[1:])[::-1]
        self.masks.skip(1)
        self.output = h.mul_(self.ready.pop()).relu_()
        return self.output

    def backward(self, g: Tensor, first: bool) -> Tensor:
        return aten.threshold_backward.grad_input(g, self.output, 0, grad_input=g).mul_(self.scale)


class _BatchNorm:
    """PyTorch's own backward; its forward takes twice as long as the few operations that it stands for."""

    def __init__(self, layer: PackedBatchNorm, gradient_of: dict[int, Tensor]) -> None:
        self.momentum, self.eps = layer.momentum, layer.eps
        self.weight, self.bias = layer.weight.unsqueeze(2), layer.bias.unsqueeze(2)
        self.running_mean, self.running_var = layer.running_mean.view(-1), layer.running_var.view(-1)
        self.to_weight, self.to_bias = (gradient_of[id(of)].view(-1) for of in (layer.weight, layer.bias))
        self.mean, self.zeros = torch.empty_like(self.to_bias), torch.zeros_like(self.to_bias)
        self.least = torch.full_like(self.bias, self.eps)

    def forward(self, h: Tensor) -> Tensor:
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


class _LayerNorm:
    def __init__(self, layer: PackedLayerNorm, gradient_of: dict[int, Tensor]) -> None:
        self.layer = layer
        self.to_weight, self.to_bias = gradient_of[id(layer.weight)], gradient_of[id(layer.bias)]

    def forward(self, h: Tensor) -> Tensor:
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
    def __init__(self, layer: Residual, gradient_of: dict[int, Tensor]) -> None:
        self.chain = _Chain(layer, gradient_of)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.chain.forward(h)

    def backward(self, g: Tensor, first: bool) -> Tensor:
        below = self.chain.backward(g.clone(), first=False)
        assert below is not None
        return below.add_(g)
