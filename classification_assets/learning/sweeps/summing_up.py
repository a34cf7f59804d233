"""Summing up of a sweep: the result that follows from all that was tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classification_assets.learning.evaluation.bounds import LOWER_IS_BETTER
from classification_assets.learning.sweeps import tables
from classification_assets.learning.sweeps.configurations import Configuration, column_value
from classification_assets.learning.sweeps.judge import Judge
from classification_assets.learning.sweeps.records import Records
from classification_assets.learning.sweeps.result import Summary, SweepResult, Thumbnails
from classification_assets.learning.sweeps.selection import corrected, optimism
from classification_assets.learning.sweeps.sweep import Sweep


@dataclass(frozen=True)
class Explored:
    """A search that has ended.

    Attributes
    ----------
    sweep : Sweep
    judge : Judge
    records : Records
    finished : dict of int to float
        Losses of the configurations that were trained to their end; a smaller one is better.
    finalists : sequence of (Configuration, list of float)
        The winner first, with the scores of its networks of new seeds.
    seconds : float
    stopped : str
        See `Summary`.
    """

    sweep: Sweep
    judge: Judge
    records: Records
    finished: dict[int, float]
    finalists: Sequence[tuple[Configuration, Sequence[float]]]
    seconds: float
    stopped: str

    def result(self, thumbnails: Thumbnails | None) -> SweepResult:
        """All that was found."""
        rows, sweep = self.judge.rows, self.sweep
        networks = tables.networks(
            self.records, sweep.rungs, sweep.networks_each, rows.X.shape[1], rows.n_classes
        )
        again = len(self.finalists) * sweep.repeats * rows.folds
        summary = self._summary(
            len(networks) + again, int(networks["epochs"].sum()) + again * sweep.max_epochs
        )
        return SweepResult(networks, tables.finalists(self.finalists, self.records), summary, thumbnails)

    def _summary(self, n_networks: int, epochs: int) -> Summary:
        records, sweep = self.records, self.sweep
        winner, scores = self.finalists[0]
        best = min(self.finished.values()) * (1 if self.judge.metric in LOWER_IS_BETTER else -1)
        expected = corrected(
            self.judge,
            {
                index: np.concatenate(records.probabilities(records.networks[index]))
                for index in records.remembered()
            },
            sweep.seed,
        )
        return Summary(
            metric=self.judge.metric,
            swept=tuple(
                name
                for name, parameter in sweep.space.parameters().items()
                if len(set(map(str, parameter.extremes()))) > 1
            ),
            winner=winner.index,
            values={
                name: list(value) if isinstance(value, tuple) else value
                for name, value in winner.values.items()
            },
            best_score=best,
            corrected_score=expected,
            optimism=optimism(self.judge.metric, best, expected),
            final_score=float(np.mean(scores)) if scores else np.nan,
            final_error=tables.error(scores),
            n_configurations=len(records.scores) + len(records.failed),
            n_networks=n_networks,
            n_dropped=len(records.scores) - len(self.finished),
            n_failed=len(records.failed),
            epochs=epochs,
            seconds=self.seconds,
            sampler=sweep.sampler,
            seed=sweep.seed,
            max_epochs=sweep.max_epochs,
            stopped=self.stopped,
            conditions={
                name: {
                    other: [column_value(other, value) for value in values]
                    for other, values in parameter.when.items()
                }
                for name, parameter in sweep.space.parameters().items()
                if parameter.when
            },
            seeds=sweep.seeds,
        )
