"""A clock that is wrong, or is set while a run is under way: runs complete, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from upath import UPath

from classification_assets.learning.registry.registry import Registry
from tests.e2e.processes import PATIENCE, Project
from tests.faults.moons import refuse_half_written

DAY = 86_400


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clock as a library that a process loads before all others."""
    if (compiler := shutil.which("cc")) is None:
        pytest.skip("no C compiler here: apt-get install gcc")
    made = tmp_path_factory.mktemp("clock") / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(source)], check=True)
    return made


@pytest.fixture
def clock(library: Path, tmp_path: Path) -> Path:
    """A file that says by how many seconds the clock of a process with `faked` is off."""
    file = tmp_path / "clock"
    file.write_text("0")
    return file


@pytest.fixture
def faked(library: Path, clock: Path) -> dict[str, str]:
    """The environment of a process that looks at that clock."""
    told = {"LD_PRELOAD": str(library), "CLOCK_FILE": str(clock)}
    clock.write_text(str(-5 * DAY))
    asked = subprocess.run(
        [sys.executable, "-c", "import time, datetime; print(min(time.time(), datetime.datetime.now().timestamp()))"],
        env=os.environ | told, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert time.time() - float(asked.stdout) > 4.9 * DAY, "this system's Python does not look at the clock so"
    clock.write_text("0")
    return told


def whole(project: Project) -> Registry:
    refuse_half_written(project.artifacts)
    registry = Registry(UPath(project.artifacts), "small")
    assert registry.champion().number == registry.pointer().version
    return registry


@pytest.mark.parametrize("days", [400, -400, -9000])
def test_a_run_under_a_wrong_clock_and_one_after_it(copy, clock, faked, days):
    before = whole(copy).champion()
    clock.write_text(str(days * DAY))
    copy.materialize("group:small", **faked).succeeded()
    assert whole(copy).champion().number >= before.number
    copy.materialize("group:small").succeeded()
    entries = whole(copy).entries()
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))


@pytest.mark.parametrize("days", [3, -3])
def test_a_clock_that_is_set_while_a_run_is_under_way(copy, clock, faked, tmp_path, days):
    model = copy.artifacts / "small" / "linear" / "model.safetensors"
    written, log = model.stat().st_mtime_ns, tmp_path / "run.log"
    run = copy.started(*copy.materializing("group:small"), log=log, **faked)
    while run.poll() is None and model.stat().st_mtime_ns == written:
        time.sleep(0.05)
    clock.write_text(str(days * DAY))
    assert run.wait(3 * PATIENCE) == 0, log.read_text()[-3000:]
    whole(copy)
    copy.materialize("group:small").succeeded()
    whole(copy)


def test_a_champion_of_the_future_does_not_stay_for_as_long(copy, clock, faked):
    """Runs are refused that are older than what made the champion; a time that has not come yet does not count."""
    champion, registry = copy.artifacts / "small" / "champion", Registry(UPath(copy.artifacts), "small")
    (champion / "v0001" / "model.safetensors").write_bytes(b"")
    clock.write_text(str(400 * DAY))
    copy.materialize("small/champion", **faked).succeeded()
    assert registry.champion().number == 2
    (champion / "v0002" / "model.safetensors").write_bytes(b"")
    copy.materialize("small/champion").succeeded()
    assert registry.champion().number == 3
