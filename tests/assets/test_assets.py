"""The assets, materialized with Dagster in this process: what they leave, and what they do without an input."""

import shutil

import numpy as np
import pytest
from matplotlib.text import Text
from torch import nn

from classification_assets.learning.artifacts.storage import load
from classification_assets.learning.figures import boundary_displays
from classification_assets.learning.preparation.folds import Fold
from classification_assets.resources.artifact_store import MissingArtifactError
from tests.assets.materialized import code_versions, versions


class TwoLayers(nn.Module):
    """A person's own network."""

    def __init__(self, n_features: int, n_classes: int, width: int = 5) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_features, width), nn.Tanh(), nn.Linear(width, n_classes))

    def forward(self, x):
        return self.layers(x)


def test_every_asset_leaves_its_artifact(done):
    result, folder = done
    assert result.success
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    left = {
        name for name in left if not name.startswith("small/champion")
    }  # the registry has tests of its own
    assert left == {
        "small/dataset.parquet",
        "small/split.parquet",
        "small/leaderboard.parquet",
        "small/report.html",
        "small/rows.png",
        "small/folds.png",
        "small/scores.png",
        "small/effect.png",
        "comparison/critical_difference.png",
        "comparison/gallery.png",
        *(
            f"small/{architecture}/{file}"
            for architecture in ("linear", "narrow")
            for file in (
                "model.safetensors",
                "model.snapshots.safetensors",
                "MODEL_CARD.md",
                "evaluation.parquet",
                "surface.parquet",
                "evolution.gif",
            )
        ),
        *(
            f"small/{architecture}/{figure}.png"
            for architecture in ("linear", "narrow")
            for figure in (
                "boundary",
                "evolution",
                "training_curves",
                "confusion_matrix",
                "reliability",
                "roc_and_precision_recall",
            )
        ),
        "comparison/leaderboard.parquet",
        "comparison/report.html",
    }


def test_each_asset_can_be_materialized_alone_and_then_has_the_same_data_version(
    done, experiment, materialize_into, tmp_path
):
    full, folder = done[0], tmp_path / "copy"
    shutil.copytree(done[1], folder)
    for key in versions(full):
        if key.startswith("small/"):
            alone = materialize_into(folder, experiment, selection=f'key:"{key}"')
            assert versions(alone) == {key: versions(full)[key]}


def test_an_asset_whose_input_is_missing_says_what_to_materialize_and_how(materialize, experiment):
    with pytest.raises(MissingArtifactError) as caught:
        materialize(experiment, selection='key:"small/linear/model"')
    assert "small/split is needed and has no artifact" in str(caught.value)
    assert "dagster asset materialize -m classification_assets.definitions --select small/split" in str(
        caught.value
    )


def test_a_changed_hyper_parameter_changes_the_code_version_of_that_model_and_what_depends_on_it(declared):
    before = code_versions(declared(architectures=["linear", {"name": "narrow", "hidden": [6]}]))
    after = code_versions(declared(architectures=["linear", {"name": "narrow", "hidden": [7]}]))
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {
        "small/narrow/model",
        "small/narrow/evaluation",
        "small/narrow/surface",
        "small/narrow/boundary",
        "small/narrow/evolution",
        "small/leaderboard",
        "small/champion",
        "small/effect",
        "small/report",
    }


def test_a_changed_data_set_changes_every_code_version(declared):
    before = code_versions(declared())
    after = code_versions(declared(dataset={"kind": "moons", "n_samples": 161}))
    assert [key for key in before if before[key] == after[key]] == []


def test_a_data_set_too_small_for_its_folds_is_refused_before_it_is_drawn(materialize, experiment, tmp_path):
    with pytest.raises(ValueError, match="fold would have 1 of 4 rows"):
        materialize(experiment, run_config={"ops": {"small__dataset": {"config": {"n_samples": 4}}}})
    assert not (tmp_path / "small/dataset.parquet").exists()


