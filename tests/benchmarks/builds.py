"""Builds side by side: this one and an earlier one from git's history, each a source tree with projects of its own."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from tests.e2e.processes import ROOT, Project, declare

EARLIER = os.environ.get("BENCHMARK_EARLIER", "acedaf8")
"""The commit that this build is compared with; it has fewer assets and checks, which the ratios do not make up for."""

SMALL = {
    "dataset": {"kind": "moons", "n_samples": 800, "noise": 0.3},
    "architectures": ["linear", "shallow_relu", "deep_relu", "regularized"],
}


def earlier_source(folder: Path) -> Path:
    """The source tree of the earlier commit; it runs by the same interpreter, since it comes first on the path."""
    archive = ["git", "-C", str(ROOT), "archive", EARLIER]
    content = subprocess.run(archive, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        opened.extractall(folder, filter="data")
    return folder


def with_experiments(source: Path, folder: Path, count: int) -> Path:
    """A copy of a source tree whose experiments are so many small ones, of 26 assets each."""
    ignored = shutil.ignore_patterns(".*", "tests", "__pycache__")
    shutil.copytree(source, folder, ignore=ignored)
    for declared in (folder / "classification_assets" / "defs").glob("*/defs.yaml"):
        shutil.rmtree(declared.parent)
    for index in range(count):
        declare(folder, f"e{index:03}", SMALL)
    return folder


def of_code(folder: Path, code: str) -> Path:
    """A source tree that is one module."""
    folder.mkdir(parents=True)
    (folder / "location.py").write_text(code)
    (folder / "workspace.yaml").write_text("load_from: [{python_module: location}]\n")
    return folder


def run(project: Project, *arguments: str) -> float:
    """Seconds of a `dagster` command, which must succeed."""
    log = project.home / "command.log"
    started = time.perf_counter()
    process = project.started(*arguments, log=log)
    status = process.wait()
    seconds = time.perf_counter() - started
    assert status == 0, log.read_text(errors="replace")[-3000:]
    return seconds


def project(folder: Path, source: Path = ROOT) -> Project:
    """A project of a build, with the settings that this build ships."""
    project = Project.new(folder, source)
    if (settings := source / ".dagster" / "dagster.yaml").exists():
        shutil.copy(settings, project.home)
    run(project, "instance", "info")  # makes what a server and a daemon, opening it at one time, would break
    return project


@dataclass(frozen=True)
class Kept:
    """What an instance keeps.

    Attributes
    ----------
    log_bytes, artifact_bytes, events : int
    drawn_seconds : float
        What drawing figures took since the time that was asked for, as the assets themselves recorded.
    """

    log_bytes: int
    artifact_bytes: int
    events: int
    drawn_seconds: float

    @classmethod
    def of(cls, project: Project, since: float = 0.0) -> Kept:
        with dg.DagsterInstance.from_config(str(project.home)) as instance:
            runs = [record.dagster_run.run_id for record in instance.get_run_records()]
            logged = [entry for run in runs for entry in instance.all_logs(run) if entry.timestamp >= since]
        made = [entry.asset_materialization for entry in logged if entry.is_dagster_event]
        metadata: list[Any] = [each.metadata.get("draw_seconds") for each in made if each is not None]
        return cls(
            _bytes(project.home / "history"),
            _bytes(project.artifacts),
            len(logged),
            sum(float(value.value) for value in metadata if value is not None),
        )


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def best(contenders: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The best seconds of each, which take turns, so that noise of the machine meets all alike."""
    seconds = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, contender in contenders.items():
            seconds[name] = min(seconds[name], contender())
    return seconds
