"""A search for hyper-parameters as an asset, and the architecture that it finds, materialized in this process."""

import shutil

import pytest
from upath import UPath

from classification_assets.assets.drawings import drawings
from classification_assets.learning.artifacts.origin import MisfitError
from classification_assets.learning.artifacts.storage import load
from classification_assets.learning.registry.serving import serving
from tests.assets.materialized import code_versions, materialization, versions

SWEEP = {
    "space": {"depth": [1, 2], "width": [4, 8], "learning_rate": {"low": 0.01, "high": 0.1, "log": True}},
    "networks": 6,
    "max_epochs": 4,
    "first_epochs": 2,
    "finalists": 2,
    "repeats": 2,
}
OF_TUNED = {f"small/tuned/{kind}" for kind in ("model", "evaluation", "surface", "boundary", "evolution")}
OF_ALL = {"small/leaderboard", "small/champion", "small/effect", "small/report"}


@pytest.fixture
def searched(declared):
    return declared(sweep=SWEEP)


@pytest.fixture(scope="module")
def swept(tmp_path_factory, declared, materialize_into):
    """Everything of an experiment with a sweep, materialized once, and the folder it is in."""
    folder = tmp_path_factory.mktemp("swept")
    return materialize_into(folder, declared(sweep=SWEEP)), folder


def test_the_sweep_and_what_it_finds_leave_artifacts_and_nothing_unfinished(swept):
    result, folder = swept
    assert result.success
    assert len(load(folder / "small/sweep.parquet").networks) == 6
    for kind in ("model.safetensors", "MODEL_CARD.md", "evaluation.parquet", "boundary.png", "evolution.gif"):
        assert (folder / "small/tuned" / kind).is_file()
    assert [path for path in folder.rglob(".*") if path.name != ".lock"] == []


def test_its_page_says_what_was_tried_and_found(swept):
    shown = materialization(swept[0], "small/sweep").metadata
    summary = load(swept[1] / "small/sweep.parquet").summary
    assert shown["result"].value.startswith("6 configurations were tried in ")
    assert shown["configurations"].value == 6
    assert shown["best_score"].value == pytest.approx(summary.best_score, rel=1e-4)
    told = {record.data["hyper-parameter"] for record in shown["hyper-parameters of the winner"].records}
    assert {"depth", "width", "learning_rate", "dropout"} <= told


def test_what_was_found_is_trained_as_any_other_architecture(swept):
    result, folder = swept
    found = load(folder / "small/sweep.parquet").summary
    provenance = load(folder / "small/tuned/model.safetensors").provenance
    assert provenance.architecture.name == "tuned"
    assert provenance.architecture.hidden == (found.values["width"],) * found.values["depth"]
    assert provenance.training.learning_rate == found.values["learning_rate"]
    assert (provenance.training.max_epochs, provenance.members) == (4, 3)
    assert "tuned" in load(folder / "small/leaderboard.parquet").board["architecture"].tolist()
    told = materialization(result, "small/tuned/model").metadata["result"].value
    assert f"; found by a sweep of {found.n_networks} networks in {found.seconds:.1f} s" in told


def test_wherever_architectures_are_compared_it_is_said_that_tuned_is_the_best_of_many(swept):
    result, folder = swept
    caution = "tuned is the best of 6 configurations on validation rows"
    assert caution in materialization(result, "small/leaderboard").metadata["result"].value
    assert caution in load(folder / "small/leaderboard.parquet").sentence()
    report = (folder / "small/report.html").read_text()
    assert caution in report.partition('<h2 id="leaderboard">')[0]
    assert caution in report.partition('<h2 id="sweep">')[2]
    assert caution in (folder / "small/tuned/MODEL_CARD.md").read_text()


def test_every_stored_figure_is_known_as_a_drawing(swept, searched):
    stored = {str(path.relative_to(swept[1])) for path in swept[1].rglob("*.png")}
    known = {"/".join([*drawing.asset[:-1], f"{drawing.name}.png"]) for drawing in drawings([searched])}
    # Of a sweep only those are stored in which there is something to see.
    assert "small/learning_curves.png" in stored
    assert stored <= known


def test_each_asset_can_be_materialized_alone_and_then_has_the_same_data_version(
    swept, searched, materialize_into, tmp_path
):
    shutil.copytree(swept[1], tmp_path / "copy")
    for key in ("small/sweep", "small/tuned/model", "small/leaderboard", "small/effect", "small/report"):
        alone = materialize_into(tmp_path / "copy", searched, selection=f'key:"{key}"')
        assert versions(alone) == {key: versions(swept[0])[key]}


def test_a_run_may_set_budget_and_seed(materialize_into, searched, swept, tmp_path):
    shutil.copytree(swept[1], tmp_path / "copy")
    config = {"ops": {"small__sweep": {"config": {"networks": 3, "seed": 7}}}}
    result = materialize_into(tmp_path / "copy", searched, selection='key:"small/sweep"', run_config=config)
    assert materialization(result, "small/sweep").metadata["overridden for this run"].value == (
        "networks = 3, seed = 7"
    )
    assert len(load(tmp_path / "copy/small/sweep.parquet").networks) == 3
    # What was made of the earlier sweep does not go with this one.
    with pytest.raises(MisfitError, match="made of another small/sweep than the one that is there"):
        materialize_into(tmp_path / "copy", searched, selection='key:"small/report"')


