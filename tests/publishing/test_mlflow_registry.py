"""Publication to a real MLflow server."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from classification_assets import NeuralClassifier, load_classifier
from classification_assets.learning.registry.change import changing
from classification_assets.learning.registry.registry import NoChampionError, NoVersionError, Registry
from classification_assets.publishing.mlflow_registry import PublicationError, publish
from tests.learning.two_moons import FRAME, classifier
from tests.publishing.conftest import promote

Models = tuple[NeuralClassifier, NeuralClassifier]


@pytest.fixture
def client(mlflow_server: str) -> MlflowClient:
    return MlflowClient(mlflow_server, mlflow_server)


@pytest.fixture
def loading(mlflow_server: str, monkeypatch: pytest.MonkeyPatch):
    """`mlflow.pyfunc` as a person has it, whose environment names the server."""
    import mlflow.pyfunc

    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    return mlflow.pyfunc.load_model


def champion(client: MlflowClient, name: str) -> str:
    return client.get_model_version_by_alias(name, "champion").tags["version"]


def test_a_model_loaded_by_mlflow_predicts_what_ours_predicts(
    registry: Registry, classifiers: Models, mlflow_server: str, loading
) -> None:
    number = promote(registry, classifiers[1])
    published = publish(registry, tracking_uri=mlflow_server)
    predicted = loading(f"models:/{published.name}@champion").predict(FRAME)
    ours = load_classifier(str(registry.file(number, "model.safetensors"))).predict_proba(FRAME)
    assert list(predicted.columns) == ["down", "up"]
    np.testing.assert_array_equal(predicted.to_numpy(), ours)


def test_the_alias_follows_promotions_and_rollbacks(
    registry: Registry, classifiers: Models, mlflow_server: str, client: MlflowClient
) -> None:
    promote(registry, classifiers[0])
    name = publish(registry, tracking_uri=mlflow_server).name
    assert champion(client, name) == "1"
    promote(registry, classifiers[1])
    assert publish(registry, tracking_uri=mlflow_server).new
    assert champion(client, name) == "2"
    with changing(registry) as change:
        change.serve(1, "rolled back")
    assert not publish(registry, tracking_uri=mlflow_server).new
    assert champion(client, name) == "1"


def test_what_is_published_twice_is_one_version_and_one_run(
    registry: Registry, classifiers: Models, mlflow_server: str, client: MlflowClient
) -> None:
    promote(registry, classifiers[0])
    first, again = (publish(registry, tracking_uri=mlflow_server) for _ in range(2))
    assert (first.new, again.new) == (True, False)
    assert first.mlflow_version == again.mlflow_version
    assert len(client.search_model_versions(f"name = '{first.name}'")) == 1
    experiment = client.get_experiment_by_name(first.name)
    assert len(client.search_runs([experiment.experiment_id])) == 1


def test_a_registry_that_began_anew_is_published_beside_the_old_one(
    registry: Registry, classifiers: Models, mlflow_server: str, tmp_path: Path
) -> None:
    promote(registry, classifiers[0])
    old = publish(registry, tracking_uri=mlflow_server)
    anew = Registry(registry.root / "anew", registry.experiment)
    promote(anew, classifiers[0])
    new = publish(anew, tracking_uri=mlflow_server)
    assert (old.version, new.version) == (1, 1)
    assert (old.mlflow_version, new.mlflow_version) == ("1", "2")


def test_an_older_version_can_be_published_and_the_alias_stays_at_the_champion(
    registry: Registry, classifiers: Models, mlflow_server: str, client: MlflowClient
) -> None:
    promote(registry, classifiers[0])
    promote(registry, classifiers[1])
    published = publish(registry, 1, mlflow_server)
    assert (published.version, published.champion) == (1, 2)
    assert champion(client, published.name) == "2"


def test_tags_say_which_version_it_is_and_why_it_was_promoted(
    registry: Registry, classifiers: Models, mlflow_server: str, client: MlflowClient
) -> None:
    promote(registry, classifiers[0])
    published = publish(registry, tracking_uri=mlflow_server)
    tags = client.get_model_version(published.name, published.mlflow_version).tags
    assert tags["version"] == "1"
    assert tags["decision"] == "better by 0.05 log loss"
    assert (tags["dagster_run"], tags["architecture"]) == ("a-run", "shallow_relu")
    assert len(tags["manifest_sha256"]) == 64


def test_scores_are_metrics_and_files_are_artifacts(
    registry: Registry, classifiers: Models, mlflow_server: str, client: MlflowClient, tmp_path: Path
) -> None:
    number = promote(registry, classifiers[0], log_loss=0.125)
    run = client.get_run(publish(registry, tracking_uri=mlflow_server).run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"log_loss": 0.125, "accuracy": 0.9}
    folder = Path(client.download_artifacts(run.info.run_id, "version", str(tmp_path)))
    kept = registry.folder_of(number)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in kept.iterdir()
    }


def test_the_model_holds_our_file_and_no_pickle(
    registry: Registry, classifiers: Models, mlflow_server: str, client: MlflowClient, tmp_path: Path
) -> None:
    promote(registry, classifiers[0])
    published = publish(registry, tracking_uri=mlflow_server)
    folder = Path(client.download_artifacts(published.run_id, "model", str(tmp_path)))
    files = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {"MLmodel", "model.safetensors", "version.json"} <= files
    assert not [name for name in files if name.endswith((".pkl", ".pickle", ".pt", ".pth"))]
    assert "cloudpickle" not in (folder / "requirements.txt").read_text()


def test_words_gaps_and_dates_reach_the_model_as_they_are(
    registry: Registry, mlflow_server: str, loading
) -> None:
    people = pd.DataFrame(
        {
            "age": [31, 64, None, 25, 58, 47] * 20,
            "city": ["Bern", "Rome", "Oslo", None, "Rome", "Bern"] * 20,
            "since": pd.date_range("2024-01-01", periods=120),
            "member": [True, False, True, True, False, False] * 20,
        }
    )
    model = classifier("linear").fit(people, ["no", "yes", "no", "no", "yes", "yes"] * 20)
    promote(registry, model)
    published = publish(registry, tracking_uri=mlflow_server)
    np.testing.assert_array_equal(loading(published.uri).predict(people), model.predict_proba(people))


def test_a_changed_model_file_is_refused_when_mlflow_loads_it(
    registry: Registry, classifiers: Models, mlflow_server: str, client: MlflowClient, tmp_path: Path, loading
) -> None:
    promote(registry, classifiers[0])
    published = publish(registry, tracking_uri=mlflow_server)
    folder = Path(client.download_artifacts(published.run_id, "model", str(tmp_path)))
    (changed,) = folder.rglob("model.safetensors")
    classifiers[1].save(changed)
    with pytest.raises(ValueError, match=r"model\.safetensors is damaged: its SHA-256 must be"):
        loading(str(folder))


def test_a_file_that_is_damaged_here_is_not_published(
    registry: Registry, classifiers: Models, mlflow_server: str, client: MlflowClient
) -> None:
    number = promote(registry, classifiers[0])
    (registry.folder_of(number) / "model.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match=r"model\.safetensors is damaged"):
        publish(registry, tracking_uri=mlflow_server)
    assert not client.search_model_versions(f"name = 'classification_assets.{registry.experiment}'")


def test_no_champion_and_no_version_are_told(
    registry: Registry, classifiers: Models, mlflow_server: str
) -> None:
    with pytest.raises(NoChampionError, match="has no champion"):
        publish(registry, tracking_uri=mlflow_server)
    promote(registry, classifiers[0])
    with pytest.raises(NoVersionError, match="there are: 1"):
        publish(registry, 7, mlflow_server)


def test_what_the_server_refuses_is_told_with_its_address(
    registry: Registry, classifiers: Models, mlflow_server: str, client: MlflowClient
) -> None:
    name = f"classification_assets.{registry.experiment}"
    client.delete_experiment(client.create_experiment(name))
    promote(registry, classifiers[0])
    with pytest.raises(PublicationError, match=f"the MLflow server at {mlflow_server} refused"):
        publish(registry, tracking_uri=mlflow_server)


def test_a_version_tells_where_it_is_as_json(
    registry: Registry, classifiers: Models, mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from classification_assets.publish import main

    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    promote(registry, classifiers[0])
    done = CliRunner().invoke(main, [registry.experiment, "--storage", str(registry.root), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["version"], told["champion"], told["new"]) == (1, 1, True)
    assert told["uri"] == f"models:/{told['name']}/1"
