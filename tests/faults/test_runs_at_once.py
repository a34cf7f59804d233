"""The same assets made twice at once: each run completes or says what does not fit, and what is stored is whole."""

from __future__ import annotations

import re

import pytest
from upath import UPath

from classification_assets.learning.registry.registry import Registry
from tests.e2e.processes import PATIENCE, Project
from tests.faults.moons import refuse_half_written

MISFIT = re.compile(r"cannot be (made of what is stored|decided).*Materialize, in this order", re.DOTALL)


@pytest.mark.parametrize("instances", ["one instance", "instances of their own"])
def test_the_same_assets_at_once(copy, tmp_path, instances):
    homes = (
        [copy] * 3
        if instances == "one instance"
        else [Project.new(tmp_path / name, copy.source) for name in "abc"]
    )
    logs = [tmp_path / f"{index}.log" for index in range(3)]
    variables = {"CLASSIFICATION_ASSETS_STORAGE": str(copy.artifacts)}
    if (
        instances != "one instance"
    ):  # one that two processes open at once for the first time is Dagster's own trouble
        for home in homes:
            home.materialize("small/dataset", **variables).succeeded()
    runs = [
        home.started(*home.materializing("group:small"), log=log, **variables)
        for home, log in zip(homes, logs, strict=True)
    ]
    for run, log in zip(runs, logs, strict=True):
        status, told = run.wait(3 * PATIENCE), log.read_text()
        assert status == 0 or MISFIT.search(told), told[-3000:]
    refuse_half_written(copy.artifacts)
    entries = Registry(UPath(copy.artifacts), "small").entries()
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    copy.materialize("group:small").succeeded()
    refuse_half_written(copy.artifacts)
    assert not list(copy.artifacts.rglob(".partial-*"))
