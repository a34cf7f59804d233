"""Networks of a sweep by their hyper-parameters, and how they do in a pack."""

import tempfile
from pathlib import Path

import torch

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed.options import Training
from classification_assets.learning.sweeps.configurations import Configuration, Member, members_of
from classification_assets.learning.sweeps.pack_files import states
from classification_assets.learning.sweeps.packing import tasks_of
from classification_assets.learning.sweeps.packs import Outcome, Task, done
from classification_assets.learning.sweeps.scored_rows import SweptRows

EPOCHS = 6

DIFFERENT = [
    {"learning_rate": 0.05, "weight_decay": 0.1, "dropout": 0.0, "mixup": 0.0},
    {"learning_rate": 0.001, "weight_decay": 0.0, "dropout": 0.3, "input_noise": 0.2},
    {"learning_rate": 0.2, "weight_decay": 0.01, "label_smoothing": 0.1, "mixup": 0.5},
    {"learning_rate": 0.01, "weight_decay": 0.0, "dropout": 0.1, "input_noise": 0.05},
    {"learning_rate": 0.08, "weight_decay": 0.5, "label_smoothing": 0.05},
]
"""Everything of which members of a pack may have their own."""

TRAINING = Training(members=1, max_epochs=EPOCHS, early_stopping=False, batch_size=33)


def members(
    architecture: MLP,
    configurations: list[dict] = DIFFERENT,
    folds: int = 1,
    training: Training = TRAINING,
) -> list[Member]:
    """One network of each configuration and fold."""
    return [
        member
        for index, values in enumerate(configurations)
        for member in members_of(Configuration.of(index, values, architecture, training), [0], folds, 7)
    ]


class Trained:
    """Members of one shape, trained as one pack until an epoch.

    Attributes
    ----------
    task : Task
    outcome : Outcome
    """

    def __init__(
        self,
        rows: SweptRows,
        chosen: list[Member],
        until: int = EPOCHS,
        folder: Path | None = None,
        earlier: dict | None = None,
        threads: int | None = 1,
    ) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="sweep-"))
        (self.task,) = tasks_of(chosen, rows, until, "cpu", "", True, earlier)
        self.task: Task
        self.outcome: Outcome = done(rows, self.task, self.folder, "cpu", threads)

    def network(self, place: int) -> dict[str, torch.Tensor]:
        """The state of a member."""
        assert not self.outcome.failed[place]
        place -= int(self.outcome.failed[:place].sum())
        return {name: value[place] for name, value in states(self.folder, self.task.key).items()}

    def lies(self) -> dict:
        """Where each member that has not failed was paused."""
        running = [m for m, failed in zip(self.task.members, self.outcome.failed, strict=True) if not failed]
        return {member.name: (self.task.key, place) for place, member in enumerate(running)}


def assert_same(one: Trained, here: int, other: Trained, there: int) -> None:
    """A member of a pack is, bit for bit, a member of another."""
    first, second = one.network(here), other.network(there)
    assert first.keys() == second.keys()
    different = [name for name in first if not torch.equal(first[name], second[name])]
    assert not different
    p, q = one.outcome.probabilities[here], other.outcome.probabilities[there]
    assert p.tobytes() == q.tobytes()
