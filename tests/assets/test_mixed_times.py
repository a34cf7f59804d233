"""Artifacts of different times: whatever is made alone beside a changed upstream asset is right, or refused.

Each case begins with everything of a small experiment stored, makes some assets anew with another declaration, and
then one asset alone. Right means made, of what is there; refused means an error before any work, with a command that
mends it, and nothing stored is changed.
"""

import re
import shutil

import numpy as np
import pytest

from classification_assets.assets.comparison import comparison_leaderboard_asset, gallery_asset
from classification_assets.assets.report import comparison_report_asset
from classification_assets.learning.artifacts.files import ArtifactError
from classification_assets.learning.artifacts.origin import MisfitError
from classification_assets.learning.artifacts.storage import load, origin_of
from classification_assets.learning.preparation.folds import Fold
from classification_assets.resources.artifact_store import MissingArtifactError

OWN = ("dataset", "split", "leaderboard", "effect", "report")
OF_ARCHITECTURE = ("model", "evaluation", "surface", "boundary", "evolution")
COMPARISONS = ("comparison/leaderboard", "comparison/gallery", "comparison/report")
EVERY = (
    *(f"small/{kind}" for kind in OWN),
    *(f"small/narrow/{kind}" for kind in OF_ARCHITECTURE),
    *COMPARISONS,
)

OTHER_ROWS = {"dataset": {"kind": "moons", "n_samples": 160, "noise": 0.2, "seed": 1}}
OTHER_SPLIT = {"split": {"seed": 1}}
OTHER_TRAINING = {"training": {"members": 3, "max_epochs": 4, "seed": 5}}
OTHER_VIEW = {"view": {"plane": ["x2", "x1"]}}

FIGURES = {"small/narrow/boundary", "small/effect", "comparison/gallery"}
REPORTS = {"small/report", "comparison/report"}

# What was made anew, with which declaration, and what then cannot be made alone.
CASES = {
    "the rows": (OTHER_ROWS, ["small/dataset"], set()),
    "the rows and the split": (
        OTHER_ROWS,
        ["small/dataset", "small/split"],
        FIGURES | REPORTS | {"small/narrow/evolution"},
    ),
    "the split": (OTHER_SPLIT, ["small/split"], FIGURES | REPORTS | {"small/narrow/evolution"}),
    "the split and one evaluation": (
        OTHER_SPLIT,
        ["small/split", "small/narrow/evaluation"],
        FIGURES | REPORTS | {"small/narrow/evolution", "small/leaderboard"},
    ),
    "one model": (OTHER_TRAINING, ["small/narrow/model"], REPORTS),
    "one model and its evaluation": (
        OTHER_TRAINING,
        ["small/narrow/model", "small/narrow/evaluation"],
        FIGURES | REPORTS,
    ),
    "one model, its evaluation and its surface": (
        OTHER_TRAINING,
        ["small/narrow/model", "small/narrow/evaluation", "small/narrow/surface"],
        (FIGURES | REPORTS) - {"small/narrow/boundary"},
    ),
    "the view": (OTHER_VIEW, ["small/narrow/surface", "small/linear/surface"], set()),
}


def selected(keys):
    return " or ".join(f'key:"{key}"' for key in keys)


@pytest.fixture(scope="module")
def everything(tmp_path_factory, declared, materialize_into):
    """A folder in which everything of the small experiment is stored."""
    folder = tmp_path_factory.mktemp("everything")
    make(materialize_into, folder, declared())
    return folder


def make(materialize_into, folder, experiment, selection="*"):
    comparisons = (
        comparison_leaderboard_asset([experiment]),
        gallery_asset([experiment]),
        comparison_report_asset([experiment]),
    )
    return materialize_into(folder, experiment, extra=comparisons, selection=selection)


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("case", CASES)
def test_what_is_made_alone_beside_a_changed_asset_is_right_or_refused(
    case, everything, declared, materialize_into, tmp_path
):
    changes, anew, cannot = CASES[case]
    experiment = declared(**changes)
    changed = tmp_path / "changed"
    shutil.copytree(everything, changed)
    assert make(materialize_into, changed, experiment, selected(anew)).success
    for key in EVERY:
        folder = tmp_path / "alone"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(changed, folder)
        if key not in cannot:
            assert make(materialize_into, folder, experiment, selected([key])).success, key
            fits_together(folder, key)
            continue
        before = contents(folder)
        with pytest.raises(MisfitError) as caught:
            make(materialize_into, folder, experiment, selected([key]))
        assert contents(folder) == before, key
        assert str(caught.value).startswith(f"{key} cannot be made of what is stored: ")
        command = re.search(r"--select '(.*)'$", str(caught.value))
        assert command is not None
        named = re.search(r"in this order, (.*): dagster", str(caught.value))
        assert named is not None
        assert named[1].split(", ")[-1] == key
        if key in ("small/leaderboard", "small/narrow/boundary", "small/narrow/evolution"):
            # The command as it stands makes it right.
            assert make(materialize_into, folder, experiment, command[1]).success
            fits_together(folder, key)


