"""AdamW for packed networks: a learning rate and a weight decay a member, in a handful of operations a step."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class MemberAdamW:
    """AdamW (Loshchilov and Hutter 2019) with a learning rate and a weight decay a member.

    Parameters and gradients are views of two flat buffers, layer after layer: a step is a handful of
    operations whatever the layers are, and a gradient can be written where it is read.

    Parameters
    ----------
    network : nn.Module
        Packed, K members; its trained parameters become views of `values`.
    learning_rate, weight_decay : Tensor (K,)

    Attributes
    ----------
    parameters, gradients : lists of P tensors (K, ...)
        What is trained, and where its gradient must be when `step` is called.
    values, gradient : Tensor (K·P,)
        The buffers behind them.
    """

    def __init__(
        self,
        network: nn.Module,
        learning_rate: Tensor,
        weight_decay: Tensor,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.betas, self.eps, self.steps = betas, eps, 0
        self.parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.values = torch.cat([parameter.detach().reshape(-1) for parameter in self.parameters])
        self.gradient = torch.zeros_like(self.values)
        self.gradients = self._views(self.gradient)
        for parameter, value in zip(self.parameters, self._views(self.values), strict=True):
            parameter.data = value
        self.mean, self.square = torch.zeros_like(self.values), torch.zeros_like(self.values)
        self.below = torch.empty_like(self.values)
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self._rate = self._each(learning_rate)
        self._decay = self._each(learning_rate * weight_decay)

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Move every member by its gradient, at `factor` times its learning rate."""
        first, second = self.betas
        self.steps += 1
        root = math.sqrt(1 - second**self.steps)
        size = factor * root / (1 - first**self.steps)
        self.mean.lerp_(self.gradient, 1 - first)
        self.square.mul_(second).addcmul_(self.gradient, self.gradient, value=1 - second)
        # The bias correction of the root stands in `size` and beside eps, which saves a division.
        below = torch.sqrt(self.square, out=self.below).add_(self.eps * root)
        if isinstance(self._decay, float):
            if self._decay:
                self.values.mul_(1 - factor * self._decay)
        else:
            self.values.addcmul_(self.values, self._decay, value=-factor)
        if isinstance(self._rate, float):
            self.values.addcdiv_(self.mean, below, value=-size * self._rate)
        else:
            self.values.addcdiv_(self.mean * self._rate, below, value=-size)

    def selected(self, network: nn.Module, keep: Tensor) -> MemberAdamW:
        """The same optimizer for `network`, which holds the members `keep` (indices)."""
        members = keep.cpu()
        chosen = MemberAdamW(
            network, self.learning_rate[members], self.weight_decay[members], self.betas, self.eps
        )
        chosen.steps = self.steps
        for name in ("mean", "square"):
            parts = [view[keep].reshape(-1) for view in self._views(getattr(self, name))]
            setattr(chosen, name, torch.cat(parts))
        return chosen

    def _views(self, flat: Tensor) -> list[Tensor]:
        sizes = [parameter.numel() for parameter in self.parameters]
        return [
            part.view(parameter.shape)
            for part, parameter in zip(flat.split(sizes), self.parameters, strict=True)
        ]

    def _each(self, of_member: Tensor) -> float | Tensor:
        """One number if all members share it, else a number for each value."""
        if bool((of_member == of_member[0]).all()):
            return float(of_member[0])
        parts = [of_member.repeat_interleave(parameter[0].numel()) for parameter in self.parameters]
        return torch.cat(parts).to(self.values.device)
