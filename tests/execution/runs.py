"""Runs of small jobs in processes of their own, and what their instance and their steps tell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psutil

ROOT = Path(__file__).resolve().parents[2]

Kind = dg.DagsterEventType


@dataclass
class Runs:
    """An instance, and the process of a run in it."""

    home: Path
    marks: Path
    instance: dg.DagsterInstance
    process: subprocess.Popen[bytes] | None = None

    def start(self, job: str, choice: str = "multiprocess", *more: str) -> None:
        """Begin a run, in a process group of its own as a terminal's command has."""
        script = Path(__file__).with_name("jobs.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(self.home), choice, *more],
            env=os.environ | {"PYTHONPATH": str(ROOT), "MARKS": str(self.marks), "JOB": job},
            stdout=(self.home / "output").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def ended(self, seconds: float = 60.0) -> int:
        """The exit code of the run's process, once it and all its workers are gone."""
        assert self.process is not None
        family = self.family()
        code = self.process.wait(seconds)
        _, left = psutil.wait_procs(family, seconds)
        assert not left
        return code

    def execute(self, job: str, choice: str = "multiprocess", *more: str) -> dg.DagsterRun:
        self.start(job, choice, *more)
        self.ended()
        return self.run

    @property
    def run(self) -> dg.DagsterRun:
        runs = self.instance.get_runs()
        assert runs, (self.home / "output").read_text()[-3000:]
        return runs[0]

    def family(self) -> list[psutil.Process]:
        """The run's process and all that it has begun."""
        assert self.process is not None
        with suppress(psutil.NoSuchProcess):
            own = psutil.Process(self.process.pid)
            return [own, *own.children(recursive=True)]
        return []

    def pid(self, mark: str) -> int:
        """The process in which a step has said that it is there."""
        self.wait_until((self.marks / mark).exists)
        return int((self.marks / mark).read_text())

    def has(self, mark: str) -> bool:
        return (self.marks / mark).exists()

    def events(self, *kinds: Kind) -> list[dg.DagsterEvent]:
        """The stored events of some kinds, in their order."""
        logs = self.instance.all_logs(self.run.run_id, of_type=set(kinds))
        return [entry.dagster_event for entry in logs if entry.dagster_event is not None]

    def steps(self, kind: Kind) -> list[str]:
        return [event.step_key or "" for event in self.events(kind)]

    def failure(self, step: str) -> str:
        """The error with which a step has failed."""
        (event,) = [event for event in self.events(Kind.STEP_FAILURE) if event.step_key == step]
        return event.step_failure_data.error.to_string()

    @property
    def reason(self) -> str:
        """Why Dagster says that the run has failed."""
        (event,) = self.events(Kind.RUN_FAILURE)
        reason = event.job_failure_data.failure_reason
        assert reason is not None
        return reason.value

    def wait_until(self, happened: Callable[[], object], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, (self.home / "output").read_text()[-3000:]
            time.sleep(0.05)


@contextmanager
def in_an_instance(folder: Path) -> Iterator[Runs]:
    """An empty instance; of a run's processes none is left afterwards."""
    home, marks = folder / "home", folder / "marks"
    home.mkdir()
    marks.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        runs = Runs(home, marks, instance)
        yield runs
        if runs.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(runs.process.pid, signal.SIGKILL)
