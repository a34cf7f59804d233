"""The assets, materialized with Dagster in this process: what they leave, show, record and check."""

import base64
import io
import re
import shutil
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image
from torch import nn

from classification_assets.assets.comparison import comparison_leaderboard_asset, gallery_asset
from classification_assets.assets.report import comparison_report_asset
from classification_assets.component import experiment_definitions
from classification_assets.learning.artifacts.storage import load
from classification_assets.learning.figures import boundary_displays
from classification_assets.learning.preparation.checks import dataset_checks
from classification_assets.learning.preparation.folds import Fold
from classification_assets.resources.artifact_store import MissingArtifactError

PREVIEW = re.compile(r"!\[[^]]*\]\(data:image/png;base64,([^)]+)\)")


class TwoLayers(nn.Module):
    """A person's own network."""

    def __init__(self, n_features: int, n_classes: int, width: int = 5) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_features, width), nn.Tanh(), nn.Linear(width, n_classes))

    def forward(self, x):
        return self.layers(x)


def materialization(result: dg.ExecuteInProcessResult, key: str) -> dg.AssetMaterialization:
    (found,) = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(key.split("/"))
    ]
    return found


def versions(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    return {
        event.asset_key.to_user_string(): event.materialization.tags["dagster/data_version"]
        for event in result.get_asset_materialization_events()
    }


def code_versions(experiment) -> dict[str, str]:
    definitions = experiment_definitions(experiment)
    return {
        spec.key.to_user_string(): spec.code_version
        for asset in definitions.assets or ()
        for spec in asset.specs
    }


@pytest.fixture
def experiment(declared):
    return declared()


@pytest.fixture(scope="module")
def done(tmp_path_factory, declared, materialize_into) -> tuple[dg.ExecuteInProcessResult, Path]:
    """Everything of the small experiment and the comparison, materialized once, and the folder it is in."""
    experiment, folder = declared(), tmp_path_factory.mktemp("artifacts")
    comparisons = (
        comparison_leaderboard_asset([experiment]),
        gallery_asset([experiment]),
        comparison_report_asset([experiment]),
    )
    return materialize_into(folder, experiment, extra=comparisons), folder


def test_every_asset_leaves_its_artifact(done):
    result, folder = done
    assert result.success
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert left == {
        "small/dataset.parquet",
        "small/split.parquet",
        "small/leaderboard.parquet",
        "small/report.html",
        *(
            f"{folder}.{suffix}"
            for folder in (
                "small/rows",
                "small/folds",
                "small/scores",
                "small/effect",
                "comparison/critical_difference",
                "comparison/gallery",
            )
            for suffix in ("png", "svg")
        ),
        *(
            f"small/{architecture}/{file}"
            for architecture in ("linear", "narrow")
            for file in (
                "model.safetensors",
                "MODEL_CARD.md",
                "evaluation.parquet",
                "surface.parquet",
                "evolution.gif",
            )
        ),
        *(
            f"small/{architecture}/{figure}.{suffix}"
            for architecture in ("linear", "narrow")
            for figure in (
                "boundary",
                "evolution",
                "training_curves",
                "confusion_matrix",
                "reliability",
                "roc_and_precision_recall",
            )
            for suffix in ("png", "svg")
        ),
        "comparison/leaderboard.parquet",
        "comparison/report.html",
    }


def test_the_report_over_all_experiments_leads_to_each_ones_own(done):
    page = done[1] / "comparison" / "report.html"
    links = re.findall(r'href="([^"#:]+)"', page.read_text())
    assert [(page.parent / link).resolve() for link in links] == [done[1] / "small" / "report.html"]


def test_the_report_over_all_experiments_is_made_of_a_leaderboard_that_knows_of_more(
    materialize_into, declared, tmp_path
):
    for architectures, selection in (
        (["linear", "shallow_relu"], "*"),
        (["linear"], 'key:"comparison/report"'),
    ):
        experiment = declared(architectures=architectures)
        comparisons = (
            comparison_leaderboard_asset([experiment]),
            gallery_asset([experiment]),
            comparison_report_asset([experiment]),
        )
        assert materialize_into(tmp_path, experiment, extra=comparisons, selection=selection).success


def test_the_report_over_all_experiments_counts_the_checks_of_folds_models_and_scores(done):
    result, folder = done
    checked = [own for own in result.get_asset_check_evaluations() if own.asset_key.path[-1] != "dataset"]
    failed = sum(not own.passed for own in checked)
    assert f"<p>{failed} of {len(checked)}. " in (folder / "comparison" / "report.html").read_text()


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
        "small/effect",
        "small/report",
    }


