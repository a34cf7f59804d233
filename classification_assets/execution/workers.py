"""Processes that execute steps for as long as a run lasts, as the run's own process sees them."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import TYPE_CHECKING, Any

from classification_assets.execution.worker_process import ENOUGH, RunToExecute, work

if TYPE_CHECKING:
    from classification_assets.execution.dagster_internals import (
        ExecutionStep,
        KnownExecutionState,
        SerializableErrorInfo,
    )

ENDED = "the process has ended"
"""The last message of each worker."""

_STOP = "stop"


class Worker:
    """A process that executes one step after another.

    Attributes
    ----------
    step : ExecutionStep or None
        What it executes.
    decided : bool
        Whether that step has succeeded, failed, or is to be tried again.
    error : SerializableErrorInfo or None
        What it said of an error of its own.
    """

    def __init__(self, task: RunToExecute, siblings: list[Worker]) -> None:
        # A fork has all that is loaded at once, but none of the threads that torch may have.
        method = "fork" if sys.platform == "linux" and "torch" not in sys.modules else "spawn"
        context = multiprocessing.get_context(method)
        self.connection, theirs = context.Pipe()
        inherited = [self.connection, *(other.connection for other in siblings)] if method == "fork" else []
        self.process: BaseProcess = context.Process(target=work, args=(theirs, task, inherited))  # type: ignore[attr-defined]
        self.process.start()
        theirs.close()
        self.step: ExecutionStep | None = None
        self.decided = False
        self.error: SerializableErrorInfo | None = None

    def execute(self, step: ExecutionStep, known_state: KnownExecutionState) -> None:
        """Let it execute a step."""
        self.step, self.decided = step, False
        self.tell((step.key, known_state))

    def tell(self, order: Any) -> None:
        # That it has just been killed is seen where messages are looked for.
        with suppress(OSError):
            self.connection.send(order)

    @property
    def end(self) -> str:
        """How its process has ended, in words."""
        code = self.process.exitcode or 0
        if code >= 0:
            return f"ended with exit code {code}"
        killed = f"was killed by signal {-code} ({signal.Signals(-code).name})"
        return f"{killed}; the memory may not suffice for so many steps at one time" if code == -9 else killed


class Workers:
    """At most as many workers as steps were executed at one time, each begun when a step needs it."""

    def __init__(self, task: RunToExecute) -> None:
        self._task = task
        self._all: list[Worker] = []

    @property
    def busy(self) -> list[Worker]:
        """Those that execute a step."""
        return [worker for worker in self._all if worker.step is not None]

    def idle(self) -> tuple[Worker, bool]:
        """A worker that has nothing to do, and whether it is new."""
        for worker in self._all:
            if worker.step is None and worker.process.is_alive():
                return worker, False
        self._all.append(worker := Worker(self._task, self._all))
        return worker, True

    def messages(self, seconds: float) -> Iterator[tuple[Worker, Any]]:
        """Messages that workers have sent, waited for so long; the last of each is `ENDED`."""
        if not self._all:
            time.sleep(seconds)
        ready = wait([worker.connection for worker in self._all], seconds if self._all else 0)
        for worker in list(self._all):
            is_there = worker.process.is_alive()
            if is_there and worker.connection not in ready:
                continue
            try:
                while worker.connection.poll():
                    yield worker, worker.connection.recv()
            except (EOFError, OSError):
                is_there = False
            if not is_there:
                worker.process.join()
                worker.connection.close()
                self._all.remove(worker)
                yield worker, ENDED

    def last_messages(self) -> Iterator[tuple[Worker, Any]]:
        """Let all workers end, which are idle."""
        for worker in self._all:
            worker.tell(ENOUGH)
        while self._all:
            yield from self.messages(1)

    def stop(self) -> None:
        """Interrupt all steps in progress; their workers end."""
        for worker in self._all:
            worker.tell(_STOP)

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave no process behind, whatever has happened."""
        for worker in self._all:
            worker.connection.close()
        for worker in self._all:
            worker.process.join()
