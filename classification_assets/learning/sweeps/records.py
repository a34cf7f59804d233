"""Records: every network of a sweep and how it did, and the score of every configuration."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from classification_assets.learning.evaluation.bounds import LOWER_IS_BETTER
from classification_assets.learning.sweeps.configurations import Configuration, Member
from classification_assets.learning.sweeps.judge import Judge
from classification_assets.learning.sweeps.packs import Name, Outcome, Task


@dataclass
class Record:
    """A network and how it has done until now.

    Attributes
    ----------
    member : Member
    epochs : int
        That it was trained.
    failed : bool
        Whether its loss stopped being finite.
    log_loss, accuracy : float
        On the rows that judge it.
    train_loss, seconds : float
    curve : list of float
        Log loss after each epoch.
    lies : (key, index)
        The file in which it lies, and its place there.
    probabilities : array (V, C) or None
        Of the rows that judge it; None once its configuration is not among the best.
    """

    member: Member
    epochs: int = 0
    failed: bool = False
    log_loss: float = np.nan
    accuracy: float = np.nan
    train_loss: float = np.nan
    seconds: float = 0.0
    curve: list[float] = field(default_factory=list)
    lies: tuple[str, int] = ("", 0)
    probabilities: np.ndarray | None = None


class Records:
    """All networks of a search.

    Parameters
    ----------
    judge : Judge

    Attributes
    ----------
    of : dict of name to Record
    scores : dict of int to float
        Of each configuration that has not failed, in the judge's metric, as it was last judged.
    failed : set of int
        Configurations of which a network diverged.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge, self.of = judge, dict[Name, Record]()
        self.scores, self.failed = dict[int, float](), set[int]()
        self.networks = dict[int, list[Record]]()

    def note(self, task: Task, outcome: Outcome) -> None:
        """Take in how a pack's networks did."""
        place = 0
        for index, member in enumerate(task.members):
            if member.name not in self.of:
                self.of[member.name] = Record(member)
                self.networks.setdefault(member.configuration.index, []).append(self.of[member.name])
            record = self.of[member.name]
            record.epochs, record.failed = task.until, bool(outcome.failed[index])
            record.curve += outcome.curve[:, index].tolist()
            record.train_loss = float(outcome.train_loss[index])
            record.seconds += outcome.seconds / len(task.members)
            if record.failed:
                record.probabilities = None
                self.failed.add(member.configuration.index)
                continue
            # A copy: a view would keep those of the whole pack.
            record.probabilities = outcome.probabilities[index].copy()
            record.log_loss, record.accuracy = self.judge.of_network(member.fold, record.probabilities)
            record.lies, place = (outcome.key, place), place + 1

    def judged(self, configuration: int, networks: int) -> float | None:
        """Score a configuration of so many networks; None if one has failed, or not all were trained as far."""
        records = self.networks.get(configuration, [])
        if configuration in self.failed:
            self.scores.pop(configuration, None)
            return None
        if len(records) < networks or len({record.epochs for record in records}) > 1:
            return None
        self.scores[configuration] = self.score(records)
        return self.scores[configuration]

    def score(self, records: Sequence[Record]) -> float:
        """The score of the mean probabilities of networks of a configuration, of one seed or of several."""
        return self.judge.score(self.probabilities(records))

    def probabilities(self, records: Iterable[Record]) -> list[np.ndarray]:
        """Mean probabilities (V, C) of networks of a configuration, an array a fold."""
        folds: dict[int, list[np.ndarray]] = {}
        for record in records:
            assert record.probabilities is not None
            folds.setdefault(record.member.fold, []).append(record.probabilities)
        return [
            np.mean(folds[fold], axis=0) if len(folds[fold]) > 1 else folds[fold][0] for fold in sorted(folds)
        ]

    def best(self, most: int, among: Collection[int] | None = None) -> list[int]:
        """The configurations of the best scores, the best first; `among` some of them or all."""
        sign = 1 if self.judge.metric in LOWER_IS_BETTER else -1
        known = self.scores if among is None else [index for index in among if index in self.scores]
        return sorted(known, key=lambda index: (sign * self.scores[index], index))[:most]

    def forget(self, most: int, finished: Collection[int]) -> None:
        """Keep probabilities of the best configurations alone, and of the best of those that are finished."""
        kept = {*self.best(most), *self.best(most, finished)}
        for index, records in self.networks.items():
            if index not in kept:
                for record in records:
                    record.probabilities = None

    def remembered(self) -> list[int]:
        """Configurations of which probabilities are still there: the best ones."""
        return [
            index
            for index in self.scores
            if all(record.probabilities is not None for record in self.networks[index])
        ]

    def configuration(self, index: int) -> Configuration:
        """A configuration by its number."""
        return self.networks[index][0].member.configuration
