"""Folders of unfinished work: kept for whoever comes after a killed process, and for nobody else."""

import os

from upath import UPath

from classification_assets.learning.artifacts.partial_files import partial_name
from classification_assets.learning.artifacts.storage import save
from classification_assets.learning.artifacts.unfinished import SUFFIX, unfinished_folder

GONE = 2**22 + 1
"""A process id that Linux gives to nobody."""


def left_behind(folder, monkeypatch, content):
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: GONE)
        left = folder / partial_name("work_on_sweep", SUFFIX)
    left.mkdir(parents=True)
    (left / "pack").write_text(content)
    return left


def test_a_new_folder_is_hidden_beside_the_artifact(tmp_path):
    folder = unfinished_folder(UPath(tmp_path / "moons/sweep.parquet"))
    assert folder.is_dir()
    assert folder.parent == tmp_path / "moons"
    assert folder.name.startswith(".")


def test_what_a_process_left_that_is_no_more_is_taken_over(tmp_path, monkeypatch):
    left = left_behind(tmp_path, monkeypatch, "trained")
    folder = unfinished_folder(UPath(tmp_path / "sweep.parquet"))
    assert (folder / "pack").read_text() == "trained"
    assert not left.exists()


def test_the_newest_is_taken_over_and_others_are_removed(tmp_path, monkeypatch):
    old, new = (left_behind(tmp_path, monkeypatch, content) for content in ("old", "new"))
    os.utime(old, (1, 1))
    folder = unfinished_folder(UPath(tmp_path / "sweep.parquet"))
    assert (folder / "pack").read_text() == "new"
    assert not old.exists()
    assert not new.exists()


def test_what_a_running_process_works_on_is_left_alone(tmp_path):
    first, second = (unfinished_folder(UPath(tmp_path / "sweep.parquet")) for _ in range(2))
    assert first != second
    assert first.is_dir()


def test_an_artifact_is_stored_beside_it(tmp_path, monkeypatch, frame):
    left = left_behind(tmp_path, monkeypatch, "trained")
    save(frame, tmp_path / "sweep.parquet")
    assert left.is_dir()


def test_elsewhere_than_on_a_local_disk_there_is_none():
    assert unfinished_folder(UPath("memory://bucket/moons/sweep.parquet")) is None
