"""Where artifacts go, and that what is there stays readable."""

import dagster as dg
import pandas as pd
import pytest

from classification_assets.learning.artifacts.storage import load
from classification_assets.resources.artifact_store import ArtifactStore, MissingArtifactError, storage_root

KEY = dg.AssetKey(["moons", "linear", "model"])


@pytest.mark.parametrize(
    ("variables", "root"),
    [
        ({"CLASSIFICATION_ASSETS_STORAGE": "/data", "DAGSTER_HOME": "/home"}, "/data"),
        ({"DAGSTER_HOME": "/home"}, "/home/artifacts"),
        ({"CLASSIFICATION_ASSETS_STORAGE": "memory://bucket/folder"}, "memory://bucket/folder"),
    ],
)
def test_the_environment_says_where_artifacts_are(monkeypatch, variables, root):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(storage_root()) == root


def test_without_any_setting_artifacts_go_to_a_lasting_place_in_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert str(storage_root()) == str(tmp_path / ".dagster" / "artifacts")


def test_an_asset_is_one_file_under_its_key(tmp_path):
    path = ArtifactStore(folder=str(tmp_path)).path_of(KEY, "safetensors")
    assert path.path == str(tmp_path / "moons/linear/model.safetensors")


def test_what_is_staged_is_not_yet_published(tmp_path):
    store = ArtifactStore(folder=str(tmp_path))
    place = store.path_of(KEY, "parquet")
    store.stage(KEY, "parquet", pd.DataFrame({"a": [1]})).publish()
    staged = store.stage(KEY, "parquet", pd.DataFrame({"a": [2]}))
    assert load(place)["a"].tolist() == [1]
    staged.publish()
    assert load(place)["a"].tolist() == [2]


def test_a_store_on_another_file_system_is_read_back():
    store = ArtifactStore(folder="memory://bucket/artifacts")
    store.stage(KEY, "parquet", pd.DataFrame({"a": [3]})).publish()
    context = dg.build_input_context(asset_key=KEY)
    assert store.load_input(context).value["a"].tolist() == [3]


def test_a_missing_artifact_is_named_with_the_command_that_makes_it(tmp_path):
    context = dg.build_input_context(asset_key=KEY)
    with pytest.raises(MissingArtifactError, match="--select moons/linear/model"):
        ArtifactStore(folder=str(tmp_path)).load_input(context)
