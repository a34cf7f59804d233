"""The gradient of our packed tabular networks, written by hand: see `by_hand`.

Shapes: K members, D features, C classes, B rows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from classification_assets.learning.packed.cross_entropy import cross_entropy
from classification_assets.learning.packed.flat import FlatParameters
from classification_assets.learning.packed.networks.tabular import PackedTabular
from classification_assets.learning.packed.torch_state import in_inference_mode

aten = torch.ops.aten


class TabularByHand:
    """The chain rule written out for a `PackedTabular`."""

    def __init__(self, network: PackedTabular, flat: FlatParameters, weighted: bool) -> None:
        self.network, self.weighted = network, weighted
        self.to = {name: flat.gradient_of(parameter) for name, parameter in network.named_parameters()}
        bounded = torch.isfinite(network.low).flatten().nonzero()
        self.bounded = slice(int(bounded.min()), int(bounded.max()) + 1) if len(bounded) else slice(0)

    @in_inference_mode
    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        x, net, to, D, B = x.contiguous(), self.network, self.to, x.shape[1], x.shape[2]
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

        loss, g = cross_entropy(logits, target, self.weighted)

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
