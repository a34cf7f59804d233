"""Stored figures drawn again from stored artifacts: all of them, with the same pixels, and as SVG."""

import io
import shutil

import pytest
from PIL import Image

from classification_assets.assets.drawings import drawings
from classification_assets.figure import main
from classification_assets.learning.artifacts.origin import MisfitError
from classification_assets.learning.figures.canvas.export import png
from classification_assets.resources.artifact_store import ArtifactStore, MissingArtifactError


def file_of(drawing) -> str:
    return "/".join([*drawing.asset[:-1], f"{drawing.name}.png"])


@pytest.fixture
def known(declared):
    return {file_of(drawing): drawing for drawing in drawings([declared()])}


@pytest.fixture
def command(done, declared, monkeypatch, tmp_path):
    """The command in a folder of its own, over the small experiment's storage."""
    monkeypatch.setattr("classification_assets.component.project_experiments", lambda: [declared()])
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: main(["--storage", str(done[1]), *arguments])


def test_every_stored_figure_is_drawn_again_with_the_same_pixels(done, known):
    _, folder = done
    stored = {str(path.relative_to(folder)) for path in folder.rglob("*.png")}
    assert set(known) == stored
    for name, drawing in known.items():
        before = Image.open(folder / name).convert("RGB")
        again = png(drawing.drawn(ArtifactStore(folder=str(folder))))
        again = Image.open(io.BytesIO(again)).convert("RGB")
        assert again.size == before.size, name
        assert again.tobytes() == before.tobytes(), name


def test_figures_of_new_rows_of_a_table_are_drawings_too(declared):
    table = declared(dataset={"kind": "table", "path": "rows.csv", "target": "y"})
    assert "small/drift.png" in map(file_of, drawings([table]))


def test_a_figure_beside_an_artifact_is_written_as_the_bytes_that_are_stored(command, done, tmp_path):
    key, name = "small/narrow/evaluation", "confusion_matrix"
    assert command(key, "--name", name, "--format", "png", "--to", str(tmp_path / "again.png")) == 0
    assert (tmp_path / "again.png").read_bytes() == (done[1] / f"small/narrow/{name}.png").read_bytes()


def test_a_figure_is_written_as_svg_into_the_folder_in_which_one_is(command, tmp_path, capsys):
    assert command("small/linear/boundary") == 0
    assert capsys.readouterr().out == "small_linear_boundary.svg\n"
    assert b"<svg" in (tmp_path / "small_linear_boundary.svg").read_bytes()


def test_the_svg_on_demand_is_the_one_that_is_stored_where_it_is_declared(
    materialize, declared, command, tmp_path
):
    materialize(declared(figures={"svg": True}, architectures=["linear"]))
    assert command("small/linear/boundary", "--storage", str(tmp_path), "--to", "again.svg") == 0
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "small/linear/boundary.svg").read_bytes()
    assert (tmp_path / "small/linear/training_curves.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["small/linear/boundry"],
            "small/linear/boundry is no asset with a figure; did you mean small/linear",
        ),
        (["x"], "x is no asset with a figure; without a key, all figures are listed"),
        (["small/linear/evaluation"], "--name must be one of confusion_matrix, reliability, roc_and"),
        (["small/split", "--name", "rows"], "small/split: --name must be one of folds, got rows"),
        (["small/effect", "--to", "a.png"], "--to: a name that ends in .svg is needed"),
    ],
)
def test_what_is_not_there_is_refused_in_words(command, capsys, arguments, told):
    assert command(*arguments) == 2
    assert told in capsys.readouterr().err


def test_without_a_key_all_figures_are_listed(command, capsys):
    assert command() == 0
    told = capsys.readouterr().out.splitlines()
    assert "small/narrow/boundary" in told
    assert "small/narrow/evaluation --name reliability" in told


def test_artifacts_that_are_missing_or_do_not_fit_are_refused(
    done, known, materialize_into, declared, tmp_path
):
    store = ArtifactStore(folder=str(tmp_path / "copy"))
    with pytest.raises(MissingArtifactError, match="small/linear/evaluation is needed"):
        known["small/linear/boundary.png"].drawn(store)
    shutil.copytree(done[1], tmp_path / "copy")
    fewer = declared(dataset={"kind": "moons", "n_samples": 150, "noise": 0.2})
    materialize_into(tmp_path / "copy", fewer, selection='key:"small/dataset" or key:"small/split"')
    with pytest.raises(MisfitError):
        known["small/linear/boundary.png"].drawn(store)