def test_a_changed_data_set_changes_every_code_version(declared):
    before = code_versions(declared())
    after = code_versions(declared(dataset={"kind": "moons", "n_samples": 161}))
    assert [key for key in before if before[key] == after[key]] == []


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("small/dataset", "rows"),
        ("small/split", "folds"),
        ("small/narrow/model", "training curves"),
        ("small/narrow/evaluation", "confusion matrix"),
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


def test_every_figure_of_an_evaluation_is_shown(done):
    shown = materialization(done[0], "small/narrow/evaluation").metadata
    assert list(shown)[:3] == ["confusion matrix", "reliability", "ROC and precision-recall"]
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


def test_the_leaderboard_links_to_the_model_of_the_winner(done):
    shown = materialization(done[0], "small/leaderboard").metadata
    assert shown["model"].asset_key == dg.AssetKey(["small", shown["winner"].value, "model"])


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


def test_checks_are_reported_with_a_sentence(done):
    evaluations = done[0].get_asset_check_evaluations()
    assert {evaluation.check_name for evaluation in evaluations} == {
        *(check.name for check in dataset_checks()),
        "separate_folds",
        "classes_trained",
        "converged",
        "beats_majority",
        "calibrated",
        "generalizes",
        "near_optimal",
        "beats_linear",
    }
    assert all(evaluation.description for evaluation in evaluations)


def test_a_declared_bound_is_a_check_and_one_that_blocks_stops_what_is_downstream(
    materialize, declared, tmp_path
):
    checks = {"accuracy": {"min": 0.999, "blocking": True}, "roc_auc": {"min": 0.2}}
    result = materialize(declared(checks=checks, architectures=["linear"]), raise_on_error=False)
    assert not result.success
    found = {own.check_name: own for own in result.get_asset_check_evaluations()}
    floor, passed = found["accuracy_within_bounds"], found["roc_auc_within_bounds"]
    assert not floor.passed
    assert floor.severity == dg.AssetCheckSeverity.ERROR
    assert "declared to be at least 0.999" in floor.description
    assert passed.passed
    assert (tmp_path / "small/linear/evaluation.parquet").exists()
    assert not (tmp_path / "small/leaderboard.parquet").exists()


def test_a_bound_that_does_not_block_only_warns(materialize, declared):
    result = materialize(declared(checks={"accuracy": {"min": 0.999}}, architectures=["linear"]))
    (floor,) = [
        own for own in result.get_asset_check_evaluations() if own.check_name == "accuracy_within_bounds"
    ]
    assert (floor.passed, floor.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.success


def test_the_declared_metric_orders_the_leaderboard(materialize, declared, tmp_path):
    materialize(declared(metric="accuracy"))
    stored = load(tmp_path / "small/leaderboard.parquet")
    assert stored.metric == "accuracy"
    assert stored.board["validation_accuracy"].is_monotonic_decreasing


def test_another_metric_changes_the_code_version_of_the_leaderboard_alone(declared):
    before, after = code_versions(declared()), code_versions(declared(metric="accuracy"))
    assert {key for key in before if before[key] != after[key]} == {
        "small/leaderboard",
        "small/effect",
        "small/report",
    }


def test_the_report_tells_when_and_on_what_each_model_was_trained(done):
    result, folder = done
    html = (folder / "small/report.html").read_text(encoding="utf-8")
    assert html.partition("</head>")[2].count(result.run_id) == 2
    assert "device: cpu" in html
    assert "decision boundary" in html
    assert "training curves" in html


def test_experiments_without_a_common_architecture_are_compared_without_ranks(
    declared, materialize_into, tmp_path
):
    pair = [declared("one", architectures=["linear"]), declared("two", architectures=["shallow_relu"])]
    result = materialize_into(
        tmp_path,
        *pair,
        selection='+key:"comparison/leaderboard"',
        extra=(comparison_leaderboard_asset(pair),),
    )
    assert result.success
    assert len(load(tmp_path / "comparison/leaderboard.parquet").ranks) == 0
    assert not (tmp_path / "comparison/critical_difference.png").exists()


def test_an_artifact_is_a_link_where_the_folder_is_served(materialize, experiment, monkeypatch):
    monkeypatch.setenv("CLASSIFICATION_ASSETS_URL", "https://models.example/art/")
    shown = materialization(materialize(experiment), "small/report").metadata
    assert shown["link"].value == "https://models.example/art/small/report.html"


def test_without_an_address_a_report_is_a_path(done):
    shown = materialization(done[0], "small/report").metadata
    assert "link" not in shown
    assert shown["path"].value.endswith("small/report.html")


def test_the_card_beside_a_model_tells_of_its_evaluation(done):
    card = (done[1] / "small/narrow/MODEL_CARD.md").read_text(encoding="utf-8")
    assert "model-index" in card


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