def test_a_failed_run_leaves_what_was_stored(materialize, experiment, tmp_path):
    materialize(experiment)
    before = (tmp_path / "small/narrow/model.safetensors").read_bytes()
    result = materialize(
        experiment,
        run_config={"ops": {"small__narrow__model": {"config": {"learning_rate": 1e30}}}},
        raise_on_error=False,
    )
    assert not result.success
    assert (tmp_path / "small/narrow/model.safetensors").read_bytes() == before


def test_an_architecture_that_cannot_be_trained_says_what_to_do_and_the_others_are_made(
    materialize, declared, tmp_path
):
    wild = {"name": "wild", "hidden": [6], "training": {"learning_rate": 1e30}}
    result = materialize(declared(architectures=["linear", wild]), raise_on_error=False)
    (failure,) = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    message = failure.cause.message
    assert "wild: the losses of all 3 networks stopped being finite" in message
    assert "lower learning_rate (1e+30), to 0.01 say, or leave wild out of small's architectures" in message
    assert (tmp_path / "small/linear/evaluation.parquet").is_file()
    assert not (tmp_path / "small/leaderboard.parquet").exists()

    # Left out, as advised: what the others' training left is compared.
    rest = 'key:"small/leaderboard" or key:"small/report"'
    assert materialize(declared(architectures=["linear"]), selection=rest).success
    assert load(tmp_path / "small/leaderboard.parquet").board["architecture"].tolist() == ["linear"]


def test_the_only_architecture_is_not_advised_to_be_left_out(materialize, declared):
    wild = {"name": "wild", "hidden": [6], "training": {"learning_rate": 1e30}}
    with pytest.raises(FloatingPointError, match=r"lower learning_rate \(1e\+30\), to 0\.01 say$"):
        materialize(declared(architectures=[wild]))


def test_the_leaderboard_is_ordered_by_the_validation_fold(done):
    _, folder = done
    board = load(folder / "small/leaderboard.parquet").board
    evaluations = {name: load(folder / f"small/{name}/evaluation.parquet") for name in ("linear", "narrow")}
    losses = {
        name: evaluation.score(Fold.VALIDATION, "log_loss")["value"]
        for name, evaluation in evaluations.items()
    }
    assert list(board["architecture"]) == sorted(losses, key=losses.__getitem__)
    for name, evaluation in evaluations.items():
        reported = board.set_index("architecture").loc[name, "accuracy"]
        assert reported == evaluation.score(Fold.TEST, "accuracy")["value"]


def test_the_declared_metric_orders_the_leaderboard(materialize, declared, tmp_path):
    materialize(declared(metric="accuracy"))
    stored = load(tmp_path / "small/leaderboard.parquet")
    assert stored.metric == "accuracy"
    assert stored.board["validation_accuracy"].is_monotonic_decreasing


def test_another_metric_changes_the_code_version_of_the_leaderboard_alone(declared):
    before, after = code_versions(declared()), code_versions(declared(metric="accuracy"))
    assert {key for key in before if before[key] != after[key]} == {
        "small/leaderboard",
        "small/champion",
        "small/effect",
        "small/report",
    }


def test_a_persons_own_network_goes_through_the_whole_pipeline(materialize, declared, tmp_path):
    own = {"name": "own", "kind": "module", "path": f"{__name__}:TwoLayers", "arguments": {"width": 7}}
    assert materialize(declared(architectures=["linear", own])).success
    rows = load(tmp_path / "small/own/evaluation.parquet").rows
    assert np.isfinite(rows["p_0"]).all()


def test_more_than_two_features_are_drawn_on_a_plane_and_the_figure_says_so(materialize, declared, tmp_path):
    blobs = {"kind": "blobs", "n_classes": 3, "n_features": 5, "n_samples": 200}
    assert materialize(declared(dataset=blobs, architectures=["linear"])).success

    names = ("linear/evaluation", "linear/surface", "split")
    drawn = boundary_displays.decision_boundary(
        *(load(tmp_path / f"small/{name}.parquet") for name in names), "title"
    )
    words = " ".join(text.get_text() for text in drawn.findobj(match=Text))
    assert "principal components of 5 features" in " ".join(words.split())
