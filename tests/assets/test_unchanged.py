"""A second run draws nothing that would be the same again: what is stored stays, unless anything at all differs."""

import os

import dagster as dg
import pytest

from classification_assets.assets import unchanged
from tests.assets.materialized import materialization

KEPT = [
    "evaluation.parquet",
    "confusion_matrix.png",
    "MODEL_CARD.md",
    "surface.parquet",
    "boundary.png",
    "evolution.png",
    "evolution.gif",
]

OF_AN_EXPERIMENT = ["effect.png", "leaderboard.parquet", "scores.png"]


@pytest.fixture(scope="module")
def first(tmp_path_factory, declared, materialize_into):
    """The small experiment, materialized once: a folder, and the instance that remembers it."""
    folder, instance = tmp_path_factory.mktemp("first"), dg.DagsterInstance.ephemeral()
    assert materialize_into(folder, declared(), instance=instance).success
    return folder, instance


@pytest.fixture
def again(first, declared, materialize_into):
    """Materializes a selection again, and returns the run and the files that it has written."""
    folder, instance = first

    def again(*keys, experiment=None, **options):
        before, selection = written(folder), " or ".join(f'key:"{key}"' for key in keys) or "*"
        remembered = {"instance": instance} | options
        run = materialize_into(folder, experiment or declared(), selection=selection, **remembered)
        assert run.success
        return run, {name for name, inode in written(folder).items() if before.get(name) != inode}

    return again


def written(folder):
    """The inode of each file: what is published takes the place of what was there."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): os.stat(path).st_ino for path in files}


def test_a_second_run_writes_none_of_its_pictures_again(first, again):
    _, names = again()
    assert "small/narrow/model.safetensors" in names
    drawn = {f"small/{architecture}/{name}" for architecture in ("linear", "narrow") for name in KEPT}
    assert not names & (drawn | {f"small/{name}" for name in OF_AN_EXPERIMENT})


def test_what_is_kept_is_told_as_it_was_when_it_was_made(first, again):
    _, instance = first
    key = dg.AssetKey(["small", "narrow", "boundary"])
    before = instance.get_latest_materialization_event(key)
    run, names = again("small/narrow/boundary")
    assert not names
    told, then = materialization(run, "small/narrow/boundary"), before.asset_materialization
    assert told.metadata["decision boundary"] == then.metadata["decision boundary"]
    assert told.tags["dagster/data_version"] == then.tags["dagster/data_version"]
    assert "nothing has changed since" in told.metadata["kept"].value
    assert "draw_seconds" not in told.metadata  # nothing was


def test_checks_of_what_is_kept_are_told_again(again):
    run, names = again("small/leaderboard")
    assert not names
    assert run.get_asset_check_evaluations()


@pytest.mark.parametrize("key", ["small/narrow/evaluation", "small/effect"])
def test_what_is_kept_shows_all_that_it_showed(again, key):
    anew = again(key, tags={unchanged.ANEW: "true"})[0]
    kept, names = again(key)
    assert not names
    then, now = (materialization(run, key).metadata for run in (anew, kept))
    assert then.keys() - now.keys() == {"draw_seconds"}
    assert all(now[entry] == then[entry] for entry in now.keys() & then.keys())


def test_a_model_trained_to_other_networks_gets_a_card_without_the_scores_of_the_former(first, again):
    card = first[0] / "small" / "narrow" / "MODEL_CARD.md"
    scored = card.read_text()
    again("small/narrow/model", run_config={"ops": {"small__narrow__model": {"config": {"max_epochs": 2}}}})
    assert "test fold |" in scored
    assert "test fold |" not in card.read_text()
    again("small/narrow/model", "small/narrow/evaluation")
    assert card.read_text() == scored


def test_a_run_can_ask_for_everything_anew(again):
    _, names = again("small/narrow/boundary", tags={unchanged.ANEW: "true"})
    assert "small/narrow/boundary.png" in names


@pytest.mark.parametrize("name", ["evolution.png", "evolution.gif"])
@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"")])
def test_a_file_that_is_gone_or_damaged_is_written_again(first, again, name, damage):
    file = first[0] / "small" / "narrow" / name
    whole = file.read_bytes()
    damage(file)
    _, names = again("small/narrow/evolution")
    assert f"small/narrow/{name}" in names
    assert len(file.read_bytes()) > 0.9 * len(whole)


def test_another_declaration_is_drawn(again, declared):
    keys, file = ["small/narrow/surface", "small/narrow/boundary"], "small/narrow/boundary.png"
    changed = declared(view={"plane": ["x2", "x1"]})
    assert file in again(*keys, experiment=changed)[1]
    assert file in again(*keys)[1]


def test_another_input_is_drawn(again):
    keys = [f"small/narrow/{name}" for name in ("model", "evaluation", "surface", "boundary")]
    other = {"ops": {"small__narrow__model": {"config": {"max_epochs": 2}}}}
    assert "small/narrow/boundary.png" in again(*keys, run_config=other)[1]
    assert "small/narrow/boundary.png" in again(*keys)[1]
    assert "small/narrow/boundary.png" not in again(*keys)[1]


def test_other_code_is_drawn(again, monkeypatch):
    monkeypatch.setattr(unchanged, "build", lambda: "another")
    assert "small/narrow/boundary.png" in again("small/narrow/boundary")[1]


def test_what_nobody_remembers_is_drawn(first, again):
    assert "small/narrow/boundary.png" in again("small/narrow/boundary", instance=None)[1]


def test_the_build_follows_the_code(monkeypatch, tmp_path):
    one = unchanged.build.__wrapped__()
    assert one == unchanged.build()
    monkeypatch.setattr(unchanged, "version", lambda name: "0")
    assert unchanged.build.__wrapped__() != one
