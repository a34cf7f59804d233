"""Disks that are full, or may only be read: what was stored stays, nothing is half-written, the next run completes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from upath import UPath

from classification_assets.learning.artifacts import storage
from classification_assets.learning.artifacts.partial_files import PARTIAL
from classification_assets.learning.registry.by_hand import pin, roll_back
from classification_assets.learning.registry.contest import Told
from classification_assets.learning.registry.registry import Registry
from classification_assets.resources import retries
from tests.faults.materializing import advised, failure
from tests.faults.mounts import fill, make_read_only, small_disk

LEFT = [0, 1_000, 5_000, 20_000, 60_000, 200_000, 600_000, 1_500_000]
"""Bytes that are free when a run begins: it gets farther each time."""

EVERYTHING = '+key:"small/predictions" or +key:"small/report"'


@pytest.fixture
def disk(whole, tmp_path, monkeypatch):
    """A disk of 30 MB that holds everything."""
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.01)
    with small_disk(tmp_path / "disk", 30_000) as folder:
        shutil.copytree(whole, folder / "artifacts")
        yield folder


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def refuse_half_written(root: Path) -> None:
    """Whatever happened, all that is there can be read, and nothing else is there."""
    assert not list(root.rglob(f"{PARTIAL}*"))
    for path in root.rglob("*"):
        if path.suffix in (".parquet", ".safetensors", ".png"):
            storage.load(path)
        if path.suffix in (".svg", ".html"):
            assert path.read_text().rstrip().endswith(f"</{path.suffix[1:]}>")
        if path.suffix == ".gif":
            assert path.read_bytes().endswith(b";")
    registry = Registry(UPath(root), "small")
    version = registry.champion()
    for name in version.files:
        registry.file(version.number, name)


@pytest.mark.parametrize("left", LEFT)
def test_a_full_disk_loses_nothing_and_a_run_completes_once_there_is_room(disk, materialize, left):
    root = disk / "artifacts"
    filler = fill(disk, left)
    done = materialize(root, EVERYTHING)
    if not done.success:
        message = failure(done)
        assert "No space left on device" in message
        assert advised(message), message
        assert "what was there before is unchanged" in message
    refuse_half_written(root)
    filler.unlink()
    done = materialize(root, EVERYTHING)
    assert done.success, failure(done)


def test_a_new_version_that_does_not_fit_leaves_the_champion(disk, materialize):
    root = disk / "artifacts"
    registry = Registry(UPath(root), "small")
    (root / "small" / "champion" / "v0001" / "model.safetensors").write_bytes(b"")
    filler = fill(disk, 8_000)
    message = failure(materialize(root, "small/champion"))
    assert "No space left on device" in message
    assert "small/champion" in advised(message), message
    assert registry.numbers() == [1]
    assert not list(root.rglob(f"{PARTIAL}*"))
    filler.unlink()
    assert materialize(root, "small/champion").success
    assert registry.champion().number == 2


@pytest.mark.parametrize(
    "selection", ["small/dataset", "small/narrow/model", "small/report", "small/champion"]
)
def test_a_disk_that_may_only_be_read_is_named_and_nothing_changes(disk, materialize, selection):
    root = disk / "artifacts"
    before = contents(root)
    make_read_only(disk)
    done = materialize(root, selection)
    if selection != "small/champion" or not done.success:
        message = failure(done)
        assert "Read-only file system" in message
        assert selection in advised(message), message
        assert "STEP_UP_FOR_RETRY" not in [event.event_type_value for event in done.all_events]
    assert contents(root) == before
    make_read_only(disk, read_only=False)
    assert materialize(root, selection).success


def test_a_registry_that_may_only_be_read_says_who_serves_and_refuses_a_change(disk):
    registry = Registry(UPath(disk / "artifacts"), "small")
    make_read_only(disk)
    assert registry.champion().number == 1
    assert [entry.number for entry in registry.entries()] == [1]
    for change in (lambda: pin(registry, 1, True, Told()), lambda: roll_back(registry, 1, Told())):
        with pytest.raises(OSError, match="Read-only file system"):
            change()
    make_read_only(disk, read_only=False)
    assert pin(registry, 1, True, Told()).pinned == (1,)
