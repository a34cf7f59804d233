"""Asynchronous successive halving: which configurations go on, decided as results come in.

After Li et al. 2020, "A system for massively parallel hyperparameter tuning" (ASHA): a configuration goes on from a
rung if it is among the best 1 in `halving` of all that have reached it so far. Results come in packs and in an order
that follows from the seed alone, so the same sweep drops the same whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Halving:
    """Rungs, the scores of the configurations that have reached each, and who has gone on.

    Parameters
    ----------
    rungs : sequence of R ints
        Epochs; the last one is the end.
    halving : int or None
        One in so many goes on; None: all do.
    """

    def __init__(self, rungs: Sequence[int], halving: int | None) -> None:
        self.rungs, self.halving = tuple(rungs), halving
        self.losses: list[dict[int, float]] = [{} for _ in rungs]
        """Losses of each rung by configuration: a smaller one is better."""
        self.gone_on: list[set[int]] = [set() for _ in rungs]

    def record(self, rung: int, configuration: int, loss: float) -> None:
        """Note a configuration's loss at a rung; one that has failed has none, and is not noted."""
        self.losses[rung][configuration] = loss

    def promoted(self) -> list[tuple[int, int]]:
        """Configurations that now go on, with the rung that they leave, and note that they do."""
        found: list[tuple[int, int]] = []
        for rung, losses in enumerate(self.losses[:-1]):
            # Sorted by index as well, so that equal losses do not follow from the order of a dictionary.
            best = sorted(losses, key=lambda index: (losses[index], index))
            best = best[: len(losses) // (self.halving or 1)]
            new = [index for index in best if index not in self.gone_on[rung]]
            self.gone_on[rung].update(new)
            found += [(index, rung) for index in new]
        return found

    def stragglers(self) -> list[tuple[int, int]]:
        """As `promoted` when no more come, until one has reached the end: the best of those that have come farthest."""
        for rung, losses in reversed(list(enumerate(self.losses[:-1]))):
            left = [index for index in losses if index not in self.gone_on[rung]]
            if left and not self.losses[-1]:
                best = min(left, key=lambda index: (losses[index], index))
                self.gone_on[rung].add(best)
                return [(best, rung)]
        return []

    def finished(self) -> dict[int, float]:
        """Losses of the configurations that were trained to their end."""
        return self.losses[-1]

    def best(self) -> float:
        """The smallest loss at the highest rung that anyone has reached; NaN if there is none."""
        reached = [losses for losses in self.losses if losses]
        return min(reached[-1].values()) if reached else np.nan
