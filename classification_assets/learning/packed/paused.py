"""PausedPack: a pack of networks in the middle of its training, to go on with later, whole or in other company.

A member's row order and random numbers follow from its seed and the number of steps alone, so they need not be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class PausedPack:
    """State of K members in the middle of their training, and of their optimizer.

    Attributes
    ----------
    step : int
        Mini-batches that they have been trained on.
    state : dict of str to Tensor (K, ...)
        Parameters and buffers of the network.
    mean, square : lists of P tensors (K, ...)
        Moments of each trained parameter's gradient, in the order of `MemberAdamW.parameters`.
    """

    step: int
    state: dict[str, Tensor]
    mean: list[Tensor]
    square: list[Tensor]

    @property
    def n_members(self) -> int:
        """K."""
        return len(next(iter(self.state.values())))

    def of_members(self, members: Sequence[int]) -> Self:
        """The same of some members, by their indices."""
        chosen = torch.tensor(list(members), dtype=torch.int64, device=next(iter(self.state.values())).device)
        return type(self)(
            self.step,
            {name: value[chosen] for name, value in self.state.items()},
            [value[chosen] for value in self.mean],
            [value[chosen] for value in self.square],
        )

    @classmethod
    def joined(cls, packs: Sequence[Self]) -> Self:
        """Members of several packs as one.

        Raises
        ------
        ValueError
            If they were paused after different numbers of steps.
        """
        if len({pack.step for pack in packs}) != 1:
            raise ValueError(f"packs must have been paused at one step, got {[pack.step for pack in packs]}")
        return cls(
            packs[0].step,
            {name: torch.cat([pack.state[name] for pack in packs]) for name in packs[0].state},
            [torch.cat(parts) for parts in zip(*(pack.mean for pack in packs), strict=True)],
            [torch.cat(parts) for parts in zip(*(pack.square for pack in packs), strict=True)],
        )

    def tensors(self) -> dict[str, Tensor]:
        """All of it by name, as a file holds it."""
        moments = {f"mean/{index:04}": value for index, value in enumerate(self.mean)}
        moments |= {f"square/{index:04}": value for index, value in enumerate(self.square)}
        return {f"state/{name}": value for name, value in self.state.items()} | moments

    @classmethod
    def of_tensors(cls, step: int, tensors: dict[str, Tensor]) -> Self:
        """The pack that `tensors` has given, paused at a step."""

        def under(prefix: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(prefix): value
                for name, value in sorted(tensors.items())
                if name.startswith(prefix)
            }

        return cls(step, under("state/"), list(under("mean/").values()), list(under("square/").values()))
