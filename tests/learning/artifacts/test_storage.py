"""One artifact is one file, published whole or not at all, and never a pickle."""

import copy
import dataclasses
import json
import os
import pickle
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from safetensors import safe_open
from safetensors.torch import save_file
from upath import UPath

from classification_assets.learning.artifacts import model_file
from classification_assets.learning.artifacts.files import HEADER, ArtifactError
from classification_assets.learning.artifacts.storage import load, save, stage
from classification_assets.learning.evaluation.comparison import comparison
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.leaderboard import leaderboard
from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.models.architectures import MLP, Module
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.table import Table

OWN_NETWORK = """
import pathlib
import torch

pathlib.Path(__file__).with_name("imported").touch()


class Own(torch.nn.Module):
    def __init__(self, n_features, n_classes, width=3):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(n_features, width), torch.nn.Linear(width, n_classes))

    def forward(self, x):
        return self.layers(x)
"""


@pytest.fixture(scope="module")
def frame():
    """A frame of numbers, words and gaps."""
    columns = {
        "name": ["a", "ü", "c"],
        "score": [0.1, np.nan, 1 / 3],
        "n": [1, 2, 3],
        "x": np.float32([1, 2, 3]),
    }
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def board(evaluation, fit, split):
    """A leaderboard of two architectures."""
    linear = evaluate(fit(MLP(name="linear", hidden=())), split)
    return leaderboard({"narrow": evaluation, "linear": linear}, "accuracy")


@pytest.fixture(scope="module")
def compared(board):
    """Two experiments' leaderboards, compared."""
    return comparison({"one": board, "other": board})


@pytest.fixture(scope="module")
def figure():
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 3, 2])
    return figure


@pytest.fixture(scope="module")
def with_checkpoints(fitted):
    """A fitted classifier that kept two checkpoints."""
    states = {step: {name: value + step for name, value in fitted.state.items()} for step in (5, 100)}
    return dataclasses.replace(fitted, checkpoints=states)


KINDS = {
    "table": ".parquet",
    "split": ".parquet",
    "evaluation": ".parquet",
    "board": ".parquet",
    "compared": ".parquet",
    "frame": ".parquet",
    "fitted": ".safetensors",
    "with_checkpoints": ".safetensors",
    "figure": ".png",
}
every_kind = pytest.mark.parametrize("kind", KINDS)
every_readable_kind = pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "figure"])


@pytest.fixture
def stored(request, tmp_path):
    """Stores an artifact by its kind: the value and its path."""

    def stored(kind, name="artifact", folder=tmp_path):
        value, path = request.getfixturevalue(kind), folder / f"{name}{KINDS[kind]}"
        save(value, path)
        return value, path

    return stored


# Round trips


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
    assert names == {"frame.parquet", "shape.png", "shape.svg", "README.md", "clip.gif"}
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "# Hello ü\n"
    assert staged.version == save(frame, tmp_path / "alone.parquet")


def test_a_frame_comes_back(stored):
    value, path = stored("frame")
    pd.testing.assert_frame_equal(load(path), value)


@pytest.mark.parametrize("kind", ["fitted", "with_checkpoints"])
def test_a_fitted_classifier_comes_back(stored, kind):
    value, path = stored(kind)
    again = load(path)
    assert again.provenance == value.provenance
    assert again.state.keys() == value.state.keys()
    assert all(torch.equal(again.state[name], tensor) for name, tensor in value.state.items())
    for name, array in value.history.items():
        np.testing.assert_array_equal(again.history[name], array)
    np.testing.assert_array_equal(again.best_step, value.best_step)
    np.testing.assert_array_equal(again.validation_probabilities, value.validation_probabilities)
    assert again.checkpoints.keys() == value.checkpoints.keys()
    for step, state in value.checkpoints.items():
        assert all(torch.equal(again.checkpoints[step][name], tensor) for name, tensor in state.items())


def test_a_classifiers_moments_are_read_only_when_asked_for(fitted, split, tmp_path, monkeypatch):
    read = []

    class Watched:
        def __init__(self, *arguments, **options):
            self.opened = safe_open(*arguments, **options)

        def __getattr__(self, name):
            return getattr(self.opened, name)

        def get_tensor(self, name):
            read.append(name)
            return self.opened.get_tensor(name)

    save(fitted, tmp_path / "model.safetensors")
    monkeypatch.setattr(model_file, "safe_open", Watched)
    again = load(tmp_path / "model.safetensors")
    again.predict_proba(split.X)
    first, last, *_ = again.checkpoints
    assert not any(name.startswith("checkpoints/") for name in read)
    np.testing.assert_array_equal(
        again.probabilities_at(last, split.X), fitted.probabilities_at(last, split.X)
    )
    assert any(name.startswith(f"checkpoints/{last}/") for name in read)
    assert not any(name.startswith(f"checkpoints/{first}/") for name in read)


