"""Search of a sweep: configurations are drawn, trained in packs, dropped or let go on, and the best ones repeated."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import joblib
import numpy as np
import torch

from classification_assets.learning.evaluation.bounds import LOWER_IS_BETTER, Metric
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.sweeps import tables
from classification_assets.learning.sweeps.configurations import Configuration, Member, Shape, members_of
from classification_assets.learning.sweeps.halving import Halving
from classification_assets.learning.sweeps.packing import FULL, hashed, tasks_of, work_at_most, work_of
from classification_assets.learning.sweeps.pack_files import remove_packs
from classification_assets.learning.sweeps.packs import Task, done
from classification_assets.learning.sweeps.records import Record, Records
from classification_assets.learning.sweeps.result import Summary, SweepResult
from classification_assets.learning.sweeps.sampling import sampler_of
from classification_assets.learning.sweeps.scored_rows import Judge, SweptRows
from classification_assets.learning.sweeps.selection import CONSIDERED, corrected, optimism
from classification_assets.learning.sweeps.sweep import Sweep
from classification_assets.learning.sweeps.thumbnails import thumbnails

OnProgress = Callable[[int, int, int, float], None]
"""Called after each pack as ``on_progress(networks, epochs, planned, best)``: networks that have begun, the epochs of
all of them together, how many these may become, and the best score until now or NaN."""

ROUND = 1024
"""Networks that are drawn at a time, at most: between two rounds a sampler learns, and halving drops."""

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
    judge = Judge(rows, sweep.metric or metric)
    with tempfile.TemporaryDirectory(prefix="classification-assets-sweep-") as temporary:
        kept = folder or Path(temporary)
        kept.mkdir(parents=True, exist_ok=True)
        with joblib.Parallel(
            n_jobs=_processes(n_jobs, sweep, rows), return_as="generator", batch_size=1
        ) as parallel:
            running = _Search(sweep, rows, judge, training or Training(), device, on_progress, kept)
            running.train_with(parallel, threads)
            running.explore()
            running.repeat_finalists()
        result = running.result(split)
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
        rows: SweptRows,
        judge: Judge,
        training: Training,
        device: str,
        on_progress: OnProgress | None,
        folder: Path,
    ) -> None:
        self.sweep, self.rows, self.judge, self.device, self.folder = sweep, rows, judge, device, folder
        self.on_progress = on_progress
        self.sign = 1 if judge.metric in LOWER_IS_BETTER else -1
        # What the architecture sets of its own counts here as anywhere.
        self.training = sweep.architecture.trained_with(training.replaced(members=1)).replaced(
            max_epochs=sweep.max_epochs, early_stopping=False, members=1
        )
        self.drops = "dropout" in sweep.space.parameters() or bool(sweep.architecture.dropout)
        self.sampler = sampler_of(sweep, judge.metric in LOWER_IS_BETTER)
        self.halving = Halving(sweep.rungs, sweep.halving)
        self.records = Records(judge)
        self.configurations: list[Configuration] = []
        self.told: set[int] = set()
        self.begun, self.trained = 0, 0
        self.finalists: list[tuple[Configuration, list[float]]] = []
        self.started, self.used_up = time.monotonic(), False
        self.fingerprint = hashed(
            sweep.model_dump(mode="json", exclude={"seconds", "networks"}),
            self.training.model_dump(mode="json"),
            judge.metric,
            rows.fingerprint,
            device,
            torch.__version__,
        )

    def train_with(self, parallel: joblib.Parallel, threads: int | None) -> None:
        """Set what tasks are done by."""
        self.parallel = parallel
        # Not as many as there are: sums that threads share are rounded in another way than those of one.
        self.threads = threads or 1

    def explore(self) -> None:
        """Draw, train and drop until the budget is spent and nobody is left to go on."""
        more, waiting = True, defaultdict[tuple[Shape, int], list[int]](list)

        def go_on(promoted: list[tuple[int, int]]) -> None:
            for index, rung in promoted:
                waiting[self.configurations[index].shape, rung + 1].append(index)

        while True:
            go_on(self.halving.promoted())
            self._tell()
            new = self._drawn() if more else []
            more = more and bool(new)
            if not more and not any(waiting.values()):
                go_on(self.halving.stragglers())
            tasks = self._tasks(new, 0)
            for (_, rung), indices in waiting.items():
                if not more or len(indices) * self._networks_each >= FULL:
                    tasks += self._tasks([self.configurations[index] for index in indices], rung)
                    indices.clear()
            if not tasks:
                break
            self._train(tasks)
            more = more and not self._out_of_time()
        if not self.halving.finished():
            raise self._all_failed()

    def repeat_finalists(self) -> None:
        """Train the best configurations again with new seeds; the best mean wins."""
        finished = self.halving.finished()
        best = sorted(finished, key=lambda index: (finished[index], index))[: self.sweep.finalists]
        repeats = range(_NEW_SEEDS, _NEW_SEEDS + self.sweep.repeats)
        chosen = [self.configurations[index] for index in best]
        members = [member for each in chosen for member in self._members(each, repeats)]
        again = Records(self.judge)
        tasks = list(
            tasks_of(members, self.rows, self.sweep.max_epochs, self.device, self.fingerprint, self.drops)
        )
        for task in self._done(tasks, again):
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

    def result(self, split: Split) -> SweepResult:
        """All that was found."""
        records = self.records
        summarized = tables.networks(
            records, self.sweep.rungs, self._networks_each, self.rows.X.shape[1], self.rows.n_classes
        )
        winner, scores = self.finalists[0]
        finished = self.halving.finished()
        best = self.sign * min(finished.values())
        expected = corrected(
            self.judge,
            {
                index: np.concatenate(records.probabilities(records.networks[index]))
                for index in records.remembered()
            },
            self.sweep.seed,
        )
        summary = Summary(
            metric=self.judge.metric,
            swept=tuple(
                name
                for name, parameter in self.sweep.space.parameters().items()
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
            n_networks=len(summarized) + len(self.finalists) * self.sweep.repeats * self.rows.folds,
            n_dropped=len(records.scores) - len(finished),
            n_failed=len(records.failed),
            epochs=int(summarized["epochs"].sum())
            + len(self.finalists) * self.sweep.repeats * self.rows.folds * self.sweep.max_epochs,
            seconds=time.monotonic() - self.started,
            sampler=self.sweep.sampler,
            seed=self.sweep.seed,
            max_epochs=self.sweep.max_epochs,
            stopped=self._stopped(),
        )
        return SweepResult(
            summarized,
            tables.finalists(self.finalists, records),
            summary,
            thumbnails(records, split, self.folder, self.drops),
        )

    @property
    def _networks_each(self) -> int:
        return self.sweep.seeds * self.sweep.folds

    def _drawn(self) -> list[Configuration]:
        """New configurations, no more than the budget holds."""
        left = self.sweep.configurations - len(self.configurations)
        first = len(self.configurations)
        # As many again as are known, which double with every round: a sampler that learns does so from the start, and
        # what it draws does not follow from the budget.
        networks = max(FULL, first * self._networks_each) if self.sampler.learns else ROUND
        values = self.sampler.ask(min(left, max(1, min(ROUND, networks) // self._networks_each)))
        self.configurations += [
            Configuration.of(first + place, chosen, self.sweep.architecture, self.training)
            for place, chosen in enumerate(values)
        ]
        self.used_up = not values and left > 0
        return self.configurations[first:]

    def _members(self, configuration: Configuration, repeats: Sequence[int]) -> list[Member]:
        return list(members_of(configuration, repeats, self.rows.folds, self.sweep.seed))

    def _tasks(self, configurations: Sequence[Configuration], rung: int) -> list[Task]:
        members = [
            member for each in configurations for member in self._members(each, range(self.sweep.seeds))
        ]
        lies = {member.name: self.records.of[member.name].lies for member in members} if rung else None
        until = self.sweep.rungs[rung]
        return list(tasks_of(members, self.rows, until, self.device, self.fingerprint, self.drops, lies))

    def _train(self, tasks: list[Task]) -> None:
        """Do tasks, and judge the configurations whose networks have all come as far."""
        for task in self._done(tasks, self.records):
            rung = self.sweep.rungs.index(task.until)
            for index in {member.configuration.index for member in task.members}:
                score = self.records.judged(index, self._networks_each)
                if score is not None:
                    self.halving.record(rung, index, self.sign * score)
            if not task.earlier:
                self.begun += len(task.members)
            self._report(task)
        self.records.forget(CONSIDERED, self.halving.finished())

    def _done(self, tasks: list[Task], records: Records) -> Iterator[Task]:
        """Do tasks, largest first so that no process waits long for the last, and note how they went.

        After the time, networks are begun only until there is one configuration; those that have begun go on.
        """
        order = sorted(tasks, key=work_of, reverse=True)
        # Where time may run out, few at once: what was handed out is done.
        limited = self.sweep.seconds is not None and records is self.records
        at_once = 4 * self.parallel.n_jobs if limited else max(1, len(order))
        for start in range(0, len(order), at_once):
            some = order[start : start + at_once]
            if limited and (records.scores or records.failed) and self._out_of_time():
                some = [task for task in some if task.earlier]
            calls = [
                joblib.delayed(done)(self.rows, task, self.folder, self.device, self.threads) for task in some
            ]
            for task, outcome in zip(some, self.parallel(calls), strict=True):
                records.note(task, outcome)
                yield task

    def _report(self, task: Task) -> None:
        before = self.sweep.rungs[self.sweep.rungs.index(task.until) - 1] if task.earlier else 0
        self.trained += len(task.members) * (task.until - before)
        if self.on_progress is not None:
            planned = max(self._planned(), self.trained)
            self.on_progress(self.begun, self.trained, planned, self.sign * self.halving.best())

    def _planned(self) -> int:
        """Epochs of all networks, if every rung is reached by as many as halving lets go on."""
        networks, before, epochs = self.sweep.configurations * self._networks_each, 0, 0.0
        for rung, until in enumerate(self.sweep.rungs):
            epochs += networks / (self.sweep.halving or 1) ** rung * (until - before)
            before = until
        again = self.sweep.finalists * self.sweep.repeats * self.rows.folds
        return round(epochs) + again * self.sweep.max_epochs

        if self.on_progress is not None:
            planned = max(self._planned(), self.trained)
            self.on_progress(self.begun, self.trained, planned, self.sign * self.halving.best())

    def _tell(self) -> None:
        """Tell the sampler of configurations that have ended, or do not go on for now, each once."""
        finished, scores = self.halving.finished(), self.records.scores
        for index, records in self.records.networks.items():
            rung = self.sweep.rungs.index(records[0].epochs)
            goes_on = index in self.halving.gone_on[rung] and index not in self.records.failed
            if index in self.told or goes_on:
                continue
            if index in scores or index in self.records.failed:
                self.sampler.tell(index, scores.get(index), records[0].epochs, dropped=index not in finished)
                self.told.add(index)

    def _out_of_time(self) -> bool:
        return self.sweep.seconds is not None and time.monotonic() - self.started >= self.sweep.seconds

    def _stopped(self) -> str:
        """Why fewer networks were begun than planned; nothing for a grid, which is all there is."""
        if self.used_up:
            return "" if self.sweep.sampler == "grid" else "the space holds no more configurations"
        left = self.begun < self.sweep.configurations * self._networks_each
        return f"no more were begun after {self.sweep.seconds:g} s" if left else ""

    def _all_failed(self) -> FloatingPointError:
        rates = [record.member.configuration.training.learning_rate for record in self.records.of.values()]
        lowest = float(np.min(rates)) if rates else 0.0
        usual = Training.model_fields["learning_rate"].default
        return FloatingPointError(
            f"sweep: the losses of all {len(self.records.failed)} configurations stopped being finite, the lowest "
            f"learning rate being {lowest:.3g}; lower space.learning_rate, to {min(usual, lowest / 10):.3g} say, or "
            "weight_decay and input_noise"
        )
