"""Processes of a real `dagster dev`, killed in the middle of a run: what is stored is whole, the next run completes."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from upath import UPath

from classification_assets.execution.executor import ENVIRONMENT as EXECUTOR
from classification_assets.learning.registry.registry import Registry
from tests.e2e.processes import PATIENCE, Project, Server, served
from tests.faults.moons import ASSETS, refuse_half_written

ENDED = "SUCCESS", "FAILURE", "CANCELED"
VICTIMS = {
    "the code server": ("code-server", "api grpc"),
    "the daemon": ("dagster._daemon", "dagster-daemon"),
    "the web server": ("dagster_webserver", "dagster-webserver"),
}
"""Parts of command lines by which a process is known."""


def family(server: Server) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(server.process.pid).children(recursive=True)
    return []


def known_by(server: Server, words: tuple[str, ...]) -> list[psutil.Process]:
    found = []
    for process in family(server):
        with contextlib.suppress(psutil.Error):
            if any(word in " ".join(process.cmdline()) for word in words):
                found.append(process)
    return found


def run_workers(server: Server) -> list[psutil.Process]:
    """The processes of runs: the first of a code server's that Python's multiprocessing has started."""
    spawned = known_by(server, ("spawn_main",))
    return [process for process in spawned if process.ppid() not in {other.pid for other in spawned}]


def step_workers(server: Server) -> list[psutil.Process]:
    """The workers of steps, forked from a run's process."""
    spawned = known_by(server, ("spawn_main",))
    return [process for process in spawned if process.ppid() in {other.pid for other in spawned}]


WORKERS = {"the run's worker": run_workers, "a step's worker": step_workers}


@contextlib.contextmanager
def started(project: Project, **variables: str) -> Iterator[tuple[Server, list[psutil.Process]]]:
    """A server; of all its processes none is left afterwards, whoever was killed."""
    seen: list[psutil.Process] = []
    with served(project, **variables) as server:
        server.wait_until_loaded()
        try:
            yield server, seen
        finally:
            seen += family(server)
    for process in seen:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def completes(project: Project) -> None:
    """A run of everything from a server of its own."""
    with started(project) as (server, _):
        run = server.launch(*ASSETS)
        server.wait_until("the next run ends", lambda: server.run_status(run) in ENDED, 4 * PATIENCE)
        assert server.run_status(run) == "SUCCESS", server.told("the next run failed")
    refuse_half_written(project.artifacts)


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.25)
    return False


@pytest.mark.parametrize("victim", [*WORKERS, *VICTIMS, "dagster dev itself", "all at once"])
def test_a_killed_process_loses_nothing_and_the_next_run_completes(copy, victim):
    before = Registry(UPath(copy.artifacts), "small").pointer()
    model = copy.artifacts / "small" / "narrow" / "model.safetensors"
    workers = {EXECUTOR: "multiprocess"} if victim == "a step's worker" else {}
    with started(copy, **workers) as (server, seen):
        written = model.stat().st_mtime_ns
        server.launch(*ASSETS)
        server.wait_until("a model is trained", lambda: model.stat().st_mtime_ns != written)
        if victim in WORKERS:
            server.wait_until(f"{victim} is there", lambda: bool(WORKERS[victim](server)))
        seen.extend(family(server))
        if victim == "all at once":
            victims = [psutil.Process(server.process.pid), *family(server)]
        elif victim == "dagster dev itself":
            victims = [psutil.Process(server.process.pid)]
        else:
            victims = WORKERS[victim](server) if victim in WORKERS else known_by(server, VICTIMS[victim])
            assert victims, [process.cmdline() for process in family(server)]
        for process in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        # What is left of the others may go on, or end.
        within(5, lambda: server.process.poll() is not None)
    refuse_half_written(copy.artifacts)
    assert Registry(UPath(copy.artifacts), "small").pointer().version >= before.version
    completes(copy)


def test_a_run_whose_worker_was_killed_is_ended_and_made_up_for(copy):
    model = copy.artifacts / "small" / "narrow" / "model.safetensors"
    runs = "{ runsOrError { ... on Runs { results { runId status } } } }"
    with started(copy) as (server, seen):
        written = model.stat().st_mtime_ns
        run = server.launch(*ASSETS)
        server.wait_until("a model is trained", lambda: model.stat().st_mtime_ns != written)
        seen.extend(family(server))
        for process in [*run_workers(server), *step_workers(server)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        server.wait_until("the run is ended", lambda: server.run_status(run) == "FAILURE", 2 * PATIENCE)

        def made_up_for() -> bool:
            others = [found for found in server.ask(runs)["results"] if found["runId"] != run]
            return any(found["status"] == "SUCCESS" for found in others[:1])

        server.wait_until("another run makes up for it", made_up_for, 2 * PATIENCE)
    refuse_half_written(copy.artifacts)