def test_a_classifiers_moments_are_those_it_was_loaded_with_when_its_file_is_replaced(
    fit, fitted, split, tmp_path
):
    path = tmp_path / "model.safetensors"
    save(fitted, path)
    again = load(path)
    save(fit(seed=9), path)
    step = list(again.checkpoints)[2]
    np.testing.assert_array_equal(
        again.probabilities_at(step, split.X), fitted.probabilities_at(step, split.X)
    )


def test_a_loaded_classifier_can_be_copied(stored):
    value, path = stored("with_checkpoints")
    again = copy.deepcopy(load(path))
    assert all(
        torch.equal(again.checkpoints[step][name], tensor)
        for step, state in value.checkpoints.items()
        for name, tensor in state.items()
    )


def test_a_fitted_classifier_predicts_the_same_when_it_comes_back(stored, split):
    value, path = stored("fitted")
    np.testing.assert_array_equal(load(path).predict_proba(split.X), value.predict_proba(split.X))


def test_a_fitted_classifier_that_a_member_failed_in_predicts_the_same_when_it_comes_back(
    fit, split, tmp_path
):
    architecture = MLP(hidden=(6,), dropout=(0.0, 0.2, 0.0))
    value = fit(architecture, learning_rate=(0.03, 1e38, 0.02))
    save(value, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict_proba(split.X), value.predict_proba(split.X))


def test_own_training_options_of_an_architecture_come_back_as_they_were_set(fit, tmp_path):
    value = fit(MLP(hidden=(6,), training={"learning_rate": (0.1, 0.02, 0.03)}))
    save(value, tmp_path / "model.safetensors")
    own = load(tmp_path / "model.safetensors").provenance.architecture.training
    assert own.model_fields_set == {"learning_rate"}
    assert own.learning_rate == (0.1, 0.02, 0.03)


def test_a_figure_is_a_png_with_an_svg_beside_it(stored):
    _, path = stored("figure")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in path.with_suffix(".svg").read_bytes()


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


def test_an_svg_is_the_same_bytes_again(stored):
    (_, one), (_, other) = stored("figure", "one"), stored("figure", "other")
    assert one.with_suffix(".svg").read_bytes() == other.with_suffix(".svg").read_bytes()


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


# What cannot be stored or loaded


@pytest.mark.parametrize("value", [5, {"a": 1}, None])
def test_a_value_that_is_no_artifact_is_refused_with_what_can_be_stored(tmp_path, value):
    with pytest.raises(TypeError) as raised:
        save(value, tmp_path / "x.parquet")
    assert f"x.parquet: a {type(value).__name__} cannot be stored" in str(raised.value)
    assert (
        "Table, Split, Predictions, Evaluation, Surfaces, Leaderboard, Comparison, DataFrame, FittedModel"
        in str(raised.value)
    )


@pytest.mark.parametrize(
    ("kind", "name"), [("fitted", "model.pt"), ("frame", "frame.csv"), ("figure", "a.svg")]
)
def test_a_suffix_that_would_not_be_read_back_is_refused_before_anything_is_written(
    request, tmp_path, kind, name
):
    with pytest.raises(ValueError, match=rf"is stored in a {KINDS[kind]} file, got .*{name}"):
        save(request.getfixturevalue(kind), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no artifact at .*absent\.parquet"):
        load(tmp_path / "absent.parquet")


def test_a_suffix_that_is_never_read_back_is_told_those_that_are(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ArtifactError, match=r"notes\.txt: .* ends in \.parquet, \.safetensors or \.png"):
        load(tmp_path / "notes.txt")


@every_readable_kind
@given(share=st.floats(0, 0.999))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_truncated_file_is_named_as_damaged(stored, kind, share):
    _, path = stored(kind)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ArtifactError) as raised:
        load(path)
    assert str(raised.value).startswith(f"{path} is damaged, or not written by this project: ")