def fits_together(folder, key):
    """What an artifact was made of is what is stored now."""
    if key.endswith("report"):
        return  # a page is never read back
    for upstream, version in origin_of(file_of(folder, key)).inputs.items():
        made_of = file_of(folder, upstream)
        assert origin_of(made_of).version == version, (key, upstream)


def file_of(folder, key):
    (file,) = [
        path for suffix in ("parquet", "safetensors", "png") if (path := folder / f"{key}.{suffix}").is_file()
    ]
    return file


def test_an_evaluation_of_an_older_model_is_that_of_rows_that_it_has_not_learned_from(
    everything, declared, materialize_into, tmp_path
):
    """The split was made with another seed: of its test fold only what was tested before is unseen."""
    shutil.copytree(everything, tmp_path, dirs_exist_ok=True)
    experiment = declared(**OTHER_SPLIT)
    before = load(tmp_path / "small/split.parquet")
    result = make(
        materialize_into, tmp_path, experiment, selected(["small/split", "small/narrow/evaluation"])
    )
    split = load(tmp_path / "small/split.parquet")
    evaluation = load(tmp_path / "small/narrow/evaluation.parquet")
    test = evaluation.row_numbers(Fold.TEST)
    tested_before = set(before.keys[before.fold == Fold.TEST].tolist())
    assert set(split.keys[test].tolist()) <= tested_before
    assert evaluation.left_out["test"] == (split.fold == Fold.TEST).sum() - len(test) > 0
    model = load(tmp_path / "small/narrow/model.safetensors")
    np.testing.assert_allclose(
        evaluation.probabilities(Fold.TEST), model.predict_proba(split.X[test]), atol=1e-6
    )
    (told,) = [
        event.materialization.metadata["left out"].value
        for event in result.get_asset_materialization_events()
        if event.asset_key.path[-1] == "evaluation"
    ]
    assert f"{evaluation.left_out['test']} test rows are left out of all scores" in told


def test_a_model_that_was_trained_since_the_leaderboard_does_not_serve(declared, materialize_into, tmp_path):
    """What serves was evaluated and decided on: a model that came later can be no challenger, and no predictor."""
    (tmp_path / "new.csv").write_text("x1,x2\n0.1,0.2\n")
    predict = {"predict": {"path": str(tmp_path / "new.csv")}}
    folder, long = tmp_path / "artifacts", {"members": 2, "max_epochs": 40, "learning_rate": 0.03}
    assert materialize_into(folder, declared(**predict, training=long)).success
    before = load(folder / "small" / "champion" / "v0001" / "model.safetensors")
    experiment = declared(**predict, training=long | {"seed": 5})
    first = load(folder / "small/leaderboard.parquet").winner
    make(materialize_into, folder, experiment, selected([f"small/{first}/model"]))
    assert make(materialize_into, folder, experiment, selected(["small/champion"])).success
    assert make(materialize_into, folder, experiment, selected(["small/predictions"])).success
    predicted = load(folder / "small/predictions.parquet").rows.frame()
    np.testing.assert_allclose(
        predicted[["p_0", "p_1"]], before.predict_proba(np.array([[0.1, 0.2]], np.float32)), atol=1e-6
    )


def test_an_older_model_that_cannot_read_the_rows_names_what_to_materialize(
    declared, materialize_into, tmp_path
):
    rows = "a,b,label\n" + "".join(f"{i % 7},{i % 5},{'yes' if i % 3 else 'no'}\n" for i in range(120))
    file = tmp_path / "rows.csv"
    file.write_text(rows)
    experiment = declared(dataset={"kind": "table", "path": str(file)}, gates={"label_shift": 1})
    folder = tmp_path / "artifacts"
    make(
        materialize_into, folder, experiment, selected(["small/dataset", "small/split", "small/linear/model"])
    )
    file.write_text(rows.replace("yes\n", "maybe\n", 40))
    make(materialize_into, folder, experiment, selected(["small/dataset", "small/split"]))
    for kind in ("evaluation", "surface"):
        with pytest.raises(MisfitError) as caught:
            make(materialize_into, folder, experiment, selected([f"small/linear/{kind}"]))
        assert "linear knows the classes no, yes, got rows of the classes maybe, no, yes" in str(caught.value)
        assert str(caught.value).endswith(f"""'key:"small/linear/model" or key:"small/linear/{kind}"'""")


