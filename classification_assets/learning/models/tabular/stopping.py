"""Early stopping of whole kinds of networks in the recipe for tables: few rows are learned within a few epochs.

Shapes: K members.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import torch
from torch import Tensor

from classification_assets.learning.packed.training import OnEpoch

WORSE, LESS_ACCURATE = 1.1, 0.01
"""A kind stops when its loss is so many times its lowest, and its accuracy so far below its highest."""


class KindStopping:
    """An `on_epoch` that stops all members of a kind together, at a checkpoint.

    Both the mean loss and the mean accuracy of the kind's members, on the rows that each never saw, must have become
    worse. The loss alone would not do: calibrated, an overconfident network may still be the better one.

    Parameters
    ----------
    kinds : sequence of K
        The kind of each member.
    epochs : collection of int
        Epochs after which a kind may stop.
    told : callable, optional
        Another `on_epoch`, which is called as well but stops nobody.
    """

    def __init__(self, kinds: Sequence[object], epochs: Collection[int], told: OnEpoch | None = None) -> None:
        self.members_of_kinds = [
            np.array([other == kind for other in kinds]) for kind in dict.fromkeys(kinds)
        ]
        self.epochs, self.told = epochs, told
        self.losses: list[np.ndarray] = []
        self.accuracies: list[np.ndarray] = []

    def __call__(self, step: int, last: int, entry: dict[str, Tensor]) -> Tensor | None:
        if self.told:
            self.told(step, last, entry)
        self.losses.append(entry["validation_loss"].numpy())
        self.accuracies.append(entry["validation_accuracy"].numpy())
        if len(self.losses) not in self.epochs:
            return None
        loss, accuracy = np.stack(self.losses), np.stack(self.accuracies)
        stopped = np.zeros(loss.shape[1], bool)
        for members in self.members_of_kinds:
            # Failed members have no losses.
            alive = members & np.isfinite(loss[-1])
            if alive.any():
                mean_loss, right = loss[:, alive].mean(1), accuracy[:, alive].mean(1)
                worse = mean_loss[-1] > WORSE * mean_loss.min()
                stopped[members] = worse and right[-1] < right.max() - LESS_ACCURATE
        return torch.from_numpy(stopped)
