"""False alarms of weeks without drift, and the power to see drift, side by side with Evidently's preset.

EVIDENTLY_PYTHON names the Python of an environment with evidently 0.7.23 and pandas 2, which it needs; WEEKS says how
many weeks (500).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.drift.drift import measure_drift
from classification_assets.learning.drift.rule import DriftRule
from classification_assets.learning.tables.rows import MemoryRows

SCRIPT = Path(__file__).with_name("evidently_alarms.py")
WEEKS = int(os.environ.get("WEEKS", "500"))
KINDS = {f"x{index}": "numeric" for index in range(6)} | {"town": "categorical", "flag": "boolean"}
REFERENCE = 20_000


def week(n: int, seed: int, change: str = "") -> pd.DataFrame:
    rng = np.random.default_rng([seed, n])
    frame = pd.DataFrame({f"x{index}": rng.normal(size=n) for index in range(6)})
    frame["x5"] = np.exp(frame["x5"])
    share = [0.5, 0.3, 0.2] if change != "town" else [0.3, 0.3, 0.4]
    frame["town"], frame["flag"] = rng.choice(["a", "b", "c"], n, p=share), rng.random(n) < 0.3
    match change:
        case "mean":
            frame["x0"] += 0.5
        case "spread":
            frame["x0"] *= 2
        case "gaps":
            frame.loc[rng.random(n) < 0.2, "x0"] = np.nan
        case "outlier":
            frame["x0"] += 3
            frame.loc[0, "x0"] = 1e9
        case "correlation":
            frame["x1"] = 0.9 * frame["x0"] + np.sqrt(1 - 0.81) * frame["x1"]
    return frame


@pytest.fixture
def theirs(tmp_path) -> Callable[[list[pd.DataFrame]], list[dict[str, bool]]] | None:
    """Evidently's verdicts on weeks, if it is there."""
    python = os.environ.get("EVIDENTLY_PYTHON")
    if not python:
        return None

    def verdicts(weeks: list[pd.DataFrame]) -> list[dict[str, bool]]:
        week(REFERENCE, 10**6).to_parquet(tmp_path / "reference.parquet")
        names = []
        for number, frame in enumerate(weeks):
            names.append(tmp_path / f"{number}.parquet")
            frame.to_parquet(names[-1])
        done = subprocess.run(
            [python, SCRIPT, tmp_path / "reference.parquet", *names],
            check=True,
            capture_output=True,
            text=True,
        )
        return json.loads(done.stdout.splitlines()[-1])

    return verdicts


def compared(
    drawn: Callable[[int], pd.DataFrame], n_weeks: int, theirs: Callable | None, rule: DriftRule, most: int
) -> str:
    """The share of alarms over some weeks, and Evidently's over the first of them."""
    reference = MemoryRows.of(week(REFERENCE, 10**6))
    ours = np.mean(
        [
            measure_drift(reference, MemoryRows.of(drawn(seed)), KINDS, rule=rule).alarm
            for seed in range(n_weeks)
        ]
    )
    told = f"{100 * ours:5.1f} %"
    if theirs is not None:
        found = theirs([drawn(seed) for seed in range(min(most, n_weeks))])
        shares = [100 * np.mean([own[name] for own in found]) for name in ("any column", "table")]
        told += f" | {shares[0]:5.1f} % | {shares[1]:5.1f} % ({len(found)} weeks)"
    return told


@pytest.mark.parametrize("level", [0.01, 0.05])
@pytest.mark.parametrize("n", [8, 50, 1_000, 100_000])
def test_false_alarms_of_weeks_without_drift(n, level, theirs, capsys):
    asked = theirs if level == 0.01 else None
    rule = DriftRule(significance=level)
    told = compared(partial(week, n), WEEKS, asked, rule, 100 if n < 100_000 else 10)
    with capsys.disabled():
        print(f"\nno drift, {WEEKS} weeks of {n:,} rows, level {level}: {told}")
    alarms = float(told.split("%", maxsplit=1)[0]) / 100
    assert alarms <= level + 3.1 * np.sqrt(level * (1 - level) / WEEKS)


@pytest.mark.parametrize("change", ["mean", "spread", "town", "gaps", "outlier", "correlation"])
@pytest.mark.parametrize("n", [50, 1_000])
def test_power(n, change, theirs, capsys):
    told = compared(partial(week, n, change=change), 100, theirs, DriftRule(), 10)
    with capsys.disabled():
        print(f"\n{change}, 100 weeks of {n:,} rows: {told}")
