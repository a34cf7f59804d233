"""Every kind of stored file, damaged at many of its bytes: what is read is what was written, or refused by name."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from classification_assets.learning.artifacts import storage
from classification_assets.learning.artifacts.files import ArtifactError
from classification_assets.learning.evaluation.promotion_rule import PromotionRule
from classification_assets.learning.registry.by_hand import promote_challenger
from classification_assets.learning.registry.challenger import Challenger
from classification_assets.learning.registry.change import changing
from classification_assets.learning.registry.contest import Told
from classification_assets.learning.registry.registry import Registry
from classification_assets.learning.registry.serving import serving
from tests.faults.damages import DAMAGES
from tests.faults.materializing import advised, failure

READ_BACK = [
    "dataset.parquet",
    "split.parquet",
    "narrow/model.safetensors",
    "narrow/model.snapshots.safetensors",
    "narrow/evaluation.parquet",
    "narrow/surface.parquet",
    "narrow/boundary.png",
    "narrow/evolution.png",
    "narrow/training_curves.png",
    "leaderboard.parquet",
    "predictions.parquet",
    "drift.parquet",
    "sweep.parquet",
]
OF_A_VERSION = ["model.safetensors", "evaluation.parquet", "reference.parquet", "MODEL_CARD.md", "model.onnx"]


def tried(read: Callable[[], Any]) -> tuple[Any, str]:
    """What was read, or None and why it was refused."""
    try:
        return read(), ""
    except ArtifactError as error:
        return None, str(error)


def version_of(path: Path) -> str:
    """The version of an artifact; empty of what has none."""
    origin = storage.origin_of(path)
    return "" if origin is None else origin.version


every_damage = pytest.mark.parametrize("damage", DAMAGES)


@every_damage
@pytest.mark.parametrize("name", READ_BACK)
def test_a_damaged_artifact_is_refused_by_its_name(stored, name, damage):
    path = stored / "small" / name
    for content in DAMAGES[damage](path.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(ArtifactError, match=re.escape(f"{path} is damaged")):
            storage.load(path)
        # Of which the end alone is read: a wrong origin is that of another version, and refused as such.
        with contextlib.suppress(ArtifactError):
            storage.origin_of(path)


@every_damage
@pytest.mark.parametrize("name", OF_A_VERSION)
def test_a_damaged_file_of_a_version_is_refused_with_the_way_out(stored, name, damage):
    registry = Registry(UPath(stored), "small")
    path = stored / "small" / "champion" / "v0001" / name
    for content in DAMAGES[damage](path.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(
            ArtifactError, match=f"{name} is damaged.*--select small/champion;.*rollback small"
        ):
            registry.file(1, name)


@every_damage
def test_a_damaged_manifest_is_refused_with_the_way_out(stored, damage):
    path = stored / "small" / "champion" / "v0001" / "version.json"
    for content in DAMAGES[damage](path.read_bytes()):
        path.write_bytes(content)
        served, message = tried(lambda: serving(UPath(stored), "small"))
        if served is None:
            assert "version.json is damaged" in message
            assert "small/champion" in advised(message)
        else:
            assert served.version.number == 1


@every_damage
def test_a_damaged_pointer_is_refused_and_the_log_restores_it(stored, damage):
    registry = Registry(UPath(stored), "small")
    path, before = registry.pointer_file, registry.pointer()
    whole = path.read_bytes()
    for index, content in enumerate(DAMAGES[damage](whole)):
        path.write_bytes(content)
        pointer, message = tried(registry.pointer)
        if pointer is not None:
            assert pointer == before
            continue
        assert f"{path} is damaged" in message
        assert advised(message) == ["small/champion"]
        if index % 20 == 0:
            with changing(registry):
                pass
            assert path.read_bytes() == whole


@every_damage
def test_a_damaged_entry_of_the_log_stops_nothing_and_is_written_again(stored, damage):
    registry = Registry(UPath(stored), "small")
    path, entries = stored / "small" / "champion" / "decisions" / "000001.json", registry.entries()
    whole = path.read_bytes()
    for index, content in enumerate(DAMAGES[damage](whole)):
        path.write_bytes(content)
        assert registry.entries() in (entries, [])
        if index % 20 == 0:
            with changing(registry):
                pass
            assert registry.entries() == entries


@pytest.mark.parametrize(
    ("name", "made_by", "reader"),
    [
        ("dataset.parquet", "small/dataset", "small/split"),
        ("split.parquet", "small/split", "small/narrow/model"),
        ("narrow/model.safetensors", "small/narrow/model", "small/narrow/evaluation"),
        ("narrow/model.snapshots.safetensors", "small/narrow/model", "small/narrow/evolution"),
        ("narrow/evaluation.parquet", "small/narrow/evaluation", "small/leaderboard"),
        ("narrow/surface.parquet", "small/narrow/surface", "small/narrow/boundary"),
        ("sweep.parquet", "small/sweep", "small/tuned/model"),
        ("narrow/boundary.png", "small/narrow/boundary", "small/report"),
        ("narrow/training_curves.png", "small/narrow/model", "small/report"),
        ("folds.png", "small/split", "small/report"),
        ("leaderboard.parquet", "small/leaderboard", "small/report"),
        ("leaderboard.parquet", "small/leaderboard", "comparison/leaderboard"),
        ("champion.json", "small/champion", "small/predictions"),
        ("champion/v0001/model.safetensors", "small/champion", "small/predictions"),
        ("champion/v0001/version.json", "small/champion", "small/predictions"),
    ],
)
def test_a_run_that_needs_a_damaged_file_names_the_command_that_restores_it(
    stored, materialize, name, made_by, reader
):
    path = stored / "small" / name
    whole, version = path.read_bytes(), version_of(path)
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0x55]) + whole[middle + 1 :])
    refused = materialize(stored, reader)
    message = failure(refused)
    assert not refused.success
    assert path.name in message
    assert made_by in advised(message), message
    assert materialize(stored, made_by).success
    done = materialize(stored, reader)
    assert done.success, failure(done)
    if not name.startswith("champion/v"):  # where a new version takes the place of a damaged one
        assert version_of(path) == version


@pytest.mark.parametrize(
    ("name", "made_by"),
    [
        ("report.html", "small/report"),
        ("narrow/evolution.gif", "small/narrow/evolution"),
        ("narrow/MODEL_CARD.md", "small/narrow/evaluation"),
        ("split.parquet", "small/split"),
        ("champion/decisions/000001.json", "small/champion"),
        ("champion.json", "small/champion"),
    ],
)
def test_the_next_run_of_its_asset_writes_a_damaged_file_again(stored, materialize, name, made_by):
    path = stored / "small" / name
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    done = materialize(stored, made_by)
    assert done.success, failure(done)
    assert len(path.read_bytes()) > 0.9 * len(whole)


def test_a_damaged_champion_is_replaced_and_the_version_stays_for_whoever_looks(stored: Path, materialize):
    (stored / "small" / "champion" / "v0001" / "model.safetensors").write_bytes(b"")
    assert materialize(stored, "small/champion").success
    assert serving(UPath(stored), "small").version.number == 2
    assert Registry(UPath(stored), "small").numbers() == [1, 2]


def test_a_challenger_whose_file_is_damaged_is_not_promoted_by_hand(stored):
    challenger = Challenger.stored(UPath(stored), "small")
    told = Told(because="it shall serve")
    path = stored / "small" / challenger.architecture / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    registry = Registry(UPath(stored), "small")
    with pytest.raises(
        ArtifactError, match=r"model\.safetensors is damaged.*Materialize small/\w+/model again"
    ):
        promote_challenger(registry, challenger, PromotionRule(), "log_loss", told)
    assert registry.numbers() == [1]
    assert not list((stored / "small" / "champion").glob(".partial-*"))