def test_a_budget_that_no_configuration_fits_is_refused_by_its_rule(
    materialize_into, searched, swept, tmp_path
):
    shutil.copytree(swept[1], tmp_path / "copy")
    config = {"ops": {"small__sweep": {"config": {"networks": 3, "seeds": 5}}}}
    with pytest.raises(ValueError, match=r"of sweep: networks: .* takes 5 networks .* budget of 3"):
        materialize_into(tmp_path / "copy", searched, selection='key:"small/sweep"', run_config=config)


def test_a_run_may_train_what_was_found_in_another_way(materialize_into, searched, swept, tmp_path):
    shutil.copytree(swept[1], tmp_path / "copy")
    changes = {"learning_rate": 0.01, "hidden": [5], "members": 2, "max_epochs": 3}
    config = {"ops": {"small__tuned__model": {"config": changes}}}
    materialize_into(tmp_path / "copy", searched, selection='key:"small/tuned/model"', run_config=config)
    provenance = load(tmp_path / "copy/small/tuned/model.safetensors").provenance
    assert provenance.overridden == changes | {"hidden": (5,)} or provenance.overridden == changes
    assert (provenance.architecture.hidden, provenance.training.learning_rate) == ((5,), 0.01)
    assert (provenance.members, provenance.training.max_epochs) == (2, 3)


def test_what_an_older_sweep_has_found_is_scored_on_newer_rows(materialize_into, declared, swept, tmp_path):
    shutil.copytree(swept[1], tmp_path / "copy")
    rows = {"kind": "moons", "n_samples": 160, "noise": 0.2, "seed": 1}
    scored = " or ".join(
        f'key:"small/{name}"'
        for name in (
            "dataset",
            "split",
            "linear/evaluation",
            "narrow/evaluation",
            "tuned/evaluation",
            "leaderboard",
        )
    )
    newer = declared(sweep=SWEEP, dataset=rows)
    result = materialize_into(tmp_path / "copy", newer, selection=scored)
    told = materialization(result, "small/leaderboard").metadata["result"].value
    assert "tuned is the best of 6 configurations" in told


def changed(declared, before, **after):
    first, second = (
        code_versions(declared(sweep=SWEEP) if before is None else before),
        code_versions(declared(**after)),
    )
    return {key for key in first if first[key] != second[key]}


def test_another_space_is_a_change_of_the_sweep_and_of_what_depends_on_it(declared):
    space = SWEEP["space"] | {"width": [4, 9]}
    assert changed(declared, None, sweep=SWEEP | {"space": space}) == {"small/sweep"} | OF_TUNED | OF_ALL


def test_another_metric_of_the_experiment_is_one_of_the_sweep_that_declares_none(declared):
    assert changed(declared, None, sweep=SWEEP, metric="accuracy") == {"small/sweep"} | OF_TUNED | OF_ALL


def test_more_members_are_no_change_of_the_sweep(declared):
    found = changed(declared, None, sweep=SWEEP, training={"members": 4, "max_epochs": 4})
    assert "small/sweep" not in found
    assert "small/tuned/model" in found


def test_the_champion_may_be_what_the_sweep_has_found(materialize, declared, tmp_path):
    sweep = SWEEP | {
        "space": {"hidden": [[16, 16]], "learning_rate": [0.02, 0.05]},
        "networks": 2,
        "max_epochs": 20,
    }
    rows = {"kind": "moons", "n_samples": 600, "noise": 0.1}
    assert materialize(declared(dataset=rows, architectures=["linear"], sweep=sweep)).success
    served = serving(UPath(tmp_path), "small")
    assert served.version.architecture == "tuned"
    assert served.model.provenance.architecture.hidden == (16, 16)


def test_a_sweep_of_which_everything_diverges_says_what_to_lower(materialize, declared, tmp_path):
    sweep = SWEEP | {"space": {"learning_rate": [1e30, 1e35]}}
    result = materialize(declared(sweep=sweep), raise_on_error=False)
    (failure,) = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    assert "space.learning_rate" in failure.cause.message
    assert (tmp_path / "small/linear/model.safetensors").is_file()
    assert not (tmp_path / "small/sweep.parquet").exists()


def test_a_rows_metric_that_cannot_be_judged_is_refused_before_training(materialize, declared, tmp_path):
    # Of 12 rows, which one of three classes may lack among those that judge.
    table = tmp_path / "rows.csv"
    labels = ["a"] * 12 + ["b"] * 12 + ["c"]
    table.write_text("x,y\n" + "".join(f"{index},{label}\n" for index, label in enumerate(labels)))
    experiment = declared(
        dataset={"kind": "table", "path": str(table), "target": "y"},
        architectures=["linear"],
        sweep=SWEEP | {"metric": "macro_f1"},
    )
    result = materialize(experiment, raise_on_error=False)
    messages = [
        str(event.step_failure_data.error.cause.message)
        for event in result.all_events
        if event.is_step_failure and event.step_key.endswith("sweep")
    ]
    assert not (tmp_path / "small/sweep.parquet").exists()
    assert any("sweep.metric: macro_f1 needs rows of every class" in message for message in messages)