@pytest.mark.parametrize("kind", ["split", "fitted"])
@given(start=st.floats(0, 0.999), length=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_with_wrong_bytes_in_it_is_named_as_damaged_if_it_cannot_be_read(
    stored, kind, start, length, seed
):
    _, path = stored(kind)
    content = bytearray(path.read_bytes())
    first = int(start * len(content))
    content[first : first + length] = np.random.default_rng(seed).bytes(length)
    path.write_bytes(content)
    message = str(path)
    try:
        load(path)
    except ArtifactError as error:
        message = str(error)
    assert message.startswith(str(path))


@pytest.fixture
def foreign(tmp_path):
    """Writes a file that somebody else's program might have written."""

    def foreign(kind):
        path = tmp_path / kind.replace(" ", "_")
        table = pa.table({"a": [1]})
        match kind:
            case "plain.parquet":
                pq.write_table(table, path)
            case "newer.parquet":
                header = {HEADER: json.dumps({"format": "hologram"})}
                pq.write_table(table.replace_schema_metadata(header), path)
            case "list.parquet":
                pq.write_table(table.replace_schema_metadata({HEADER: "[]"}), path)
            case "incomplete.parquet":
                header = {HEADER: json.dumps({"format": "split", "classes": []})}
                pq.write_table(table.replace_schema_metadata(header), path)
            case "plain.safetensors":
                save_file({"weight": torch.zeros(2)}, path)
            case "newer.safetensors":
                header = {"format": "fitted", "provenance": {"quantized": True}}
                save_file({"weight": torch.zeros(2)}, path, metadata={HEADER: json.dumps(header)})
            case _:
                path.write_bytes(b"" if kind.startswith("empty") else b"%PDF-1.7 " * 100)
        return path

    return foreign


@pytest.mark.parametrize("suffix", [".parquet", ".safetensors"])
@pytest.mark.parametrize("kind", ["plain", "newer", "empty", "pdf"])
def test_a_file_of_somebody_elses_is_named(foreign, kind, suffix):
    path = foreign(kind + suffix)
    with pytest.raises(ArtifactError, match=path.name):
        load(path)


@pytest.mark.parametrize("kind", ["list", "incomplete"])
def test_a_header_that_is_none_of_ours_is_named(foreign, kind):
    with pytest.raises(ArtifactError, match=f"{kind}.parquet is damaged, or not written by this project"):
        load(foreign(f"{kind}.parquet"))


def test_a_format_that_is_not_known_yet_is_named(foreign):
    with pytest.raises(ArtifactError, match="unknown format 'hologram'; a newer version"):
        load(foreign("newer.parquet"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_not_called_damaged(frame, tmp_path):
    save(frame, tmp_path / "frame.parquet")
    (tmp_path / "frame.parquet").chmod(0)
    with pytest.raises(PermissionError):
        load(tmp_path / "frame.parquet")


# Code


class Bomb:
    """Whoever unpickles it leaves a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("suffix", [".parquet", ".safetensors"])
@pytest.mark.parametrize("write", [pickle.dump, torch.save], ids=["pickle", "torch"])
def test_a_pickle_is_refused_and_not_run(tmp_path, suffix, write):
    mark, path = tmp_path / "exploded", tmp_path / f"bomb{suffix}"
    with path.open("wb") as opened:
        write(Bomb(mark), opened)
    with pytest.raises(ArtifactError, match="bomb"):
        load(path)
    assert not mark.exists()


@pytest.fixture
def own_model(fit, tmp_path, monkeypatch):
    """A stored model of a person's own class, forgotten by Python; and the class."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "theirs_on_disk.py").write_text(OWN_NETWORK)
    monkeypatch.syspath_prepend(code)
    value = fit(Module(kind="module", name="own", path="theirs_on_disk:Own", arguments={"width": 5}))
    save(value, tmp_path / "own.safetensors")
    network = sys.modules.pop("theirs_on_disk").Own
    (code / "imported").unlink()
    yield tmp_path / "own.safetensors", value, network
    sys.modules.pop("theirs_on_disk", None)


def test_loading_a_model_of_a_persons_own_class_imports_nothing(own_model):
    path, _, _ = own_model
    load(path)
    assert "theirs_on_disk" not in sys.modules
    assert not (path.parent / "code" / "imported").exists()


def test_a_persons_own_class_is_passed_in(own_model, split):
    path, value, network = own_model
    again = load(path, module=network)
    np.testing.assert_array_equal(again.predict_proba(split.X), value.predict_proba(split.X))


def test_without_a_persons_own_class_the_error_names_it_and_says_how_it_is_passed(own_model, split):
    path, _, _ = own_model
    with pytest.raises(ValueError, match="architecture 'own'") as raised:
        load(path).predict_proba(split.X)
    assert "theirs_on_disk:Own" in str(raised.value)
    assert "load_classifier(path, module=...)" in str(raised.value)


def test_a_class_that_has_changed_since_is_told_where_its_model_is_used(own_model, split):
    path, _, network = own_model
    with pytest.raises(ValueError, match=r"weights of own do not fit .*train it again") as raised:
        load(path, module=lambda *given, width: network(*given, width=width + 1)).predict_proba(split.X)
    assert "size mismatch" in str(raised.value)


def test_a_model_can_use_the_class_that_a_declaration_names(own_model, split):
    path, value, _ = own_model
    again = load(path).using(value.provenance.architecture)
    np.testing.assert_array_equal(again.predict_proba(split.X), value.predict_proba(split.X))


def test_a_model_is_described_by_its_file_without_this_project(stored):
    value, path = stored("fitted")
    with safe_open(path, framework="np") as opened:
        header = json.loads(opened.metadata()[HEADER])
    assert header["provenance"]["architecture"]["activation"] == "tanh"
    assert header["provenance"]["versions"]["torch"] == torch.__version__
    assert header["provenance"]["packs"] == [
        {"kind": "networks", "seeds": list(value.provenance.training.seeds)}
    ]
