"""The gradient of a packed network's loss by PyTorch's autograd: for any module, in any precision, compiled.

Shapes: K members, D features, C classes, B rows; features-major throughout.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from classification_assets.learning.packed.networks.layers import PackedDropout, PackedLinear
from classification_assets.learning.packed.networks.members import PackedNetwork


class ByAutograd:
    """The gradient by PyTorch's autograd.

    Parameters
    ----------
    network, parameters, into
        See `gradients.gradient_for`.
    precision : str
        With ``bfloat16`` products are computed in that, by `torch.autocast`; parameters, their gradients and the
        loss are float32 whatever it is. It pays for wide networks on hardware that has it: 2 × for 64-512-512-512-10
        on a CPU with AVX512-BF16; small networks take twice as long, since nothing is by hand.
    """

    def __init__(
        self,
        network: nn.Module,
        parameters: Sequence[nn.Parameter],
        into: Sequence[Tensor],
        precision: str = "float32",
    ) -> None:
        self.network, self.parameters, self.into = network, parameters, into
        self.half = precision == "bfloat16"
        self.losses = self._losses

    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        """Members' losses (K,); their gradients go where they were asked for."""
        # Other strides would be another program to a compiler, and another order of sums to a product.
        loss = self.losses(x.contiguous(), target)
        gradients = torch.autograd.grad(loss.sum(), self.parameters, materialize_grads=True)
        for target_gradient, gradient in zip(self.into, gradients, strict=True):
            target_gradient.copy_(gradient)
        return loss.detach()

    def _losses(self, x: Tensor, target: Tensor) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.half):
            logits = self.network(x.transpose(1, 2)).transpose(1, 2)
        return -(target * logits.float().log_softmax(1)).sum((1, 2)) / x.shape[2]


class Compiled(ByAutograd):
    """The same, compiled by `torch.compile`; on CUDA a step is recorded once and replayed as one graph.

    Made for CUDA, where a step of a small network is all launches of kernels. On a CPU it does not pay: behind 4 to
    25 s of compiling, a step was 0.15 to 0.24 × as fast as the gradient by hand for packs of small networks (0.84 ×
    with batch norm and dropout), 0.83 × for tabular's and 0.59 × for a wide network (one thread).

    Raises
    ------
    RuntimeError
        If what compiles for the device is not there.
    """

    def __init__(
        self,
        network: nn.Module,
        parameters: Sequence[nn.Parameter],
        into: Sequence[Tensor],
        precision: str = "float32",
    ) -> None:
        super().__init__(network, parameters, into, precision)
        device = into[0].device
        _check_compiler(device)
        self.dropouts = list(_dropouts(network))
        # PyTorch keeps no more than a few programs of one function, and then stops compiling without an error.
        torch.compiler.reset()
        mode = "reduce-overhead" if device.type == "cuda" else None
        self.losses = torch.compile(self._losses, mode=mode, dynamic=False)

    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        for layer, units in self.dropouts:
            # Drawn beforehand: an offset into the pool that follows the step would be another program each step.
            layer.mask = layer.masks(units, x.shape[2])
        try:
            torch.compiler.cudagraph_mark_step_begin()
            stream = self.network.own_stream if isinstance(self.network, PackedNetwork) else nullcontext
            with stream(x.device):
                return super().__call__(x, target)
        finally:
            for layer, _ in self.dropouts:
                layer.mask = None


def _dropouts(network: nn.Module) -> Iterator[tuple[PackedDropout, int]]:
    """Our layers of dropout, each with its number of units."""
    units = 0
    for layer in network.modules():
        if isinstance(layer, PackedLinear):
            units = layer.weight.shape[1]
        elif isinstance(layer, PackedDropout):
            yield layer, units


def _check_compiler(device: torch.device) -> None:
    if device.type == "cpu":
        compiler = os.environ.get("CXX", {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++"))
        there = shutil.which(compiler) is not None
        needed = f"a C++ compiler; {compiler!r} is not on the PATH, and the environment variable CXX may name another"
    else:
        there, needed = device.type != "cuda" or find_spec("triton") is not None, "the package triton"
    if not there:
        raise RuntimeError(f"training.compile is true, which needs {needed}; compile: false needs nothing")
