"""Numbers of each member of a pack, and the choice of some members."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Literal, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)

PerMember = float | Sequence[float]
"""One number for all members, or one a member."""


class PackedNetwork(nn.Module):
    """Base of packed networks: K networks of one shape, whose every parameter and buffer leads with the member.

    Shape: (K, N, D) to logits (K, N, C).
    """

    kind: ClassVar[Literal["networks", "linear"]] = "networks"
    """The name of such a pack in a stored model: networks drawn from seeds, or linear models."""

    members_in_turn: ClassVar[bool] = False
    """True if prediction computes member after member, so that only one member's layer is held at a time."""

    one_call_at_a_time: ClassVar[bool] = False
    """True if only one thread may predict at a time."""

    def own_stream(self, device: torch.device) -> AbstractContextManager[None]:
        """The random numbers of a call, where layers draw from PyTorch's generators and not from pools of their own."""
        return nullcontext()

    @property
    def n_members(self) -> int:
        """K."""
        return next(self.parameters()).shape[0]

    @property
    def values_a_row(self) -> int:
        """Numbers a row that the widest layer holds at one time."""
        widest = max(parameter.shape[1] if parameter.ndim > 1 else 1 for parameter in self.parameters())
        return widest if self.members_in_turn else widest * self.n_members


def filled(number: float, *shape: int) -> Tensor:
    """A tensor of one number, float32 on the CPU: PyTorch's own defaults are the caller's, who may have others."""
    return torch.full(shape, number, dtype=torch.float32, device="cpu")


def per_member(value: Any, n_members: int) -> Tensor:
    """A number, or one a member, as a float32 tensor (K,).

    Raises
    ------
    ValueError
        If there are several numbers, but not one a member.
    """
    numbers = torch.as_tensor(value, dtype=torch.float32, device="cpu")
    if numbers.ndim > 0 and len(numbers) != n_members:
        raise ValueError(f"expected one number, or {n_members} (one a member), got {len(numbers)} numbers")
    return numbers.expand(n_members).clone()


def select_members(network: Network, keep: Tensor) -> Network:
    """A packed network of some members of another, random numbers and all.

    Parameters
    ----------
    network : nn.Module
        A packed network; it stays as it is.
    keep : Tensor
        Indices (K',) or a mask (K,) of the members to keep.
    """
    selected = copy.deepcopy(network)
    for owner, name, parameter in _owned(selected, "named_parameters"):
        setattr(owner, name, nn.Parameter(parameter.detach()[keep], requires_grad=parameter.requires_grad))
    for owner, name, buffer in _owned(selected, "named_buffers"):
        setattr(owner, name, buffer[keep])
    return selected


def _owned(network: nn.Module, listing: str) -> Iterator[tuple[nn.Module, str, Tensor]]:
    for owner in network.modules():
        for name, tensor in list(getattr(owner, listing)(recurse=False)):
            yield owner, name, tensor
