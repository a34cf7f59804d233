"""Search of a sweep: configurations are drawn, trained in packs, dropped or let go on, and the best ones repeated."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import joblib
import numpy as np

from classification_assets.learning.evaluation.bounds import LOWER_IS_BETTER, Metric
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.sweeps.configurations import Configuration, Member, Shape, members_of
from classification_assets.learning.sweeps.crew import Crew
from classification_assets.learning.sweeps.draws import Draws
from classification_assets.learning.sweeps.halving import Halving
from classification_assets.learning.sweeps.judge import Judge
from classification_assets.learning.sweeps.pack_files import remove_packs
from classification_assets.learning.sweeps.pack_runner import PackRunner
from classification_assets.learning.sweeps.packing import FULL, work_at_most
from classification_assets.learning.sweeps.packs import Task
from classification_assets.learning.sweeps.records import Record, Records
from classification_assets.learning.sweeps.result import SweepResult
from classification_assets.learning.sweeps.scored_rows import SweptRows
from classification_assets.learning.sweeps.selection import CONSIDERED
from classification_assets.learning.sweeps.summing_up import Explored
from classification_assets.learning.sweeps.sweep import Sweep
from classification_assets.learning.sweeps.thumbnails import thumbnails

OnProgress = Callable[[int, int, int, float], None]
"""Called after each pack as ``on_progress(networks, epochs, planned, best)``: networks that have begun, the epochs of
all of them together, how many these may become, and the best score until now or NaN."""

_MUCH = 8_000_000
"""Work from which on processes beside this one are worth their start, see `work_at_most`: 256 small networks' of 800
rows."""

_NEW_SEEDS = 1_000
"""The first repeat of finalists: none of those that the search itself uses."""


def search(
    sweep: Sweep,
    split: Split,
    *,
    metric: Metric = "log_loss",
    training: Training | None = None,
    device: str = "cpu",
    on_progress: OnProgress | None = None,
    folder: Path | None = None,
    threads: int | None = None,
    n_jobs: int | None = None,
) -> SweepResult:
    """Try the configurations of a sweep on a split's training and validation rows; test rows have no part in it.

    The same sweep on the same rows gives the same numbers, whatever the number of processes and however often it was
    interrupted; only a budget of seconds follows from the machine.

    Parameters
    ----------
    sweep : Sweep
    split : Split
    metric : str
        What judges, unless the sweep says so itself.
    training : Training, optional
        Options that are not searched, beneath those of the sweep's architecture. Epochs are the sweep's, and nothing
        stops a network but halving.
    device : str
        cpu, cuda, cuda:N or mps.
    on_progress : callable, optional
    folder : Path, optional
        Where finished packs are kept until the end: a search that was interrupted goes on there.
    threads : int, optional
        Threads of the CPU for each process; by default one, which alone gives the same in every pack.
    n_jobs : int, optional
        Processes; by default as many as there are cores if there is enough to do, and one on a GPU.

    Raises
    ------
    ValueError
        If the rows cannot judge, or the space holds a configuration that cannot be built.
    FloatingPointError
        If every configuration diverged.
    ImportError
        If the sampler is one of Optuna's, which is not installed.
    """
    rows = SweptRows.of(split, sweep.folds, sweep.seed, device)
    judge = Judge(rows, sweep.metric or metric, split.classes)
    with tempfile.TemporaryDirectory(prefix="classification-assets-sweep-") as temporary:
        kept = folder or Path(temporary)
        kept.mkdir(parents=True, exist_ok=True)
        # Not as many threads as there are: sums that threads share are rounded in another way than those of one.
        with Crew(rows, _processes(n_jobs, sweep, rows), kept, device, threads or 1) as crew:
            # What the architecture sets of its own counts here as anywhere.
            fixed = sweep.architecture.trained_with((training or Training()).replaced(members=1)).replaced(
                max_epochs=sweep.max_epochs, early_stopping=False, members=1
            )
            runner = PackRunner(sweep, rows, fixed, judge.metric, crew)
            running = _Search(sweep, judge, fixed, runner, on_progress)
            running.explore()
            running.repeat_finalists()
        result = running.explored().result(thumbnails(running.records, split, kept, runner.drops))
    if folder is not None:
        remove_packs(folder)
    return result


def _processes(n_jobs: int | None, sweep: Sweep, rows: SweptRows) -> int:
    if not rows.can_be_sent:
        return 1
    if n_jobs is None:
        return joblib.cpu_count() if work_at_most(sweep, len(rows.learned[0])) >= _MUCH else 1
    return joblib.effective_n_jobs(n_jobs)


class _Search:
    """A search that is under way."""

    def __init__(
        self,
        sweep: Sweep,
        judge: Judge,
        training: Training,
        runner: PackRunner,
        on_progress: OnProgress | None,
    ) -> None:
        self.sweep, self.judge, self.runner, self.on_progress = sweep, judge, runner, on_progress
        self.sign = 1 if judge.metric in LOWER_IS_BETTER else -1
        self.draws = Draws(sweep, training, judge.metric in LOWER_IS_BETTER)
        self.halving = Halving(sweep.rungs, sweep.halving)
        self.records = Records(judge)
        self.begun, self.trained = 0, 0
        self.finalists: list[tuple[Configuration, list[float]]] = []

    def explore(self) -> None:
        """Draw, train and drop until the budget is spent and nobody is left to go on."""
        more, waiting = True, defaultdict[tuple[Shape, int], list[int]](list)
        drawn = self.draws.configurations

        def go_on(promoted: list[tuple[int, int]]) -> None:
            for index, rung in promoted:
                waiting[drawn[index].shape, rung + 1].append(index)

        while True:
            go_on(self.halving.promoted())
            self.draws.tell(self.records, self.halving)
            new = self.draws.more() if more else []
            more = more and bool(new)
            if not more and not any(waiting.values()):
                go_on(self.halving.stragglers())
            tasks = self._tasks(new, 0)
            for (_, rung), indices in waiting.items():
                if not more or len(indices) * self.sweep.networks_each >= FULL:
                    tasks += self._tasks([drawn[index] for index in indices], rung)
                    indices.clear()
            if not tasks:
                break
            self._train(tasks)
            more = more and not self.runner.is_out_of_time
        if not self.halving.finished():
            raise self._all_failed()

    def repeat_finalists(self) -> None:
        """Train the best configurations again with new seeds; the best mean wins."""
        finished = self.halving.finished()
        best = sorted(finished, key=lambda index: (finished[index], index))[: self.sweep.finalists]
        repeats = range(_NEW_SEEDS, _NEW_SEEDS + self.sweep.repeats)
        chosen = [self.draws.configurations[index] for index in best]
        again = Records(self.judge)
        tasks = self.runner.tasks(self._members(chosen, repeats), self.sweep.max_epochs)
        for task in self.runner.done(tasks, again):
            self._report(task)
        for configuration in chosen:
            of_repeat = defaultdict[int, list[Record]](list)
            for record in again.networks[configuration.index]:
                of_repeat[record.member.repeat].append(record)
            scores = [
                again.score(records)
                for _, records in sorted(of_repeat.items())
                if not any(record.failed for record in records)
            ]
            self.finalists.append((configuration, scores))
        # One that diverges with other seeds is not to be relied on.
        self.finalists.sort(
            key=lambda found: (
                len(found[1]) < self.sweep.repeats,
                self.sign * float(np.mean(found[1])) if found[1] else np.inf,
            )
        )

    def explored(self) -> Explored:
        """All that was found."""
        return Explored(
            self.sweep,
            self.judge,
            self.records,
            self.halving.finished(),
            self.finalists,
            self.runner.seconds,
            self._stopped(),
        )

    def _members(self, configurations: Sequence[Configuration], repeats: Sequence[int]) -> list[Member]:
        folds, seed = self.judge.rows.folds, self.sweep.seed
        return [member for each in configurations for member in members_of(each, repeats, folds, seed)]

    def _tasks(self, configurations: Sequence[Configuration], rung: int) -> list[Task]:
        members = self._members(configurations, range(self.sweep.seeds))
        lies = {member.name: self.records.of[member.name].lies for member in members} if rung else None
        return self.runner.tasks(members, self.sweep.rungs[rung], lies)

    def _train(self, tasks: list[Task]) -> None:
        """Do tasks, and judge the configurations whose networks have all come as far."""
        for task in self.runner.done(tasks, self.records, limited=True):
            rung = self.sweep.rungs.index(task.until)
            for index in {member.configuration.index for member in task.members}:
                score = self.records.judged(index, self.sweep.networks_each)
                if score is not None:
                    self.halving.record(rung, index, self.sign * score)
            if not task.earlier:
                self.begun += len(task.members)
            self._report(task)
        self.records.forget(CONSIDERED, self.halving.finished())

    def _report(self, task: Task) -> None:
        before = self.sweep.rungs[self.sweep.rungs.index(task.until) - 1] if task.earlier else 0
        self.trained += len(task.members) * (task.until - before)
        if self.on_progress is not None:
            planned = max(self.sweep.planned_epochs, self.trained)
            self.on_progress(self.begun, self.trained, planned, self.sign * self.halving.best())

    def _stopped(self) -> str:
        """Why fewer networks were begun than planned; nothing for a grid, which is all there is."""
        if self.draws.used_up:
            return "" if self.sweep.sampler == "grid" else "the space holds no more configurations"
        left = self.begun < self.sweep.configurations * self.sweep.networks_each
        return f"no more were begun after {self.sweep.seconds:g} s" if left else ""

    def _all_failed(self) -> FloatingPointError:
        rates = [record.member.configuration.training.learning_rate for record in self.records.of.values()]
        lowest = float(np.min(rates)) if rates else 0.0
        usual = Training.model_fields["learning_rate"].default
        where = "space" if "learning_rate" in self.sweep.space.parameters() else "training"
        n = len(self.records.failed)
        which = f"losses of all {n:,} configurations" if n > 1 else "loss of the only configuration"
        return FloatingPointError(
            f"sweep: the {which} stopped being finite, the lowest "
            f"learning rate being {lowest:.3g}; lower {where}.learning_rate, to {min(usual, lowest / 10):.3g} say, or "
            "weight_decay and input_noise"
        )
