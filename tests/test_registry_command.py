"""The command `python -m classification_assets.registry`, and predictions by an experiment's name."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from classification_assets.learning.artifacts.storage import load
from classification_assets.learning.classifier import load_classifier
from classification_assets.predict import main as predict
from classification_assets.registry import main

ROOT = Path(__file__).parents[1]
LONG = {"members": 2, "max_epochs": 40, "learning_rate": 0.03}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, declared, materialize_into):
    """A storage with two versions of the experiment small, the second of which serves."""
    folder = tmp_path_factory.mktemp("registry")
    for training in (LONG | {"max_epochs": 2}, LONG):
        experiment = declared(
            dataset={"kind": "moons", "n_samples": 600, "noise": 0.2},
            architectures=[{"name": "narrow", "hidden": [8]}],
            training=training,
        )
        assert materialize_into(folder, experiment).success
    return folder


@pytest.fixture
def storage(trained, tmp_path, monkeypatch):
    """A copy of it, for one test to change."""
    import shutil

    shutil.copytree(trained, tmp_path / "artifacts")
    monkeypatch.setenv("CLASSIFICATION_ASSETS_STORAGE", str(tmp_path / "artifacts"))
    return tmp_path / "artifacts"


def command(*arguments):
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def as_json(*arguments):
    done = command(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_list_says_who_was_champion_when_and_why(storage):
    done = command("list", "small")
    assert done.exit_code == 0
    assert "the first champion" in done.output
    assert "really better" in done.output
    told = as_json("list", "small")
    assert [entry["champion"] for entry in told["decisions"]] == ["v0002", "v0001"]
    assert [version["champion"] for version in told["versions"]] == [True, False]


def test_show_tells_all_of_a_version_by_default_of_the_champion(storage):
    told = as_json("show", "small")
    assert (told["number"], told["decision"]["ground"]) == (2, "better")
    assert Path(told["folder"], "model.safetensors").is_file()
    assert as_json("show", "small", "1")["number"] == 1


def test_diff_says_where_two_versions_differ(storage):
    told = as_json("diff", "small", "1", "2")
    assert told["max_epochs"] == ["2", "40"]
    assert "architecture" not in told
    assert "are the same" in command("diff", "small", "2", "2").output


def test_a_rollback_serves_the_version_before_and_is_logged(storage):
    done = command("rollback", "small", "--because", "strange answers")
    assert done.exit_code == 0
    assert "strange answers" in done.output
    assert "v0001 (narrow) serves" in done.output
    assert as_json("show", "small")["number"] == 1
    last = as_json("list", "small")["decisions"][0]
    assert (last["decision"], last["by"], last["reason"]) == (
        "rolled back",
        "command line",
        "strange answers",
    )


def test_a_promotion_by_hand_needs_a_reason(storage):
    done = command("promote", "small", "1")
    assert done.exit_code == 2
    assert "because: a promotion by hand needs a reason" in done.stderr
    assert command("promote", "small", "1", "--because", "a test").exit_code == 0
    assert as_json("show", "small")["number"] == 1


def test_the_challenger_is_promoted_by_hand_as_a_new_version(storage, declared, materialize_into):
    worse = declared(
        dataset={"kind": "moons", "n_samples": 600, "noise": 0.2},
        architectures=[{"name": "narrow", "hidden": [8]}],
        training=LONG | {"max_epochs": 1},
    )
    materialize_into(storage, worse)
    assert as_json("show", "small")["number"] == 2
    told = as_json("promote", "small", "--because", "the new sensor")
    assert told["version"] == 3
    assert load_classifier("small").fitted_.provenance.training.max_epochs == 1


def test_a_pin_keeps_the_champion_until_it_is_released(storage):
    assert as_json("pin", "small")["pinned"] == [2]
    assert as_json("pin", "small", "2", "--release")["pinned"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "small", "9"), "small has no version 9"),
        (("list", "unknown"), "unknown has no champion"),
        (("rollback", "unknown"), "unknown has no champion"),
        (("list", "../small"), "a name is 1 to 60 lower-case letters"),
        (("pin", "small", "9"), "small has no version 9"),
    ],
)
def test_what_is_not_there_is_an_error_in_one_line(storage, arguments, told):
    done = command(*arguments)
    assert done.exit_code == 2
    assert told in done.stderr
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


def test_dagster_hears_of_what_is_decided_on_the_command_line(storage, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    command("rollback", "small", "--because", "strange answers")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["small", "champion"]))
    metadata = event.asset_materialization.metadata
    assert metadata["decision"].value == "rolled back"
    assert metadata["champion"].value == "v0001, narrow"


def test_a_real_process_says_the_same_and_ends_with_its_exit_code(storage):
    command = [sys.executable, "-m", "classification_assets.registry", "--storage", str(storage)]
    done = subprocess.run(
        [*command, "show", "small", "--json"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert json.loads(done.stdout)["number"] == 2
    assert (
        subprocess.run(
            [*command, "show", "small", "7"], capture_output=True, cwd=ROOT, check=False
        ).returncode
        == 2
    )


def test_predictions_by_an_experiments_name_say_which_version_made_them(storage, tmp_path, capsys):
    rows = pd.DataFrame({"x1": [0.1, -0.5], "x2": [0.2, 1.0]})
    rows.to_csv(tmp_path / "new.csv", index=False)
    assert predict(["small", str(tmp_path / "new.csv"), str(tmp_path / "out.parquet")]) == 0
    assert "2 rows by small v0002" in capsys.readouterr().out
    written = load(tmp_path / "out.parquet")
    assert written.about["version"] == "v0002"
    np.testing.assert_allclose(
        written.rows.frame()[["p_0", "p_1"]], load_classifier("small").predict_proba(rows), atol=1e-6
    )
    predict(["small", str(tmp_path / "new.csv"), str(tmp_path / "first.parquet"), "--version", "1"])
    assert load(tmp_path / "first.parquet").about["version"] == "v0001"


def test_predictions_of_an_experiment_without_a_champion_are_refused(storage, tmp_path, capsys):
    (tmp_path / "new.csv").write_text("x1,x2\n1,2\n")
    assert predict(["unknown", str(tmp_path / "new.csv"), str(tmp_path / "out.parquet")]) == 2
    assert "unknown has no champion" in capsys.readouterr().err


def test_a_file_has_no_versions(storage):
    path = storage / "small" / "champion" / "v0001" / "model.safetensors"
    with pytest.raises(ValueError, match="only an experiment has versions"):
        load_classifier(path, version=1)
