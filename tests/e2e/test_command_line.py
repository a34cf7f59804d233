"""The command line: every test is a `dagster asset materialize` in a process of its own, on the shipped experiments."""

import json
import signal
import time
from contextlib import suppress

import pandas as pd
import pytest
from PIL import Image

from classification_assets.learning.artifacts.storage import load
from tests.e2e.stored import files_of

ARCHITECTURES = ("linear", "shallow_relu", "deep_relu", "deep_tanh", "regularized")
ONE_EXPERIMENT = {
    "moons_small/dataset.parquet",
    "moons_small/split.parquet",
    "moons_small/leaderboard.parquet",
    "moons_small/report.html",
    "moons_small/champion.json",
    "moons_small/champion/decisions/000001.json",
    *(
        f"moons_small/champion/v0001/{file}"
        for file in (
            "model.safetensors",
            "evaluation.parquet",
            "reference.parquet",
            "MODEL_CARD.md",
            "decision.json",
            "version.json",
        )
    ),
    *(f"moons_small/{name}.png" for name in ("rows", "folds", "scores", "effect")),
    *(
        f"moons_small/{architecture}/{artifact}"
        for architecture in ARCHITECTURES
        for artifact in (
            "model.safetensors",
            "model.snapshots.safetensors",
            "MODEL_CARD.md",
            "evaluation.parquet",
            "surface.parquet",
            "evolution.gif",
        )
    ),
    *(
        f"moons_small/{architecture}/{figure}.png"
        for architecture in ARCHITECTURES
        for figure in (
            "boundary",
            "evolution",
            "training_curves",
            "confusion_matrix",
            "reliability",
            "roc_and_precision_recall",
        )
    ),
}
MODEL = "moons_small/linear/model"
MODEL_TO_LEADERBOARD = (
    'key:"moons_small/linear/model" or key:"moons_small/linear/evaluation" or key:"moons_small/leaderboard"'
)


def model_checks(**changes):
    """Run configuration that changes hyper-parameters of one model."""
    return {"ops": {"moons_small__linear__model": {"config": changes}}}


def written_at(project):
    """When each artifact was written, be it with the same content."""
    return {name: path.stat().st_mtime_ns for name, path in files_of(project).items()}


def test_one_command_materializes_an_experiment(first_run):
    _, finished = first_run
    assert finished.status == 0, finished.output[-4000:]


def test_an_experiment_leaves_every_artifact(trained):
    assert set(files_of(trained)) - {"moons_small/champion/.lock"} == ONE_EXPERIMENT


def test_a_run_writes_no_warning_of_ours(first_run):
    _, finished = first_run
    warnings = [line for line in finished.output.splitlines() if "Warning" in line]
    assert not [line for line in warnings if "/classification_assets/" in line], warnings


def test_a_run_says_where_the_artifacts_are(first_run):
    project, finished = first_run
    assert str(project.artifacts) in finished.output


def test_one_model_is_materialized_alone_in_a_fresh_process(retrained):
    before = written_at(retrained)
    retrained.materialize(MODEL).succeeded()
    written = {name for name, timestamp in written_at(retrained).items() if timestamp != before.get(name)}
    # Of the same networks the card stays, which tells their scores.
    beside = {"model.snapshots.safetensors", "training_curves.png"}
    assert written == {f"{MODEL}.safetensors", *(f"moons_small/linear/{name}" for name in beside)}


@pytest.fixture(scope="module")
def too_early(tmp_path_factory, trained):
    """A model asked for before its split is there."""
    project = type(trained).new(tmp_path_factory.mktemp("empty") / "home")
    return project.materialize("moons_small/deep_relu/model")


def test_a_model_without_its_split_fails(too_early):
    assert too_early.status != 0


def test_a_missing_artifact_is_named_with_the_command_that_makes_it(too_early):
    advice = (
        "moons_small/split is needed and has no artifact in",
        "dagster asset materialize -m classification_assets.definitions --select moons_small/split",
    )
    assert [part for part in advice if part in too_early.output] == list(advice), too_early.output


def test_the_error_of_a_failing_step_is_seen_at_the_shipped_log_level(too_early):
    """Dagster stops the `tail` that repeats a step's own lines without waiting for it, so the run's are looked at."""
    errors = [line for line in too_early.output.splitlines() if "ERROR" in line and "RUN_FAILURE" in line]
    assert [line for line in errors if "moons_small__deep_relu__model" in line], too_early.output


@pytest.fixture(scope="module")
def homeless(tmp_path_factory, trained):
    """A run of a selection that error messages advise, without DAGSTER_HOME, in an empty folder."""
    project = type(trained).new(tmp_path_factory.mktemp("homeless") / "home")
    return project, project.materialize('+key:"moons_small/split"', DAGSTER_HOME=None).succeeded()


def test_the_advised_command_for_all_upstream_works(homeless):
    """A selection that matches nothing ends with success and does nothing, so the files are looked at."""
    place = homeless[0].home / ".dagster" / "artifacts"
    assert {str(path.relative_to(place)) for path in place.rglob("*.parquet")} == {
        "moons_small/dataset.parquet",
        "moons_small/split.parquet",
    }


