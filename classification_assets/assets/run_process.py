"""Process that works on a run: noted as a tag of the run, and whether it is still there."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

import dagster as dg

TAG = ".dagster/classification_assets/process"
"""Hidden in the UI, as all tags that begin so."""

_SLACK = 5.0
"""Seconds by which a clock may have been set between the start of a process and Dagster's note of it."""

_PROC = Path("/proc")


@dataclass(frozen=True)
class Host:
    """Where process ids mean the same: a machine, and within it a container.

    Two containers may have one host name, and each has a process 1 of its own.
    """

    name: str
    machine: str
    namespace: str

    @classmethod
    def this(cls) -> Host:
        return cls(socket.gethostname(), _machine(), _namespace())


@dataclass(frozen=True)
class RunProcess:
    """A process, so that another one that has got its id later is not taken for it.

    Attributes
    ----------
    host : Host
    pid : int
    started : str
        When it started, as the system counts.
    """

    host: Host
    pid: int
    started: str

    @classmethod
    def this(cls) -> RunProcess:
        return cls(Host.this(), os.getpid(), started(os.getpid()) or "")

    def to_tag(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_tag(cls, tag: str) -> RunProcess | None:
        """The process that a tag tells of; None if it does not."""
        try:
            told = json.loads(tag)
            return cls(Host(**told["host"]), int(told["pid"]), str(told["started"]))
        except (ValueError, TypeError, KeyError):
            return None

    @property
    def is_gone(self) -> bool:
        """Whether it has ended, judged on its own host."""
        return (now := started(self.pid)) is None or now != self.started


def note_process(instance: dg.DagsterInstance, run_id: str) -> None:
    """Note on a run that this process works on it; the first of each host is enough, as Dagster logs the others.

    May be called for every step: it writes once.
    """
    if instance.is_ephemeral or (run := instance.get_run_by_id(run_id)) is None:
        return
    here = RunProcess.this()
    if any(
        noted is not None and noted.host == here.host and not noted.is_gone for noted in noted_processes(run)
    ):
        return
    # Steps on several hosts may note themselves at one time: each has a key of its own. A run that is executed again
    # has its parent's tags, whose process is gone.
    taken = [key for key, noted in _noted(run).items() if noted is None or noted.host != here.host]
    key = TAG if TAG not in taken else f"{TAG}.{here.host.name}"
    instance.add_run_tags(run_id, {key: here.to_tag()})


def noted_processes(run: dg.DagsterRun) -> list[RunProcess | None]:
    """The processes that a run's tags tell of; None for a tag that cannot be read."""
    return list(_noted(run).values())


def _noted(run: dg.DagsterRun) -> dict[str, RunProcess | None]:
    return {
        key: RunProcess.from_tag(value)
        for key, value in run.tags.items()
        if key == TAG or key.startswith(f"{TAG}.")
    }


def is_gone_since(pid: int, timestamp: float) -> bool:
    """Whether a process of this host that was there at a time (seconds since 1970) has ended."""
    if started(pid) is None:
        return True
    seconds = _started_seconds(pid)
    return seconds is not None and seconds > timestamp + _SLACK


def started(pid: int) -> str | None:
    """When a process of this host started, as the system counts; None if there is none, or a zombie."""
    if _PROC.joinpath("self", "stat").exists():
        fields = _stat(pid)
        boot = _text(_PROC / "sys/kernel/random/boot_id")
        return None if fields is None else f"{boot} {fields[19]}"
    told = subprocess.run(  # noqa: S603 (no shell, and a number alone is not ours)
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607 (where it is, systems differ)
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split(maxsplit=1)
    return None if len(told) < 2 or told[0].startswith("Z") else told[1].strip()


def _started_seconds(pid: int) -> float | None:
    fields = _stat(pid)
    boot = [line for line in _text(_PROC / "stat").splitlines() if line.startswith("btime ")]
    if fields is None or not boot:
        return None
    return int(boot[0].split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat from the third on; the second is a name that may hold blanks and brackets."""
    fields = _text(_PROC / str(pid) / "stat").rpartition(")")[2].split()
    return None if not fields or fields[0] in ("Z", "X") else fields


def _machine() -> str:
    return _text(Path("/etc/machine-id"))


def _namespace() -> str:
    try:
        return os.readlink(_PROC / "self/ns/pid")
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
