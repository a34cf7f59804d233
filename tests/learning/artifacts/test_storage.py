"""One artifact is one file: what is stored comes back, as the same bytes each time."""

import dataclasses
import tempfile

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from upath import UPath

from classification_assets.learning.artifacts.files import HEADER
from classification_assets.learning.artifacts.storage import load, save, stage
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.leaderboard import leaderboard
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.table import Table
from tests.learning.artifacts.kinds import KINDS, every_kind, every_readable_kind


def test_a_table_comes_back(stored):
    value, path = stored("table")
    again = load(path)
    assert isinstance(again, Table)
    pd.testing.assert_frame_equal(again.frame, value.frame)
    assert (again.target, again.source) == (value.target, value.source)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_split_comes_back(split, weighted, tmp_path):
    weight = np.random.default_rng(0).random(len(split.y)).astype(np.float32) if weighted else None
    numbers = np.arange(len(split.y)) // 3 if weighted else None
    value = dataclasses.replace(
        split, weight=weight, group=numbers, timestamp=numbers, classes=["zebra", "ant"]
    )
    save(value, tmp_path / "split.parquet")
    again = load(tmp_path / "split.parquet")
    assert isinstance(again, Split)
    for name in ("X", "y", "fold"):
        np.testing.assert_array_equal(getattr(again, name), getattr(value, name))
        assert getattr(again, name).dtype == getattr(value, name).dtype
    if weighted:
        np.testing.assert_array_equal(again.weight, weight)
        np.testing.assert_array_equal(again.group, numbers)
        np.testing.assert_array_equal(again.timestamp, numbers)
    else:
        assert again.weight is again.group is again.timestamp is None
    assert again.classes == value.classes
    assert again.preprocessing == value.preprocessing
    assert again.source == value.source


def test_an_evaluation_comes_back(stored):
    value, path = stored("evaluation")
    again = load(path)
    assert isinstance(again, Evaluation)
    pd.testing.assert_frame_equal(again.rows, value.rows)
    pd.testing.assert_frame_equal(again.metrics, value.metrics, rtol=0, atol=1e-15)
    assert again.about == value.about


def test_a_header_is_in_a_file_once(stored):
    """An evaluation's is as large as its rows; with the Arrow schema Parquet would hold it twice, once in base64."""
    _, path = stored("evaluation")
    entries = pq.read_metadata(path).metadata
    header = len(entries[HEADER.encode()])
    assert header > 5_000
    assert len(entries[b"ARROW:schema"]) < 0.5 * header


def test_a_leaderboard_comes_back(stored):
    value, path = stored("board")
    again = load(path)
    pd.testing.assert_frame_equal(again.board, value.board)
    pd.testing.assert_frame_equal(again.differences, value.differences, rtol=0, atol=1e-15)
    assert again.metric == "accuracy"


def test_a_leaderboard_of_one_architecture_comes_back(evaluation, tmp_path):
    save(leaderboard({"narrow": evaluation}), tmp_path / "board.parquet")
    assert load(tmp_path / "board.parquet").winner == "narrow"


def test_a_comparison_comes_back(stored):
    value, path = stored("compared")
    again = load(path)
    pd.testing.assert_frame_equal(again.board, value.board)
    pd.testing.assert_frame_equal(again.ranks, value.ranks)
    assert again.about == value.about


def test_what_is_published_beside_an_artifact_keeps_its_name(frame, figure, tmp_path):
    beside = {"shape": figure, "README.md": "# Hello ü\n", "clip.gif": b"GIF89a"}
    staged = stage(frame, tmp_path / "frame.parquet", beside)
    assert not list(tmp_path.glob("[!.]*"))
    staged.publish()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"frame.parquet", "shape.png", "README.md", "clip.gif"}
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "# Hello ü\n"
    assert staged.version == save(frame, tmp_path / "alone.parquet")


def test_a_frame_comes_back(stored):
    value, path = stored("frame")
    pd.testing.assert_frame_equal(load(path), value)


