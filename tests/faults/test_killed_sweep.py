"""A sweep's process killed in the middle: what it has trained is not trained again, and the result is the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from classification_assets.experiment import Experiment
from classification_assets.learning.artifacts.storage import origin_of
from classification_assets.learning.sweeps import search
from tests.e2e.processes import ROOT
from tests.faults.materializing import materialize_into

DECLARED = {
    "dataset": {"kind": "moons", "n_samples": 400, "noise": 0.2},
    "architectures": ["linear"],
    "sweep": {
        "space": {"hidden": [[8], [16], [32], [64]], "learning_rate": {"low": 0.001, "high": 0.1}},
        "networks": 48,
        "max_epochs": 120,
        "halving": None,
        "finalists": 1,
        "repeats": 1,
    },
}
ALONE = """
import json, sys
from classification_assets.experiment import Experiment
from tests.faults.materializing import materialize_into
declared = Experiment.model_validate(json.loads(sys.argv[2])).named("small")
assert materialize_into(sys.argv[1], declared, selection='key:"small/sweep"').success
"""


def packs(root: Path) -> set[str]:
    return {path.name for path in (root / "small").glob(".partial-*/*.safetensors") if path.name[0] != "."}


@pytest.fixture
def killed(tmp_path):
    """A folder in which the process of a sweep was killed after its first packs."""
    experiment = Experiment.model_validate(DECLARED).named("small")
    before = 'key:"small/dataset" or key:"small/split"'
    assert materialize_into(tmp_path, experiment, selection=before).success
    command = [sys.executable, "-W", "ignore", "-c", ALONE, str(tmp_path), json.dumps(DECLARED)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not packs(tmp_path) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "small/sweep.parquet").exists()
    return tmp_path, experiment


def test_the_next_run_trains_no_pack_again_and_finds_the_same(killed, monkeypatch, tmp_path_factory):
    folder, experiment = killed
    trained, given, searching = packs(folder), set(), search.search
    assert trained

    def watched(*arguments, **options):
        given.update(path.name for path in options["folder"].glob("*.safetensors"))
        return searching(*arguments, **options)

    monkeypatch.setattr(search, "search", watched)
    assert materialize_into(folder, experiment, selection='key:"small/sweep"').success
    assert trained <= given
    assert list((folder / "small").glob(".partial-*")) == []

    undisturbed = tmp_path_factory.mktemp("undisturbed")
    needed = 'key:"small/dataset" or key:"small/split" or key:"small/sweep"'
    assert materialize_into(undisturbed, experiment, selection=needed).success
    versions = {origin_of(root / "small/sweep.parquet").version for root in (folder, undisturbed)}
    assert len(versions) == 1