def test_rows_that_an_older_model_reads_itself_must_be_those_of_the_split(
    declared, materialize_into, tmp_path
):
    """The columns came in another order, so the model reads the rows; then the rows changed once more."""
    order = ["a", "b", "label"]
    lines = [{"a": i % 7 + i / 1000, "b": i % 5 - i / 1000, "label": i % 2} for i in range(120)]
    file = tmp_path / "rows.csv"

    def write(columns, rows):
        body = [",".join(str(row[name]) for name in columns) for row in rows]
        file.write_text("\n".join([",".join(columns), *body]) + "\n")

    write(order, lines)
    experiment, folder = declared(dataset={"kind": "table", "path": str(file)}), tmp_path / "artifacts"
    make(
        materialize_into, folder, experiment, selected(["small/dataset", "small/split", "small/linear/model"])
    )
    write(["b", "label", "a"], lines)
    make(materialize_into, folder, experiment, selected(["small/dataset", "small/split"]))
    assert make(materialize_into, folder, experiment, selected(["small/linear/evaluation"])).success
    assert load(folder / "small/linear/evaluation.parquet").left_out == {"validation": 0, "test": 0}
    write(["b", "label", "a"], lines[:100])
    make(materialize_into, folder, experiment, selected(["small/dataset"]))
    with pytest.raises(MisfitError, match="small/split was made of another small/dataset"):
        make(materialize_into, folder, experiment, selected(["small/linear/evaluation"]))


def test_what_an_earlier_version_stored_is_refused_by_name(everything, declared, materialize_into, tmp_path):
    from classification_assets.learning.artifacts.storage import save

    shutil.copytree(everything, tmp_path, dirs_exist_ok=True)
    split = tmp_path / "small/split.parquet"
    save(load(split), split)  # without a word of what it was made of
    with pytest.raises(MisfitError, match="small/split was stored by an earlier version") as caught:
        make(materialize_into, tmp_path, declared(), selected(["small/narrow/model"]))
    # Everything that it needs may be as old, so the command makes that too.
    command = re.search(r"--select '(.*)'$", str(caught.value))
    assert command is not None
    assert command[1] == '+key:"small/split" or key:"small/narrow/model"'
    assert make(materialize_into, tmp_path, declared(), command[1]).success


def test_a_damaged_split_can_be_made_anew_and_says_that_folds_are_lost(
    everything, declared, materialize_into, tmp_path, capfd
):
    shutil.copytree(everything, tmp_path, dirs_exist_ok=True)
    split = tmp_path / "small/split.parquet"
    before = load(split).fold
    split.write_bytes(split.read_bytes()[:-100])
    assert make(materialize_into, tmp_path, declared(), selected(["small/split"])).success
    said = capfd.readouterr().err
    assert "split.parquet is damaged" in said
    assert "which row was in which fold is lost: all are dealt anew" in said
    np.testing.assert_array_equal(load(split).fold, before)  # the same rows, dealt as the first time


def test_a_damaged_artifact_upstream_is_among_what_is_to_be_made(
    everything, declared, materialize_into, tmp_path
):
    shutil.copytree(everything, tmp_path, dirs_exist_ok=True)
    make(materialize_into, tmp_path, declared(**OTHER_SPLIT), selected(["small/split"]))
    model = tmp_path / "small/narrow/model.safetensors"
    model.write_bytes(model.read_bytes()[:40])
    with pytest.raises(MisfitError, match='key:"small/narrow/model" or key:"small/narrow/evaluation"'):
        make(materialize_into, tmp_path, declared(**OTHER_SPLIT), selected(["small/narrow/boundary"]))
    with pytest.raises(
        ArtifactError, match=r"model.safetensors is damaged.*Materialize small/narrow/model again"
    ):
        make(materialize_into, tmp_path, declared(**OTHER_SPLIT), selected(["small/narrow/evaluation"]))


def test_a_missing_artifact_is_still_the_first_thing_that_is_told(declared, materialize_into, tmp_path):
    with pytest.raises(MissingArtifactError, match="small/split is needed and has no artifact"):
        make(materialize_into, tmp_path, declared(), selected(["small/narrow/model"]))
