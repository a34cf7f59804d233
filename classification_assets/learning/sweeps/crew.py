"""Crew: this process and others beside it, which do a sweep's tasks together.

A process takes seconds to import PyTorch, in which this one trains hundreds of networks: so it works along, and hands
tasks to the others from when they are ready.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

import joblib
from joblib.externals.loky import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

from classification_assets.learning.sweeps.packs import Outcome, Task, done
from classification_assets.learning.sweeps.scored_rows import SweptRows

_IN_HAND = 2
"""Tasks that a process has at a time: the second is there when the first is done."""

_IDLE = 60
"""Seconds after which a process ends by itself, should this one be killed."""

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class Crew(AbstractContextManager["Crew"]):
    """Processes that do tasks.

    Parameters
    ----------
    rows : SweptRows
    processes : int
        This one and others.
    folder : Path
        Where finished packs are kept.
    device : str
    threads : int
        Threads of each process.

    Attributes
    ----------
    starting : set of Future
        One of each other process that may not be ready yet.
    """

    def __init__(self, rows: SweptRows, processes: int, folder: Path, device: str, threads: int) -> None:
        self.rows, self.processes, self.folder = rows, processes, folder
        self.device, self.threads = device, threads
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._pool: ProcessPoolExecutor | None = None
        self.starting: set[Future] = set()

    def __enter__(self) -> Self:
        if self.processes > 1:
            # Once for all tasks, and mapped into the memory of each process.
            self._temporary = tempfile.TemporaryDirectory(prefix="classification-assets-rows-")
            self._stored = Path(self._temporary.name) / "rows"
            joblib.dump(self.rows, self._stored)
            self._pool = ProcessPoolExecutor(self.processes - 1, timeout=_IDLE, env=_ONE_THREAD)
            self.starting = {self._pool.submit(_rows, self._stored) for _ in range(self.processes - 1)}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=True)
        if self._temporary is not None:
            self._temporary.cleanup()

    def outcomes(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """The outcome of each task, in their order; one that has failed raises its error."""
        left, handed, found = deque(enumerate(tasks)), dict[Future, int](), dict[int, Outcome]()
        for place in range(len(tasks)):
            while place not in found:
                self._hand_out(left, handed)
                if left:
                    own, task = left.popleft()
                    found[own] = done(self.rows, task, self.folder, self.device, self.threads)
                else:
                    wait(handed, return_when=FIRST_COMPLETED)
                for future in [future for future in handed if future.done()]:
                    found[handed.pop(future)] = future.result()
            yield found.pop(place)

    def _hand_out(self, left: deque[tuple[int, Task]], handed: dict[Future, int]) -> None:
        if self._pool is None:
            return
        self.starting = {future for future in self.starting if not future.done()}
        ready = self.processes - 1 - len(self.starting)
        while left and len(handed) < _IN_HAND * ready:
            place, task = left.popleft()
            handed[self._pool.submit(_done, self._stored, task, self.folder, self.device, self.threads)] = (
                place
            )


def _done(stored: Path, task: Task, folder: Path, device: str, threads: int) -> Outcome:
    return done(_rows(stored), task, folder, device, threads)


@lru_cache(maxsize=1)
def _rows(stored: Path) -> SweptRows:
    return joblib.load(stored, mmap_mode="c")
