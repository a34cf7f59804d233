"""The gradient of a packed network's loss: by hand for our layers, by autograd for any other module.

On networks this small autograd costs more than the arithmetic: a step of 128 networks 2-16-16-2 takes half
the time when each layer writes its gradient where the optimizer reads it. The numbers are the same.

Shapes: K members, D features, H units, C classes, B rows; features-major throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor, nn

from classification_assets.learning.packed.by_autograd import ByAutograd, Compiled
from classification_assets.learning.packed.by_hand import ByHand, TabularByHand
from classification_assets.learning.packed.networks.layers import PackedMLP
from classification_assets.learning.packed.networks.tabular import PackedTabular


class Gradient(Protocol):
    """Writes the gradient of the members' losses into the tensors it was made for."""

    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        """Members' losses (K,) on rows x (K, D, B) with soft targets (K, C, B), a row's sum being its weight."""
        ...


def gradient_for(
    network: nn.Module,
    parameters: Sequence[nn.Parameter],
    into: Sequence[Tensor],
    *,
    precision: str = "float32",
    compile: bool = False,
) -> Gradient:
    """The fastest gradient of a network in a precision; compiled if that is wanted.

    Parameters
    ----------
    network : nn.Module
        Packed, in training mode whenever the gradient is called.
    parameters : sequence of P parameters
        Those that are trained.
    into : sequence of P tensors
        Where each one's gradient goes.
    precision, compile
        As in `Training`. What is compiled or computed in bfloat16 is left to autograd.
    """
    if compile:
        return Compiled(network, parameters, into, precision)
    if precision == "bfloat16":
        return ByAutograd(network, parameters, into, precision)
    gradient_of = dict(zip(map(id, parameters), into, strict=True))
    if all(id(parameter) in gradient_of for parameter in network.parameters()):
        match network:
            case PackedMLP():
                return ByHand(network, gradient_of)
            case PackedTabular():
                return TabularByHand(network, gradient_of)
    return ByAutograd(network, parameters, into)