def test_without_an_instance_artifacts_are_kept_in_the_working_directory_and_the_log_says_where(homeless):
    project, finished = homeless
    place = project.home / ".dagster" / "artifacts"
    assert isinstance(load(place / "moons_small" / "dataset.parquet").frame, pd.DataFrame)
    assert str(place) in finished.output


@pytest.fixture(scope="module")
def overridden(trained, tmp_path_factory):
    """A run with another number of epochs and on another device than the environment's, up to the leaderboard."""
    project = trained.copied(tmp_path_factory.mktemp("overridden") / "home")
    config = model_checks(max_epochs=3) | {"resources": {"device": {"config": {"device": "cpu"}}}}
    project.materialize(MODEL_TO_LEADERBOARD, config, CLASSIFICATION_ASSETS_DEVICE="cuda:7").succeeded()
    return project


def test_a_hyperparameter_of_the_run_is_used(overridden):
    fitted = load(overridden.artifacts / f"{MODEL}.safetensors")
    assert len(fitted.history["train_loss"]) == 3


def test_a_hyperparameter_of_the_run_is_recorded_first(overridden):
    metadata = overridden.latest_metadata(*MODEL.split("/"))
    assert next(iter(metadata.items())) == ("overridden for this run", "max_epochs = 3")


def test_a_run_of_few_steps_is_executed_in_one_process(overridden):
    """One of many steps is not: see test_executor."""
    assert overridden.processes_of_steps() == 1


def test_the_leaderboard_tells_which_model_was_overridden(overridden):
    board = load(overridden.artifacts / "moons_small" / "leaderboard.parquet").board
    told = dict(zip(board["architecture"], board["overridden"], strict=True))
    assert told == dict.fromkeys(ARCHITECTURES, "") | {"linear": "max_epochs=3"}


def test_a_run_chooses_its_device_against_the_environment_and_records_it(overridden):
    assert overridden.latest_metadata("moons_small", "linear", "evaluation")["device"] == "cpu"


@pytest.fixture(scope="module")
def refused(trained, tmp_path_factory):
    """A run with a value that the declaration does not allow."""
    project = trained.copied(tmp_path_factory.mktemp("refused") / "home")
    before = written_at(project)
    return project.materialize(MODEL, model_checks(learning_rate=-1)), before == written_at(project)


def test_a_value_that_breaks_a_rule_fails_before_anything_is_written(refused):
    finished, unchanged = refused
    assert finished.status != 0
    assert unchanged


def test_a_value_that_breaks_a_rule_is_named_with_field_and_rule(refused):
    finished, _ = refused
    (line,) = {
        line for line in finished.output.splitlines() if line.startswith("ValueError: run configuration")
    }
    assert "learning_rate" in line
    assert "above 0" in line
    assert line.count("-1.0") == 1


def test_an_unknown_hyperparameter_is_refused_before_the_run(retrained):
    finished = retrained.materialize(MODEL, model_checks(learning_rat=0.1))
    assert finished.status != 0
    assert 'unexpected config entry "learning_rat"' in finished.output


def test_a_device_that_is_not_there_is_an_error_before_training(retrained):
    before = written_at(retrained)
    finished = retrained.materialize(MODEL, CLASSIFICATION_ASSETS_DEVICE="cuda:7")
    assert finished.status != 0
    assert "device 'cuda:7' is not there" in finished.output
    assert written_at(retrained) == before


KILLED_WHEN = {
    "the first artifact is published": "moons_small/dataset.parquet",
    "a model is trained": "moons_small/*/model.safetensors",
    "a figure is written and not yet published": "moons_small/*/.partial-model-*.png",
}


@pytest.fixture(scope="module")
def killed(trained, tmp_path_factory):
    """Three runs of the whole experiment at once, each killed when a file that matches its pattern is new."""
    waiting, projects = {}, {}
    for moment, pattern in KILLED_WHEN.items():
        folder = tmp_path_factory.mktemp("killed")
        project = projects[moment] = trained.copied(folder / "home")
        process = project.started(*project.materializing("group:moons_small"), log=folder / "log")
        waiting[moment] = (process, pattern, written_at(project))
    ended = {}
    while waiting:
        for moment, (process, pattern, before) in list(waiting.items()):
            if is_new(projects[moment], pattern, before) or process.poll() is not None:
                process.kill()
                ended[moment] = process.wait()
                del waiting[moment]
        time.sleep(0.005)
    return projects, ended


def is_new(project, pattern, before):
    """Whether a file that matches the pattern was written since."""
    with suppress(FileNotFoundError):  # it has just been published under its own name
        for path in project.artifacts.glob(pattern):
            if before.get(str(path.relative_to(project.artifacts))) != path.stat().st_mtime_ns:
                return True
    return False


@pytest.mark.parametrize("moment", KILLED_WHEN)
def test_a_killed_run_leaves_every_artifact_readable(killed, moment):
    projects, ended = killed
    assert ended[moment] == -signal.SIGKILL
    files = files_of(projects[moment])
    assert set(files) >= ONE_EXPERIMENT
    for name in ONE_EXPERIMENT:
        read(files[name])


def read(path):
    """Read an artifact to its end."""
    if path.suffix in (".png", ".gif"):
        Image.open(path).load()
    elif path.suffix in (".md", ".html"):
        assert path.read_text(encoding="utf-8").rstrip()
    elif path.suffix == ".json":
        assert json.loads(path.read_text(encoding="utf-8"))
    else:
        load(path)
