"""AdamW for packed networks: a learning rate and a weight decay a member, in a handful of operations a step."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

_VECTOR = 16
"""Numbers in the largest vector register."""

_MOST_RUNS = 4
"""Runs of members alike in rate and decay, at most, for the fused step: with more, its slices are many and small."""

_Run = tuple[int, int, float, float]
"""First member, last one (exclusive), rate and decay."""


class MemberAdamW:
    """AdamW (Loshchilov and Hutter 2019) with a learning rate and a weight decay a member.

    Parameters and gradients are views of two flat buffers, layer after layer: a step is a handful of
    operations whatever the layers are, and a gradient can be written where it is read. On a CPU PyTorch's own
    fused step, which passes once over the numbers, takes a third of the time.

    Parameters
    ----------
    network : nn.Module
        Packed, K members; its trained parameters become views of `values`.
    learning_rate, weight_decay : Tensor (K,)
    own_rates : bool
        Whether members are computed with their own rate and decay even where these are alike: the numbers of a
        member then do not follow, in the last bit, from how many different ones there are in its pack.

    Attributes
    ----------
    parameters, gradients : lists of P tensors (K, ...)
        The trained parameters, and the tensors that must hold their gradients when `step` is called.
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
        own_rates: bool = False,
    ) -> None:
        self.betas, self.eps, self.steps, self.own_rates = betas, eps, 0, own_rates
        self._steps = torch.zeros((), dtype=torch.float32, device="cpu")
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.parameters = sorted(trained, key=lambda parameter: not _is_of_vectors(parameter))
        self.values = torch.cat([parameter.detach().reshape(-1) for parameter in self.parameters])
        self.gradient = torch.zeros_like(self.values)
        self.gradients = self._views(self.gradient)
        for parameter, value in zip(self.parameters, self._views(self.values), strict=True):
            parameter.data = value
        self.mean, self.square = torch.zeros_like(self.values), torch.zeros_like(self.values)
        runs = _runs(learning_rate, weight_decay)
        fuses = self.values.device.type == "cpu" and len(runs) <= _MOST_RUNS and not own_rates
        n_fused = sum(map(_is_of_vectors, self.parameters)) if fuses else 0
        first = sum(parameter.numel() for parameter in self.parameters[:n_fused])
        self._fused = [self._of_run(run, n_fused) for run in runs] if n_fused else []
        self._rest = [buffer[first:] for buffer in (self.values, self.gradient, self.mean, self.square)]
        self._below = torch.empty_like(self._rest[0])
        self._rate = self._each(learning_rate, self.parameters[n_fused:])
        self._decay = self._each(learning_rate * weight_decay, self.parameters[n_fused:])

    @torch.inference_mode()
    def step(self, factor: float) -> None:
        """Move every member by its gradient, at `factor` times its learning rate."""
        first, second = self.betas
        self.steps += 1
        steps = self._steps.fill_(self.steps)
        for rate, decay, (values, gradient, mean, square) in self._fused:
            torch._fused_adamw_(
                values,
                gradient,
                mean,
                square,
                [],
                [steps] * len(values),
                lr=factor * rate,
                beta1=first,
                beta2=second,
                weight_decay=decay,
                eps=self.eps,
                amsgrad=False,
                maximize=False,
            )
        rest, its_gradient, its_mean, its_square = self._rest
        root = math.sqrt(1 - second**self.steps)
        size = factor * root / (1 - first**self.steps)
        its_mean.lerp_(its_gradient, 1 - first)
        its_square.mul_(second).addcmul_(its_gradient, its_gradient, value=1 - second)
        # The bias correction of the root is part of `size` and of eps, which saves a division.
        below = torch.sqrt(its_square, out=self._below).add_(self.eps * root)
        if isinstance(self._decay, float):
            if self._decay:
                rest.mul_(1 - factor * self._decay)
        else:
            rest.addcmul_(rest, self._decay, value=-factor)
        if isinstance(self._rate, float):
            rest.addcdiv_(its_mean, below, value=-size * self._rate)
        else:
            rest.addcdiv_(its_mean * self._rate, below, value=-size)

    def selected(self, network: nn.Module, keep: Tensor) -> MemberAdamW:
        """The same optimizer for `network`, which holds the members `keep` (indices)."""
        members = keep.cpu()
        chosen = MemberAdamW(
            network,
            self.learning_rate[members],
            self.weight_decay[members],
            self.betas,
            self.eps,
            self.own_rates,
        )
        chosen.resume(self.steps, *([view[keep] for view in moments] for moments in self.moments()))
        return chosen

    def moments(self) -> tuple[list[Tensor], list[Tensor]]:
        """The gradients' means and squares, P views (K, ...) of each."""
        return self._views(self.mean), self._views(self.square)

    def resume(self, steps: int, mean: Sequence[Tensor], square: Sequence[Tensor]) -> None:
        """Go on as after so many steps, with the moments that there were then."""
        self.steps = steps
        self.mean.copy_(torch.cat([part.reshape(-1) for part in mean]))
        self.square.copy_(torch.cat([part.reshape(-1) for part in square]))

    def _views(self, flat: Tensor) -> list[Tensor]:
        sizes = [parameter.numel() for parameter in self.parameters]
        return [
            part.view(parameter.shape)
            for part, parameter in zip(flat.split(sizes), self.parameters, strict=True)
        ]

    def _of_run(self, run: _Run, n_fused: int) -> tuple[float, float, list[list[Tensor]]]:
        """Rate, decay, and the slices of the buffers that the fused step takes for a run of members."""
        first, last, rate, decay = run
        parts = [
            [view[first:last].view(-1) for view in self._views(buffer)[:n_fused]]
            for buffer in (self.values, self.gradient, self.mean, self.square)
        ]
        return rate, decay, parts

    def _each(self, of_member: Tensor, parameters: Sequence[Tensor]) -> float | Tensor:
        """One number if all members share it, else a number for each value of some parameters."""
        alike = bool((of_member == of_member[0]).all()) and not self.own_rates
        if alike or not parameters:
            return float(of_member[0])
        parts = [of_member.repeat_interleave(parameter[0].numel()) for parameter in parameters]
        return torch.cat(parts).to(self.values.device)


def _is_of_vectors(parameter: Tensor) -> bool:
    """True if a member fills whole vectors, as the fused step needs.

    It rounds the rest of a vector in another way, so a member's numbers would depend on those that it is packed with.
    """
    return parameter[0].numel() % _VECTOR == 0


def _runs(learning_rate: Tensor, weight_decay: Tensor) -> list[_Run]:
    """The runs of members that are alike in rate and decay."""
    numbers = list(zip(learning_rate.tolist(), weight_decay.tolist(), strict=True))
    starts = [index for index, pair in enumerate(numbers) if not index or pair != numbers[index - 1]]
    return [
        (start, end, *numbers[start]) for start, end in zip(starts, [*starts[1:], len(numbers)], strict=True)
    ]
