"""Retrains that are killed at random moments, in a process of its own: soak.py FOLDER ROUNDS.

Each retrain is a fork of this process, which has imported all that it needs. After each one another fork looks at what
is stored, and ends with an error if it is not consistent.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import torch
from upath import UPath

import classification_assets.learning.classifier
import classification_assets.learning.figures.displays
import classification_assets.learning.reports.report  # noqa: F401
from classification_assets.component import experiment_definitions
from classification_assets.experiment import Experiment
from classification_assets.learning.artifacts import storage
from classification_assets.learning.artifacts.partial_files import PARTIAL
from classification_assets.learning.registry.change import changing
from classification_assets.learning.registry.registry import Registry
from classification_assets.resources.artifact_store import ArtifactStore
from classification_assets.resources.torch_device import TorchDevice

LONGEST = 3.0
"""Seconds after which a retrain is killed, at most."""

KEEP = 3


def retrain(folder: Path, number: int) -> None:
    """A retrain on other rows, by which a model is better or worse than the one before."""
    torch.set_num_threads(1)
    experiment = Experiment.model_validate(
        {
            "dataset": {"kind": "moons", "n_samples": 240, "noise": 0.2, "seed": number},
            "training": {"members": 2, "max_epochs": 2 + 6 * (number % 7), "learning_rate": 0.03},
            "architectures": [{"name": "net", "hidden": [8]}],
            "promotion": {"keep": KEEP, "significance": 0.4, "margin": 0, "recall_drop": 1},
        }
    ).named("small")
    wanted = ("dataset", "split", "model", "evaluation", "leaderboard", "champion")
    assets = [
        asset
        for asset in experiment_definitions(experiment).assets
        if isinstance(asset, dg.AssetsDefinition) and asset.key.path[-1] in wanted
    ]
    resources = {"device": TorchDevice(), "artifacts": ArtifactStore(folder=str(folder))}
    dg.materialize(assets, resources=resources)


def look(folder: Path) -> None:
    """Fail if anything that is stored is not consistent.

    Raises
    ------
    AssertionError
        Naming what is wrong.
    """
    registry = Registry(UPath(folder), "small")
    before = registry.pointer()
    if before is not None:  # what serves can be opened before anything was made good
        storage.load(registry.file(before.version, "model.safetensors"))
    with changing(registry):
        pass
    pointer, entries = registry.pointer(), registry.entries()
    assert before is None or pointer.version == before.version, "the champion changed without a decision"
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1)), "the log has a gap"
    served = [entry.champion for entry in entries if entry.champion is not None]
    assert not served or served[-1] == pointer.version, "the log and the pointer disagree"
    assert len(registry.numbers()) <= KEEP + 1, f"versions pile up: {registry.numbers()}"
    for version in registry.versions():
        for name in version.files:
            registry.file(version.number, name)
    for path in (folder / "small").rglob("*"):
        if path.suffix in (".parquet", ".safetensors") and not path.name.startswith(PARTIAL):
            storage.load(path)
    left = list((folder / "small").rglob(f"{PARTIAL}*"))
    assert len(left) < 30, f"what killed runs left piles up: {len(left)} files"


def forked(work: Callable[[], None], seconds: float = 120.0) -> int | None:
    """Do some work in a fork, which is killed after some seconds; its exit code, None if it was killed."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def main(folder: Path, rounds: int) -> None:
    chance, killed = random.Random(0), 0
    for number in range(rounds):
        # Every fourth ends by itself, so that there is a champion to be contested.
        code = forked(
            lambda number=number: retrain(folder, number),
            120 if number % 4 == 0 else chance.uniform(0.2, LONGEST),
        )
        assert code in (0, None), f"retrain {number} failed"
        killed += code is None
        assert forked(lambda: look(folder)) == 0, f"after retrain {number}"
    entries = Registry(UPath(folder), "small").entries()
    print(f"{rounds} retrains, {killed} killed; {len(entries)} decisions, champion {entries[-1].champion}")
    assert killed, "none was killed"


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
