"""The fixtures that compare, and the one table that `pytest tests/benchmarks` ends with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks import builds
from tests.benchmarks.measure import HEADINGS, Clock, Contender, Reach, Row, duration, table

ROWS = pytest.StashKey[list[Row]]()
LINES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS], config.stash[LINES] = [], []
    # Seconds of ours without a peer's beside them tell nothing: the table below replaces them.
    config.option.benchmark_quiet = True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if rows := config.stash[ROWS]:
        terminalreporter.section("benchmarks, each a ratio measured side by side")
        for line in table(rows):
            terminalreporter.write_line(line)
    if lines := config.stash[LINES]:
        terminalreporter.section("accuracy, everything at its defaults and on one thread")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> list[str]:
    """Lines that the session ends with."""
    return request.config.stash[LINES]


@pytest.fixture
def report(request: pytest.FixtureRequest, benchmark: BenchmarkFixture) -> Callable[..., None]:
    """Puts rows into the table and fails the test if one does not reach what it must."""

    def told(*rows: Row) -> None:
        request.config.stash[ROWS].extend(rows)
        benchmark.extra_info["rows"] = [dict(zip(HEADINGS, row.cells(), strict=True)) for row in rows]
        missed = [f"{row.work}: {row.ratio:.3g} against {row.peer_name}" for row in rows if row.met is False]
        assert not missed

    return told


@pytest.fixture
def race(benchmark: BenchmarkFixture, report: Callable[..., None]) -> Callable[..., Clock]:
    """Runs ours and a peer in turns and reports their ratio."""

    def run(
        work: str, ours: Contender, peer_name: str, peer: Contender, reach: Reach, rounds: int = 3
    ) -> Clock:
        clock = Clock()
        told = benchmark.pedantic(ours.run, setup=lambda: clock.time("peer", peer), rounds=rounds)
        clock.note("ours", benchmark.stats.stats.min / ours.units, told)
        seconds, accuracy = clock.seconds, clock.accuracy
        benchmark.extra_info.update(seconds=seconds, accuracy=accuracy)
        report(
            Row(
                work,
                peer_name,
                duration(seconds["ours"]),
                duration(seconds["peer"]),
                reach.ratio(seconds["ours"], seconds["peer"]),
                reach,
                (accuracy["ours"], accuracy["peer"]),
            )
        )
        return clock

    return run


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source tree of the build that this one is compared with."""
    return builds.earlier_source(tmp_path_factory.mktemp("earlier"))
