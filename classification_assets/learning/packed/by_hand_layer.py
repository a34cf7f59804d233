"""A layer whose gradient is written by hand. Shapes: K members, D units below, H units above, B rows."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Layer(Protocol):
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


class InnerLayer:
    """A layer that takes its inputs from wherever they are."""

    def inputs(self, B: int) -> Tensor | None:
        return None
