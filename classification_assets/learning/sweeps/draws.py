"""Draws: the configurations of a sweep, drawn batch by batch, with what became of them told to the sampler."""

from __future__ import annotations

from classification_assets.learning.packed.options import Training
from classification_assets.learning.sweeps.configurations import Configuration
from classification_assets.learning.sweeps.halving import Halving
from classification_assets.learning.sweeps.packing import FULL
from classification_assets.learning.sweeps.records import Records
from classification_assets.learning.sweeps.sampling import sampler_of
from classification_assets.learning.sweeps.sweep import Sweep

ROUND = 1024
"""Networks that are drawn at a time, at most: between two rounds a sampler learns, and halving drops."""


class Draws:
    """Configurations in the order in which they are drawn.

    Parameters
    ----------
    sweep : Sweep
    training : Training
        What is not searched.
    lower_is_better : bool
        Whether a lower score is a better one.

    Attributes
    ----------
    configurations : list of Configuration
        All that were drawn until now.
    used_up : bool
        Whether the space, or the grid, holds no more.

    Raises
    ------
    ImportError
        If the sampler is one of Optuna's, which is not installed.
    """

    def __init__(self, sweep: Sweep, training: Training, lower_is_better: bool) -> None:
        self.sweep, self.training = sweep, training
        self.sampler = sampler_of(sweep, lower_is_better)
        self.configurations: list[Configuration] = []
        self.used_up = False
        self._told: set[int] = set()

    def more(self) -> list[Configuration]:
        """New configurations, no more than the budget holds."""
        each = self.sweep.networks_each
        left = self.sweep.configurations - len(self.configurations)
        first = len(self.configurations)
        # As many again as are known, which double with every round: a sampler that learns does so from the start, and
        # what it draws does not follow from the budget.
        networks = max(FULL, first * each) if self.sampler.learns else ROUND
        values = self.sampler.ask(min(left, max(1, min(ROUND, networks) // each)))
        self.configurations += [
            Configuration.of(first + place, chosen, self.sweep.architecture, self.training)
            for place, chosen in enumerate(values)
        ]
        self.used_up = not values and left > 0
        return self.configurations[first:]

    def tell(self, records: Records, halving: Halving) -> None:
        """Tell the sampler of configurations that have ended, or do not go on for now, each once."""
        finished, scores = halving.finished(), records.scores
        for index, networks in records.networks.items():
            rung = self.sweep.rungs.index(networks[0].epochs)
            goes_on = index in halving.gone_on[rung] and index not in records.failed
            if index in self._told or goes_on:
                continue
            if index in scores or index in records.failed:
                self.sampler.tell(index, scores.get(index), networks[0].epochs, dropped=index not in finished)
                self._told.add(index)
