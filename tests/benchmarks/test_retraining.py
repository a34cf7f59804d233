"""What retraining costs: a decision, a night without a change, a year of nights, and drift of a large table."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from upath import UPath

from classification_assets.learning.drift.drift import measure_drift
from classification_assets.learning.evaluation.promotion import SharedRows, decide
from classification_assets.learning.evaluation.promotion_rule import PromotionRule
from classification_assets.learning.registry.change import changing
from classification_assets.learning.registry.records import Version
from classification_assets.learning.registry.registry import Registry
from classification_assets.learning.tables.rows import MemoryRows
from tests.e2e.processes import Project

WHOLE = bool(os.environ.get("BENCHMARK_WHOLE"))


def test_a_decision_on_100_000_test_rows(capsys):
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=100_000)
    both = []
    for skill in (1.0, 1.01):
        logits = rng.normal(size=(len(y), 3))
        logits[np.arange(len(y)), y] += skill
        p = np.exp(logits)
        both.append((p / p.sum(1, keepdims=True)).astype("f4"))
    started = time.perf_counter()
    decision = decide(SharedRows(y, *both, ["a", "b", "c"]), "log_loss", PromotionRule())
    seconds = time.perf_counter() - started
    with capsys.disabled():
        print(f"\ndecision on 100,000 rows of 3 classes: {seconds:.2f} s ({decision.ground})")
    assert seconds < 2


@pytest.mark.skipif(not WHOLE, reason="BENCHMARK_WHOLE=1")
def test_a_night_without_a_change_and_a_year_of_nights(tmp_path, capsys):
    """The shipped catalogue once, then the night's run of champions alone, and 365 nights' worth of what they store.

    Of `moons`, which draws fresh rows, each night is a decision: every tenth is taken for a promotion, which is more
    than comes, and all others for a refusal. Dagster's own records grow by what one such night adds, 365 times.
    """
    project = Project.new(tmp_path / "home")
    environment = project.environment()
    command = [
        sys.executable,
        "-m",
        "dagster",
        "asset",
        "materialize",
        "-m",
        "classification_assets.definitions",
    ]

    def materialize(selection: str) -> float:
        started = time.perf_counter()
        subprocess.run(
            [*command, "--select", selection],
            cwd=project.home,
            env=environment,
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - started

    materialize("*")
    champions = " or ".join(
        f'key:"{path.parent.name}/champion"' for path in project.artifacts.glob("*/champion.json")
    )
    before = size(project.home)
    night = materialize(champions)
    grown = size(project.home) - before
    moons = Registry(UPath(project.artifacts), "moons")
    for number in range(365):
        with changing(moons) as change:
            if number % 10:
                change.refuse(change.pointer.entry.decision, run=f"night {number}", as_of=datetime.now(UTC))
                continue
            staged, first = change.staged(), moons.version(moons.numbers()[0])
            for name in first.files:
                shutil.copy(moons.folder_of(first.number) / name, staged)
            version = Version(
                **first.model_dump() | {"number": change.next_number, "model_version": f"night {number}"}
            )
            change.promote(staged, version, {"promoted": True})
            change.retain(PromotionRule().keep)
    stored = size(project.artifacts)
    year = stored + 365 * grown + (before - size(project.artifacts) if before > stored else 0)
    with capsys.disabled():
        print(f"\na night without a change: {night:.1f} s for {champions.count('key')} experiments")
        print(
            f"artifacts after 365 nights: {stored / 1e6:.0f} MB; Dagster's records grow by {grown / 1e3:.0f} kB a night"
        )
        print(f"a year: {year / 1e6:.0f} MB")
    assert night < 10
    assert year < 1e9


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.skipif(not WHOLE, reason="BENCHMARK_WHOLE=1")
def test_drift_of_3_000_000_rows_of_30_columns(capsys):
    rng = np.random.default_rng(0)
    names = [f"x{index}" for index in range(30)]
    large = MemoryRows(pa.table({name: rng.normal(size=3_000_000) for name in names}))
    reference = MemoryRows(pa.table({name: rng.normal(size=20_000) for name in names}))
    started = time.perf_counter()
    drift = measure_drift(reference, large, dict.fromkeys(names, "numeric"))
    seconds = time.perf_counter() - started
    with capsys.disabled():
        print(f"\ndrift of 3,000,000 × 30: {seconds:.1f} s ({drift.sentence()})")
    assert not drift.alarm
    assert seconds < 60