def test_a_figure_is_a_png_and_with_svg_both(figure, tmp_path):
    path, vectors = tmp_path / "a.png", tmp_path / "a.svg"
    save(figure, path, svg=True)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in vectors.read_bytes()


@pytest.mark.parametrize("beside", [True, False])
def test_an_older_svg_is_removed_with_the_publication_of_a_png_alone(figure, frame, tmp_path, beside):
    stage(frame, tmp_path / "frame.parquet", {"a": figure}, svg=True).publish()
    assert (tmp_path / "a.svg").exists()
    alone = (
        stage(frame, tmp_path / "frame.parquet", {"a": figure})
        if beside
        else stage(figure, tmp_path / "a.png")
    )
    assert (tmp_path / "a.svg").exists()
    alone.publish()
    assert not (tmp_path / "a.svg").exists()
    assert (tmp_path / "a.png").exists()


@every_kind
def test_the_same_value_gives_the_same_bytes(stored, tmp_path, kind):
    _, one = stored(kind, "one")
    _, other = stored(kind, "other", tmp_path / "elsewhere")
    assert one.read_bytes() == other.read_bytes()


@every_readable_kind
def test_what_was_loaded_is_stored_as_the_same_bytes_again(stored, tmp_path, kind):
    _, path = stored(kind)
    save(load(path), tmp_path / f"again{path.suffix}")
    assert (tmp_path / f"again{path.suffix}").read_bytes() == path.read_bytes()


def test_an_svg_is_the_same_bytes_again(figure, tmp_path):
    for name in ("one", "other"):
        save(figure, tmp_path / f"{name}.png", svg=True)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


@every_readable_kind
def test_the_version_follows_the_content(stored, tmp_path, kind):
    value, path = stored(kind)
    assert save(value, tmp_path / f"again{path.suffix}") == save(value, path)


def test_another_value_has_another_version(frame, tmp_path):
    assert save(frame, tmp_path / "a.parquet") != save(frame.assign(n=0), tmp_path / "a.parquet")


@every_kind
def test_an_artifact_can_be_stored_at_a_url(request, kind, tmp_path, monkeypatch):
    value, url = request.getfixturevalue(kind), f"memory://bucket/{kind}/artifact{KINDS[kind]}"
    # Other processes have files of theirs in the folder that all share.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    version = save(value, url)
    if kind != "figure":
        assert save(load(url), url) == version
    assert UPath(url).is_file()
    assert list(tmp_path.iterdir()) == []


def test_a_file_url_is_a_local_place(frame, tmp_path):
    save(frame, f"file://{tmp_path}/deep/below/frame.parquet")
    pd.testing.assert_frame_equal(load(tmp_path / "deep" / "below" / "frame.parquet"), frame)


@pytest.mark.parametrize("value", [5, {"a": 1}, None])
def test_a_value_that_is_no_artifact_is_refused_with_what_can_be_stored(tmp_path, value):
    with pytest.raises(TypeError) as raised:
        save(value, tmp_path / "x.parquet")
    assert f"x.parquet: a {type(value).__name__} cannot be stored" in str(raised.value)
    told = str(raised.value).split("what can: ")[1].split(", ")
    assert {
        *("Table", "Split", "Predictions", "Evaluation", "Surfaces", "Leaderboard", "Comparison", "Drift"),
        *("SweepResult", "DataFrame", "FittedModel"),
    } < set(told)


@pytest.mark.parametrize(
    ("kind", "name"), [("fitted", "model.pt"), ("frame", "frame.csv"), ("figure", "a.svg")]
)
def test_a_suffix_that_would_not_be_read_back_is_refused_before_anything_is_written(
    request, tmp_path, kind, name
):
    with pytest.raises(ValueError, match=rf"is stored in a {KINDS[kind]} file, got .*{name}"):
        save(request.getfixturevalue(kind), tmp_path / name)
    assert list(tmp_path.iterdir()) == []
