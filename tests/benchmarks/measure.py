"""Contenders of a benchmark, and the table that all benchmarks end in."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

Accuracy = Callable[[], float]
Run = Callable[[], Accuracy | None]

WHOLE = os.environ.get("BENCHMARK_WHOLE") == "1"
"""Also the comparisons that take minutes."""


@dataclass(frozen=True)
class Reach:
    """Bound of a ratio: `least` for something gained, `most` for a cost. Without either it is only shown."""

    least: float | None = None
    most: float | None = None
    aim: float | None = None

    def met(self, ratio: float) -> bool | None:
        if self.least is not None:
            return ratio >= self.least
        return None if self.most is None else ratio <= self.most

    def ratio(self, ours: float, peer: float) -> float:
        """How many times better than the peer; of a cost, how many times the peer's."""
        return peer / ours if self.most is None else ours / peer

    def __str__(self) -> str:
        if self.least is not None:
            return f"≥ {self.least:g}" + (f" (aim {self.aim:g})" if self.aim else "")
        return "–" if self.most is None else f"≤ {self.most:g}"


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    work: str
    peer_name: str
    ours: str
    peer: str
    ratio: float
    reach: Reach
    accuracy: Sequence[float | None] = (None, None)

    @property
    def met(self) -> bool | None:
        return self.reach.met(self.ratio)

    def cells(self) -> list[str]:
        """Its text, column by column."""
        accuracy = " / ".join("–" if value is None else f"{value:.3f}" for value in self.accuracy)
        met = {True: "yes", False: "NO", None: "–"}[self.met]
        ratio = f"{self.ratio:.3g}"
        return [
            self.work,
            self.peer_name,
            self.ours,
            self.peer,
            ratio,
            str(self.reach),
            met,
            accuracy,
        ]


HEADINGS = ["work", "peer", "ours", "peer's", "ratio", "reach", "met?", "accuracy ours / peer"]


def table(rows: Sequence[Row]) -> list[str]:
    """Markdown, aligned."""
    cells = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
    return [lines[0], "| " + " | ".join("-" * width for width in widths) + " |", *lines[1:]]


def growth(
    work: str,
    time: str,
    n_rows: Sequence[int],
    n_features: int,
    seconds: Sequence[float],
    peak_bytes: float,
    memory: Reach,
) -> list[Row]:
    """Peak memory of the largest of several tables against its float32 size, and how `time` grows with rows."""
    table_bytes = 4 * n_rows[-1] * n_features
    slope = float(np.polyfit(np.log(n_rows), np.log(seconds), 1)[0])
    peak, own = (f"{size / 1e6:.0f} MB" for size in (peak_bytes, table_bytes))
    longest, shortest = duration(seconds[-1]), duration(seconds[0])
    against = f"{n_rows[0]:,} rows; ratio: slope in log-log"
    return [
        Row(f"{work}: peak memory", "the float32 table", peak, own, peak_bytes / table_bytes, memory),
        Row(f"{work}: {time}", against, longest, shortest, slope, Reach(most=1.1)),
    ]


def duration(seconds: float) -> str:
    """For reading, to three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


@dataclass(frozen=True)
class Contender:
    """One way to do the work.

    Attributes
    ----------
    run : callable
        Does all of it; may return a function that tells the test accuracy, which is not timed.
    units : float
        By what the seconds are divided: networks trained, for one.
    """

    run: Run
    units: float = 1.0


@dataclass
class Clock:
    """Runs contenders and remembers each one's best time and last accuracy."""

    seconds: dict[str, float] = field(default_factory=dict)
    accuracy: dict[str, float | None] = field(default_factory=dict)

    def time(self, name: str, contender: Contender) -> None:
        started = time.perf_counter()
        told = contender.run()
        self.note(name, (time.perf_counter() - started) / contender.units, told)

    def note(self, name: str, seconds: float, told: Accuracy | None) -> None:
        self.seconds[name] = min(seconds, self.seconds.get(name, seconds))
        if name not in self.accuracy:
            self.accuracy[name] = told() if told else None


def alternate(contenders: Mapping[str, Contender], rounds: int) -> Clock:
    """Best of some rounds in which each has its turn: noise of a shared machine meets all alike."""
    clock = Clock()
    for _ in range(rounds):
        for name, contender in contenders.items():
            clock.time(name, contender)
    return clock


def python(code: str, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Output of a fresh process.

    Raises
    ------
    RuntimeError
        If it fails, with the end of what it said.
    """
    return command([sys.executable, "-c", code, *arguments], env)


def command(line: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """As `python`, for any program."""
    done = subprocess.run(line, env=os.environ | dict(env or {}), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)[:200]} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout
