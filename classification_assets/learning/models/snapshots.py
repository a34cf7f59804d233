"""The snapshots of a training that are kept, so that one can see how the boundary forms."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

MOST, LEAST = 16, 6
"""Snapshots of a training, at most; if they are too large, fewer, down to the second number."""

BYTES = 8 * 2**20
"""Bytes, at most, of a model's snapshots, in memory and in its file."""


@dataclass(frozen=True)
class SnapshotPlan:
    """The snapshots of a training that are kept.

    Attributes
    ----------
    steps : tuple of int
        Ends of epochs, counted in mini-batches, in geometric distances from 0 to the last one: the boundary changes
        most at first, and a training that stops early has still passed most of them.
    members : int
        Number of the first members that are kept.
    """

    steps: tuple[int, ...]
    members: int


def snapshots(network: nn.Module, n_members: int, max_epochs: int, epoch_steps: int) -> SnapshotPlan:
    """The snapshots that fit into `BYTES`, of a training of `n_members` networks like those of a pack.

    If not all fit, there are fewer snapshots, but at least `LEAST`; if these do not fit, they are of fewer members;
    if not even one member's fit, there are none.
    """
    one = sum(value[0].nbytes for value in network.state_dict().values())
    members = min(n_members, BYTES // (LEAST * one))
    if members == 0:
        return SnapshotPlan((), 0)
    epochs = _epochs(max_epochs, min(MOST, BYTES // (members * one)))
    return SnapshotPlan(tuple(epoch * epoch_steps for epoch in epochs), members)


def _epochs(last: int, most: int) -> list[int]:
    """Up to `most` whole epochs in geometric distances, with 0, 1 and the last one."""
    epochs = [0, 1]
    while (latest := epochs[-1]) < last:
        left = most - len(epochs)
        epochs.append(max(latest + 1, round(latest * (last / latest) ** (1 / left))))
    return epochs
