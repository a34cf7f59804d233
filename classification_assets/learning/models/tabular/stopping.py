"""When the recipe for tables stops training a kind of network: few rows are learned within a few epochs.

Shapes: K members.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import torch
from torch import Tensor

from classification_assets.learning.packed.training import OnEpoch

WORSE, LESS_ACCURATE = 1.1, 0.01
"""How many times its lowest the loss must be, and how far below its highest the accuracy, for a kind to stop."""


class KindStopping:
    """An `on_epoch` that stops all members of a kind together, at a checkpoint.

    The loss alone would not do: calibrated, a network that is too sure may still be the better one. So both must
    have become worse, the mean loss and the mean accuracy of the kind's members on the rows that each never saw.

    Parameters
    ----------
    kinds : sequence of K
        What tells the kinds apart.
    epochs : collection of int
        After which a kind may stop.
    told : callable, optional
        Another `on_epoch`, which is only told.
    """

    def __init__(self, kinds: Sequence[object], epochs: Collection[int], told: OnEpoch | None = None) -> None:
        self.of_kind = [np.array([own == kind for own in kinds]) for kind in dict.fromkeys(kinds)]
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
        for kind in self.of_kind:
            # Failed members have none.
            there = kind & np.isfinite(loss[-1])
            if there.any():
                own, right = loss[:, there].mean(1), accuracy[:, there].mean(1)
                stopped[kind] = own[-1] > WORSE * own.min() and right[-1] < right.max() - LESS_ACCURATE
        return torch.from_numpy(stopped)
