"""A search that was interrupted: it goes on where it was, trains nothing twice, and leaves nothing behind."""

import dataclasses
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.sweeps import packs
from classification_assets.learning.sweeps.scored_rows import SweptRows
from classification_assets.learning.sweeps.search import search
from tests.learning.sweeps.searches import SPACE, StoppedError, after, assert_same, files, small


@pytest.fixture(scope="module")
def whole(split):
    return search(small(), split, n_jobs=1)


@pytest.fixture
def counted(monkeypatch):
    """A list that grows with each training of a pack."""
    calls, train = [], packs.train
    monkeypatch.setattr(packs, "train", lambda *given, **named: calls.append(1) or train(*given, **named))
    return calls


def interrupted(split, folder, at=6, sweep=None, n_jobs=1):
    """The packs that a search has left when it was stopped."""
    with pytest.raises(StoppedError):
        search(sweep or small(), split, n_jobs=n_jobs, folder=folder, on_progress=after(at))
    return files(folder)


def test_a_search_gives_the_same_in_one_process_and_in_two(split, whole):
    assert_same(search(small(), split, n_jobs=2), whole)


def test_a_search_stopped_after_any_pack_goes_on_to_the_same_and_trains_nothing_twice(
    split, whole, tmp_path, counted
):
    search(small(), split, n_jobs=1)
    trainings = len(counted)
    for at in range(1, trainings + 1, 4):
        counted.clear()
        done = interrupted(split, tmp_path / "kept", at)
        assert len(done) == at
        assert_same(search(small(), split, n_jobs=1, folder=tmp_path / "kept"), whole)
        assert len(counted) == trainings
        assert not (tmp_path / "kept").exists()


@pytest.mark.filterwarnings("ignore:.*tasks have been successfully executed:UserWarning")
def test_a_search_of_two_processes_can_be_stopped_and_goes_on_in_one(split, whole, tmp_path):
    assert interrupted(split, tmp_path / "kept", 5, n_jobs=2)
    assert_same(search(small(), split, n_jobs=1, folder=tmp_path / "kept"), whole)


KILLED = """
import sys
from pathlib import Path
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.sweeps.search import search
from classification_assets.learning.tables.datasets import Moons
from classification_assets.learning.tables.table import Table
from tests.learning.sweeps.searches import small

split = Split.of(Table.of(Moons(n_samples=300, noise=0.2)), Folds())
search(small(), split, n_jobs=int(sys.argv[2]), folder=Path(sys.argv[1]))
"""


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_process_that_is_killed_leaves_packs_that_another_goes_on_from(
    split, whole, tmp_path, n_jobs, counted
):
    folder = tmp_path / "kept"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder), str(n_jobs)], env=os.environ)
    try:
        until = time.monotonic() + 120
        while len(files(folder) if folder.exists() else ()) < 5:
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < until
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = len(files(folder))
    assert_same(search(small(), split, n_jobs=1, folder=folder), whole)
    trained = len(counted)
    search(small(), split, n_jobs=1)
    assert trained <= len(counted) - trained - left
    assert not folder.exists()


def test_damaged_packs_and_those_of_another_sweep_change_nothing(split, whole, tmp_path):
    folder = tmp_path / "kept"
    done = sorted(interrupted(split, folder))
    interrupted(split, folder, sweep=small(seed=1))
    (folder / done[0]).write_bytes(b"")
    (folder / done[1]).write_bytes((folder / done[1]).read_bytes()[:-7])
    (folder / f".partial-77-{done[2]}").write_bytes(b"half")
    assert_same(search(small(), split, n_jobs=1, folder=folder), whole)
    assert not folder.exists()


def test_what_somebody_else_has_put_into_the_folder_stays(split, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "model.safetensors").write_text("mine, too")
    search(small(6), split, n_jobs=1, folder=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors", "notes.txt"]


def test_a_search_that_fails_keeps_its_packs(split, tmp_path):
    with pytest.raises(FloatingPointError):
        search(small(space={"learning_rate": [1e35, 1e36]}), split, n_jobs=1, folder=tmp_path)
    assert files(tmp_path)


# Packs of something else are never taken


def of_arrays(y, fold, split):
    return Split.of_arrays(split.X, y, fold, names=["across", "along"])


def turned(split):
    y = split.y.copy()
    y[split.rows(Fold.TRAIN)[0]] ^= 1
    return of_arrays(y, split.fold, split)


def moved(split):
    """The same rows; two more of those that judge are learned from."""
    fold = split.fold.copy()
    fold[split.rows(Fold.VALIDATION)[:2]] = Fold.TRAIN
    return of_arrays(split.y, fold, split)


OTHER = {
    "seed": {"seed": 1},
    "space": {"space": SPACE | {"width": [6, 8]}},
    "epochs": {"max_epochs": 10},
    "architecture": {"architecture": {"training": {"weight_decay": 0.3}}},
    "folds": {"folds": 2, "networks": 36},
}


@pytest.mark.parametrize("changed", OTHER)
def test_another_sweep_takes_none_of_the_packs(split, tmp_path, changed, counted):
    interrupted(split, tmp_path, 12)
    counted.clear()
    other = small(**{"networks": 18} | OTHER[changed])
    found = search(other, split, n_jobs=1, folder=tmp_path)
    trainings = len(counted)
    assert_same(found, search(other, split, n_jobs=1))
    assert len(counted) == 2 * trainings


@pytest.mark.parametrize("change", [turned, moved])
def test_other_rows_take_none_of_the_packs(split, tmp_path, change, counted):
    interrupted(of_arrays(split.y, split.fold, split), tmp_path, 12)
    counted.clear()
    found = search(small(), change(split), n_jobs=1, folder=tmp_path)
    trainings = len(counted)
    assert_same(found, search(small(), change(split), n_jobs=1))
    assert len(counted) == 2 * trainings


def test_folds_in_order_of_time_do_not_take_those_that_end_elsewhere(split):
    def ordered(n_train):
        fold = np.repeat([Fold.TRAIN, Fold.VALIDATION], [n_train, len(split.y) - n_train])
        return SweptRows.of(of_arrays(split.y, fold, split), 1, 0)

    # Of features that no fold changes, for preprocessing follows from the folds as well.
    X = ordered(200).X
    shorter, longer = (dataclasses.replace(ordered(n_train), X=X) for n_train in (200, 220))
    assert shorter.fingerprint != longer.fingerprint
    assert shorter.fingerprint == dataclasses.replace(shorter).fingerprint


def test_a_larger_budget_goes_on_from_the_packs_of_a_smaller_one(split, tmp_path, counted):
    grid = {"width": [5, 8], "learning_rate": [0.01, 0.02, 0.03]}
    interrupted(split, tmp_path, 1, small(6, grid, sampler="grid", seconds=500))
    counted.clear()
    search(small(7, grid, sampler="grid"), split, n_jobs=1, folder=tmp_path)
    some = len(counted)
    search(small(7, grid, sampler="grid"), split, n_jobs=1)
    assert len(counted) - some == some + 1
