"""A storage whose every tenth call fails: it is asked again, nothing is taken for missing, nothing changes silently."""

from __future__ import annotations

import gc
import tempfile

import dagster as dg
import numpy as np
import pytest
from upath import UPath

from classification_assets.learning.artifacts import attempts, storage
from classification_assets.learning.artifacts.files import is_file, names_in
from classification_assets.learning.registry.registry import Registry
from classification_assets.resources import retries
from classification_assets.resources.artifact_store import ArtifactStore
from tests.faults.failing_storage import registered
from tests.faults.materializing import failure

ROOT = "tenth://bucket/artifacts"
ATTEMPTS = 3


@pytest.fixture
def failing(materialize, monkeypatch):
    """The storage, in which everything is stored, and every tenth call fails from now on."""
    system = registered()
    system.store.clear()
    system.broken, system.failures = False, 0
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(attempts, "WAITS", (0.0, 0.0))
    assert materialize(ROOT, '+key:"small/predictions"').success
    system.broken = True
    yield system
    system.broken = False


def test_a_storage_that_is_asked_again_does_not_stop_a_run(failing, materialize):
    for _ in range(ATTEMPTS):
        done = materialize(ROOT, '+key:"small/predictions"')
        assert done.success, failure(done)
    assert failing.failures > 0


def test_without_another_attempt_each_run_says_what_could_not_be_reached(
    failing, materialize, monkeypatch, tmp_path
):
    monkeypatch.setattr(attempts, "WAITS", ())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for _ in range(ATTEMPTS):
        done = materialize(ROOT, '+key:"small/predictions"')
        message = failure(done)
        assert done.success or "could not be reached: " in message
        for misleading in (
            "damaged",
            "has no artifact",
            "is gone",
            "Materialize it first",
            "has no champion",
        ):
            assert misleading not in message, message
    failing.broken = False
    gc.collect()  # tables that were read keep a local copy for as long as they live
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"]
    registry = Registry(UPath(ROOT), "small")
    entries = registry.entries()
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert registry.champion().number == registry.pointer().version


def test_rows_stay_in_their_folds(failing, materialize):
    failing.broken = False
    path = UPath(ROOT) / "small" / "split.parquet"
    split = storage.load(path)
    failing.broken = True
    for _ in range(ATTEMPTS):
        materialize(ROOT, "small/split")
    failing.broken = False
    np.testing.assert_array_equal(storage.load(path).fold, split.fold)


def test_nothing_stored_is_taken_for_missing(failing, monkeypatch):
    store, registry = ArtifactStore(folder=ROOT), Registry(UPath(ROOT), "small")
    failing.broken = False
    entries, origin = registry.entries(), store.origin_of("small/split")
    failing.broken = True
    questions = [
        lambda: is_file(UPath(ROOT) / "small" / "split.parquet") is True,
        lambda: "split.parquet" in names_in(UPath(ROOT) / "small"),
        lambda: store.fold_memory(dg.AssetKey(["small", "split"])) is not None,
        lambda: store.origin_of("small/split") == origin,
        lambda: registry.pointer() is not None,
        lambda: registry.entries() == entries,
        lambda: registry.numbers() == [1],
    ]
    monkeypatch.setattr(attempts, "WAITS", ())
    answered = 0
    for question in questions * 20:
        try:
            assert question()
            answered += 1
        except OSError:
            continue
    assert 0 < answered < 20 * len(questions)


def test_a_run_after_the_storage_has_come_back_completes(failing, materialize, monkeypatch):
    monkeypatch.setattr(attempts, "WAITS", ())
    materialize(ROOT, '+key:"small/predictions"')
    failing.broken = False
    done = materialize(ROOT, '+key:"small/predictions"')
    assert done.success, failure(done)
