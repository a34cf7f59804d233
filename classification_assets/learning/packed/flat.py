"""Trained parameters of a packed network and their gradients, each in one flat buffer.

A linear layer is kept input by input, with its biases as weights of one more input that is always 1. Then one product
gives outputs with biases, another one the gradients of both, and the larger ones need not turn a matrix: on small
networks products take 0.6 of the time.

Shapes: K members, D features in, H features out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from classification_assets.learning.packed.networks.layers import PackedLinear

_VECTOR = 16
"""Numbers in the largest vector register."""


@dataclass(frozen=True)
class Block:
    """Parameters that stand together in the buffer, as numbers of `shape` (K, ...) from `start` on."""

    start: int
    shape: tuple[int, ...]

    @property
    def end(self) -> int:
        """Where the next one starts."""
        return self.start + prod(self.shape)

    def of(self, flat: Tensor) -> Tensor:
        """Its numbers (K, ...) in a buffer, a view."""
        return flat[self.start : self.end].view(self.shape)


class FlatParameters:
    """The trained parameters of a packed network, which become views of one buffer.

    Attributes
    ----------
    parameters, gradients : lists of P tensors (K, ...)
        The trained parameters, and the tensors for their gradients.
    values, gradient : Tensor
        The buffers behind them, filled up with zeros to whole vectors.
    blocks : list of Block
        First those in which every member fills whole vectors.
    n_of_vectors : int
        The number of these.
    """

    def __init__(self, network: nn.Module) -> None:
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.parameters = sorted(trained, key=lambda parameter: not _is_of_vectors(parameter.shape))
        groups = sorted(_groups(network, trained), key=lambda group: not _is_of_vectors(group.shape))
        self.n_of_vectors = sum(_is_of_vectors(group.shape) for group in groups)
        self.blocks: list[Block] = []
        self._block_of: dict[int, Block] = {}
        self._places: dict[int, tuple[tuple[int, ...], int]] = {}
        end = 0
        for group in groups:
            block = Block(end, group.shape)
            self.blocks.append(block)
            for parameter, strides, offset in group.parts:
                self._block_of[id(parameter)] = block
                self._places[id(parameter)] = strides, end + offset
            end = block.end
        self.values = trained[0].detach().new_zeros(-(-end // _VECTOR) * _VECTOR)
        self.gradient = torch.zeros_like(self.values)
        self.gradients = self.views(self.gradient)
        for parameter, value in zip(self.parameters, self.views(self.values), strict=True):
            value.copy_(parameter.detach())
            parameter.data = value

    def views(self, flat: Tensor) -> list[Tensor]:
        """The numbers of each parameter (K, ...) in such a buffer."""
        return [self._view(flat, parameter) for parameter in self.parameters]

    def block_of(self, parameter: nn.Parameter) -> Block:
        """The one that a parameter is part of."""
        return self._block_of[id(parameter)]

    def gradient_of(self, parameter: nn.Parameter) -> Tensor:
        """Where the gradient (K, ...) of a parameter goes."""
        return self._view(self.gradient, parameter)

    def _view(self, flat: Tensor, parameter: nn.Parameter) -> Tensor:
        return flat.as_strided(parameter.shape, *self._places[id(parameter)])


@dataclass(frozen=True)
class _Group:
    """The shape of a block, and its parameters, each with its strides and where in the block it begins."""

    shape: tuple[int, ...]
    parts: list[tuple[nn.Parameter, tuple[int, ...], int]]


def _groups(network: nn.Module, trained: Sequence[nn.Parameter]) -> Iterator[_Group]:
    left = {id(parameter): parameter for parameter in trained}
    for layer in network.modules():
        if isinstance(layer, PackedLinear) and all(id(part) in left for part in layer.parameters()):
            K, H, D = layer.weight.shape
            parts = [left.pop(id(part)) for part in layer.parameters()]
            rows = D + len(parts) - 1
            strides = rows * H, 1, H
            yield _Group(
                (K, rows, H), [(part, strides, start) for part, start in zip(parts, (0, D * H), strict=False)]
            )
    for parameter in left.values():
        contiguous = torch.empty(parameter.shape, device="meta").stride()
        yield _Group(tuple(parameter.shape), [(parameter, contiguous, 0)])


def _is_of_vectors(shape: Sequence[int]) -> bool:
    """True if a member fills whole vectors, as the fused step of the optimizer needs if it takes only some members.

    It rounds the rest of a vector in another way, so a member's numbers would depend on those that it is packed with.
    """
    return prod(shape[1:]) % _VECTOR == 0
