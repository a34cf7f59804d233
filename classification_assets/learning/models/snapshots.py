"""Which snapshots of a training are kept, so that one can see how the boundary forms."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

MOST, LEAST = 16, 6
"""Snapshots of a training: so many, and if they are too large fewer, down to the second number."""

BYTES = 8 * 2**20
"""What a model's snapshots may take, in memory and in its file."""


@dataclass(frozen=True)
class Snapshots:
    """What is kept of a training.

    Attributes
    ----------
    steps : tuple of int
        Ends of epochs, counted in mini-batches, in geometric distances from 0 to the last one: early on the
        boundary changes most, and a training that stops early has still passed most of them.
    members : int
        How many of the first members are kept.
    """

    steps: tuple[int, ...]
    members: int


def snapshots(network: nn.Module, n_members: int, max_epochs: int, epoch_steps: int) -> Snapshots:
    """The snapshots of a training of `n_members` networks like those of a pack that fit into `BYTES`.

    Too large for all snapshots, fewer are taken; too large for the least number of them, they are of fewer
    members; if not even one member fits, there are none.
    """
    one = sum(value[0].nbytes for value in network.state_dict().values())
    members = min(n_members, BYTES // (LEAST * one))
    if members == 0:
        return Snapshots((), 0)
    epochs = _epochs(max_epochs, min(MOST, BYTES // (members * one)))
    return Snapshots(tuple(epoch * epoch_steps for epoch in epochs), members)


def _epochs(last: int, most: int) -> list[int]:
    """Up to `most` whole epochs in geometric distances, with 0, 1 and the last one."""
    epochs = [0, 1]
    while (latest := epochs[-1]) < last:
        left = most - len(epochs)
        epochs.append(max(latest + 1, round(latest * (last / latest) ** (1 / left))))
    return epochs
