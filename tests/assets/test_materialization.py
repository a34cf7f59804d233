"""A materialization shows a picture or the scores first, then the device, and what the run set otherwise."""

import base64
import io
import re

import dagster as dg
import pytest
from PIL import Image

from classification_assets.learning.artifacts.storage import load
from tests.assets.materialized import materialization

PREVIEW = re.compile(r"!\[[^]]*\]\(data:image/webp;base64,([^)]+)\)")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("small/dataset", "rows"),
        ("small/split", "folds"),
        ("small/narrow/model", "training curves"),
        ("small/narrow/boundary", "decision boundary"),
        ("small/leaderboard", "scores"),
        ("small/effect", "effect of the architecture"),
        ("comparison/leaderboard", "critical difference"),
        ("comparison/gallery", "gallery"),
    ],
)
def test_the_first_thing_that_an_asset_shows_is_its_picture_in_a_small_preview(done, key, name):
    shown = materialization(done[0], key).metadata
    first = next(iter(shown))
    assert first == name
    encoded = PREVIEW.fullmatch(shown[first].value).group(1)
    picture = base64.b64decode(encoded)
    assert len(picture) < 50_000
    assert Image.open(io.BytesIO(picture)).width > 400


def test_the_evolution_is_shown_moving_and_stored_still(done):
    result, folder = done
    shown = materialization(result, "small/narrow/evolution").metadata
    assert next(iter(shown)) == "animation of the training"
    encoded = shown["animation of the training"].value
    moving = base64.b64decode(encoded.split("base64,")[1].removesuffix(")"))
    assert len(moving) < 300_000
    assert Image.open(io.BytesIO(moving)).n_frames > 4
    large = Image.open(folder / "small/narrow/evolution.gif")
    assert large.width > Image.open(io.BytesIO(moving)).width


def test_an_evaluation_shows_its_scores_first_and_then_every_figure(done):
    shown = materialization(done[0], "small/narrow/evaluation").metadata
    names = list(shown)
    assert names[0] == "accuracy"
    after_scores = names[names.index("scores") + 1 :]
    assert after_scores[:3] == ["confusion matrix", "reliability", "ROC and precision-recall"]
    for name in ("accuracy by confidence", "most confidently wrong", "calibration", "scores"):
        assert isinstance(shown[name], dg.TableMetadataValue)


def test_the_evaluation_shows_scores_as_numbers_under_stable_names(done):
    shown = materialization(done[0], "small/narrow/evaluation").metadata
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "validation_log_loss"):
        assert isinstance(shown[name], dg.FloatMetadataValue)
    assert isinstance(shown["scores of each class"], dg.TableMetadataValue)


def test_the_model_shows_how_long_it_trained_and_the_file_does_not(done):
    result, folder = done
    assert materialization(result, "small/narrow/model").metadata["train_seconds"].value > 0
    assert materialization(result, "small/narrow/boundary").metadata["draw_seconds"].value > 0
    # After the scores, before where and on what.
    told = list(materialization(result, "small/narrow/evaluation").metadata)
    assert told.index("scores") < told.index("draw_seconds") < told.index("path")
    assert b"seconds" not in (folder / "small/narrow/model.safetensors").read_bytes()


def test_every_materialization_records_the_device_it_used(done):
    result, _ = done
    model = materialization(result, "small/linear/model").metadata
    assert {"device", "device hardware", "torch version", "threads"} <= set(model)
    rows = materialization(result, "small/dataset").metadata
    assert rows["device"].value == "cpu"
    assert "no use for an accelerator" in rows["device note"].value


def test_a_device_that_is_not_there_is_an_error_before_any_work(materialize, declared, tmp_path):
    with pytest.raises(ValueError, match="device 'cuda:7' is not there; this machine has"):
        materialize(declared(device="cuda:7"))
    assert list(tmp_path.rglob("*.parquet")) == []


def test_the_runs_device_comes_before_the_declared_one(materialize, declared):
    result = materialize(
        declared(device="cuda:7"), run_config={"resources": {"device": {"config": {"device": "cpu"}}}}
    )
    assert materialization(result, "small/linear/model").metadata["device"].value == "cpu"


def test_an_override_is_used_and_recorded_first(materialize, experiment, tmp_path):
    result = materialize(
        experiment, run_config={"ops": {"small__narrow__model": {"config": {"members": 2, "hidden": [9]}}}}
    )
    shown = materialization(result, "small/narrow/model").metadata
    assert next(iter(shown)) == "overridden for this run"
    assert shown["overridden for this run"].value == "members = 2, hidden = (9,)"
    provenance = load(tmp_path / "small/narrow/model.safetensors").provenance
    assert provenance.training.members == 2
    assert provenance.architecture.hidden == (9,)


def test_the_leaderboard_tells_of_overrides_of_the_model_and_of_the_data(materialize, experiment, tmp_path):
    materialize(
        experiment,
        run_config={
            "ops": {
                "small__dataset": {"config": {"noise": 0.5}},
                "small__narrow__model": {"config": {"members": 2}},
            }
        },
    )
    board = load(tmp_path / "small/leaderboard.parquet").board.set_index("architecture")
    assert board.loc["linear", "overridden"] == "dataset.noise=0.5"
    assert board.loc["narrow", "overridden"] == "dataset.noise=0.5, members=2"


def test_the_leaderboard_links_to_the_model_of_the_winner(done):
    shown = materialization(done[0], "small/leaderboard").metadata
    assert shown["model"].asset_key == dg.AssetKey(["small", shown["winner"].value, "model"])
