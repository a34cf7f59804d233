"""The gradient of a packed network's loss: by hand for our layers, by autograd for any other module.

On networks this small autograd costs more than the arithmetic: a step of 128 networks 2-16-16-2 takes half
the time when each layer writes its gradient where the optimizer reads it. The numbers are the same.

Shapes: K members, D features, H units, C classes, B rows; features-major throughout.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn

from classification_assets.learning.packed.by_autograd import ByAutograd, Compiled
from classification_assets.learning.packed.by_hand import ByHand
from classification_assets.learning.packed.by_hand_tabular import TabularByHand
from classification_assets.learning.packed.flat import FlatParameters
from classification_assets.learning.packed.networks.layers import PackedMLP
from classification_assets.learning.packed.networks.tabular import PackedTabular


class Gradient(Protocol):
    """Writes the gradient of the members' losses into the tensors it was made for."""

    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        """Members' losses (K,) on rows x (K, D, B) with soft targets (K, C, B), a row's sum being its weight."""
        ...


def gradient_for(
    network: nn.Module,
    flat: FlatParameters,
    *,
    weighted: bool = True,
    precision: str = "float32",
    compile: bool = False,
) -> Gradient:
    """The fastest gradient of a network in a precision; compiled if that is wanted.

    Parameters
    ----------
    network : nn.Module
        Packed, in training mode whenever the gradient is called.
    flat : FlatParameters
        The network's trained parameters, and where their gradients go.
    weighted : bool
        False if the targets of every row sum to 1, which saves some of the time.
    precision, compile
        As in `Training`. What is compiled or computed in bfloat16 is left to autograd.
    """
    if compile:
        return Compiled(network, flat.parameters, flat.gradients, precision)
    if precision == "bfloat16":
        return ByAutograd(network, flat.parameters, flat.gradients, precision)
    if all(parameter.requires_grad for parameter in network.parameters()):
        match network:
            case PackedMLP():
                return ByHand(network, flat, weighted)
            case PackedTabular():
                return TabularByHand(network, flat, weighted)
    return ByAutograd(network, flat.parameters, flat.gradients)
