"""AdamW for packed networks: a learning rate and a weight decay a member, in a handful of operations a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from classification_assets.learning.packed.flat import Block, FlatParameters
from classification_assets.learning.packed.torch_state import in_inference_mode

_MOST_RUNS = 4
"""Runs of members alike in rate and decay, at most, for the fused step: with more, its slices are many and small."""

_Run = tuple[int, int, float, float]
"""First member, last one (exclusive), rate and decay."""

_Fused = tuple[float, float, list[list[Tensor]]]
"""Rate, decay, and the parts of the four buffers that one fused step takes."""


class MemberAdamW:
    """AdamW (Loshchilov and Hutter 2019) with a learning rate and a weight decay a member.

    Parameters and gradients are views of two flat buffers: a step is a handful of operations whatever the layers
    are, and a gradient can be written where it is read. On a CPU PyTorch's own fused step, which passes once over
    the numbers, takes a third to half of the time; if all members share rate and decay, it is all of the step.

    Parameters
    ----------
    network : nn.Module
        Packed, K members; its trained parameters become views of one buffer.
    learning_rate, weight_decay : Tensor (K,)
    own_rates : bool
        Whether members are computed with their own rate and decay even where these are alike: the numbers of a
        member then do not follow, in the last bit, from how many different ones there are in its pack.

    Attributes
    ----------
    flat : FlatParameters
        Parameters, and the gradients that are to be there when `step` is called.
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
        self.flat, self.betas, self.eps, self.steps = FlatParameters(network), betas, eps, 0
        self._steps = torch.zeros((), dtype=torch.float32, device="cpu")
        self.learning_rate, self.weight_decay, self.own_rates = learning_rate, weight_decay, own_rates
        values, blocks = self.flat.values, self.flat.blocks
        self.mean, self.square = torch.zeros_like(values), torch.zeros_like(values)
        buffers = [values, self.flat.gradient, self.mean, self.square]
        runs, n_fused = _runs(learning_rate, weight_decay), 0
        self._fused: list[_Fused] = []
        if values.device.type == "cpu" and not own_rates:
            if len(runs) == 1:
                n_fused = len(blocks)
                self._fused = [(*runs[0][2:], [[buffer] for buffer in buffers])]
            elif len(runs) <= _MOST_RUNS:
                n_fused = self.flat.n_of_vectors
                self._fused = [_of_run(run, blocks[:n_fused], buffers) for run in runs] if n_fused else []
        rest = blocks[n_fused:]
        self._rest = [buffer[rest[0].start :] for buffer in buffers] if rest else None
        self._below = torch.empty_like(self._rest[0]) if self._rest else None
        self._rate = self._each(learning_rate, rest)
        self._decay = self._each(learning_rate * weight_decay, rest)

    @in_inference_mode
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
        if self._rest:
            self._step_of_rest(factor, *self._rest)

    def _step_of_rest(
        self, factor: float, values: Tensor, gradient: Tensor, mean: Tensor, square: Tensor
    ) -> None:
        first, second = self.betas
        root = math.sqrt(1 - second**self.steps)
        size = factor * root / (1 - first**self.steps)
        mean.lerp_(gradient, 1 - first)
        square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        # The bias correction of the root is part of `size` and of eps, which saves a division.
        below = torch.sqrt(square, out=self._below).add_(self.eps * root)
        if isinstance(self._decay, float):
            if self._decay:
                values.mul_(1 - factor * self._decay)
        else:
            values.addcmul_(values, self._decay, value=-factor)
        if isinstance(self._rate, float):
            values.addcdiv_(mean, below, value=-size * self._rate)
        else:
            values.addcdiv_(mean * self._rate, below, value=-size)

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
        return self.flat.views(self.mean), self.flat.views(self.square)

    def resume(self, steps: int, mean: Sequence[Tensor], square: Sequence[Tensor]) -> None:
        """Go on as after so many steps, with the moments that there were then."""
        self.steps = steps
        for views, parts in zip(self.moments(), (mean, square), strict=True):
            for view, part in zip(views, parts, strict=True):
                view.copy_(part)

    def _each(self, of_member: Tensor, blocks: Sequence[Block]) -> float | Tensor:
        """One number if all members share it, else a number for each value of some blocks, the last ones."""
        alike = bool((of_member == of_member[0]).all()) and not self.own_rates
        if alike or not blocks:
            return float(of_member[0])
        parts = [of_member.repeat_interleave(prod(block.shape[1:])) for block in blocks]
        filled_up = of_member.new_zeros(len(self.flat.values) - blocks[-1].end)
        return torch.cat([*parts, filled_up]).to(self.flat.values.device)


def _runs(learning_rate: Tensor, weight_decay: Tensor) -> list[_Run]:
    """The runs of members that are alike in rate and decay."""
    numbers = list(zip(learning_rate.tolist(), weight_decay.tolist(), strict=True))
    starts = [index for index, pair in enumerate(numbers) if not index or pair != numbers[index - 1]]
    return [
        (start, end, *numbers[start]) for start, end in zip(starts, [*starts[1:], len(numbers)], strict=True)
    ]


def _of_run(run: _Run, blocks: Sequence[Block], buffers: Sequence[Tensor]) -> _Fused:
    """Rate, decay, and the slices of the buffers that the fused step takes for a run of members."""
    first, last, rate, decay = run
    return rate, decay, [[block.of(buffer)[first:last].view(-1) for block in blocks] for buffer in buffers]
