"""PackRunner: trains members of a sweep in packs, in one process or several, until its time is over."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

import torch

from classification_assets.learning.packed.options import Training
from classification_assets.learning.sweeps.configurations import Member
from classification_assets.learning.sweeps.crew import Crew
from classification_assets.learning.sweeps.packing import hashed, tasks_of, work_of
from classification_assets.learning.sweeps.packs import Name, Task
from classification_assets.learning.sweeps.records import Records
from classification_assets.learning.sweeps.scored_rows import SweptRows
from classification_assets.learning.sweeps.sweep import Sweep


class PackRunner:
    """Trains members.

    Parameters
    ----------
    sweep : Sweep
    rows : SweptRows
    training : Training
        What is not searched.
    metric : str
        What judges.
    crew : Crew
        What does the tasks.

    Attributes
    ----------
    drops : bool
        Whether networks have layers that drop units.
    """

    def __init__(
        self,
        sweep: Sweep,
        rows: SweptRows,
        training: Training,
        metric: str,
        crew: Crew,
    ) -> None:
        self.sweep, self.rows, self.crew = sweep, rows, crew
        self.drops = "dropout" in sweep.space.parameters() or bool(sweep.architecture.dropout)
        self.started = time.monotonic()
        self._fingerprint = hashed(
            sweep.model_dump(mode="json", exclude={"seconds", "networks"}),
            training.model_dump(mode="json"),
            metric,
            rows.fingerprint,
            crew.device,
            torch.__version__,
        )

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.started

    @property
    def is_out_of_time(self) -> bool:
        """Whether the sweep's budget of seconds is spent."""
        return self.sweep.seconds is not None and self.seconds >= self.sweep.seconds

    def tasks(
        self, members: Sequence[Member], until: int, lies: Mapping[Name, tuple[str, int]] | None = None
    ) -> list[Task]:
        """Packs of members that are trained until an epoch; see `tasks_of`."""
        return list(
            tasks_of(members, self.rows, until, self.crew.device, self._fingerprint, self.drops, lies)
        )

    def done(self, tasks: Sequence[Task], records: Records, *, limited: bool = False) -> Iterator[Task]:
        """Do tasks, largest first so that no process waits long for the last, and note how they went.

        Where they are `limited` to the sweep's seconds, networks are begun after these only until there is one
        configuration; those that have begun go on.
        """
        order = sorted(tasks, key=work_of, reverse=True)
        limited = limited and self.sweep.seconds is not None
        # Where time may run out, few at once: what was handed out is done.
        at_once = 4 * self.crew.processes if limited else max(1, len(order))
        for start in range(0, len(order), at_once):
            some = order[start : start + at_once]
            if limited and (records.scores or records.failed) and self.is_out_of_time:
                some = [task for task in some if task.earlier]
            for task, outcome in zip(some, self.crew.outcomes(some), strict=True):
                records.note(task, outcome)
                yield task
