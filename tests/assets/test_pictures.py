"""Pictures of a materialization: files that the web server serves, with a link in the event, or inside of the event."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from PIL import Image

from classification_assets.assets.pictures import ENVIRONMENT, are_there
from classification_assets.component import experiment_definitions
from classification_assets.experiment import Experiment
from classification_assets.resources.artifact_store import ArtifactStore
from classification_assets.resources.torch_device import TorchDevice

LINK = re.compile(r"!\[rows\]\(/logs/(?P<run>[\w-]+)/pictures/moons__dataset-rows/webp\)")


@pytest.fixture
def instance(tmp_path):
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        yield instance


def materialized(instance: dg.DagsterInstance, folder: Path) -> dg.ExecuteInProcessResult:
    moons = Experiment.model_validate(
        {"dataset": {"kind": "moons", "n_samples": 120}, "architectures": ["linear"]}
    ).named("moons")
    return dg.materialize(
        experiment_definitions(moons).assets or (),
        selection=[dg.AssetKey(["moons", "dataset"])],
        resources={"device": TorchDevice(), "artifacts": ArtifactStore(folder=str(folder))},
        instance=instance,
        raise_on_error=False,
    )


def shown(result: dg.ExecuteInProcessResult) -> str:
    (event,) = result.get_asset_materialization_events()
    return str(event.materialization.metadata["rows"].value)


def test_a_picture_is_a_file_beside_the_logs_of_its_run(instance, tmp_path):
    result = materialized(instance, tmp_path)
    found = LINK.fullmatch(shown(result))
    assert found is not None
    assert found["run"] == result.run_id
    manager = instance.compute_log_manager
    path = Path(manager.get_captured_local_path([result.run_id, "pictures", "moons__dataset-rows"], "webp"))
    with Image.open(path) as picture:
        assert picture.format == "WEBP"
        assert picture.width > 300
    assert [file.name for file in path.parent.iterdir()] == [path.name], "nothing partial is left"


def test_a_picture_that_is_gone_is_missed(instance, tmp_path):
    result = materialized(instance, tmp_path)
    (event,) = result.get_asset_materialization_events()
    context = SimpleNamespace(instance=instance)
    assert are_there(event.materialization.metadata, context)
    shutil.rmtree(tmp_path / "home" / "storage" / result.run_id / "pictures")
    assert not are_there(event.materialization.metadata, context)


def test_no_event_holds_a_picture(instance, tmp_path):
    result = materialized(instance, tmp_path)
    assert result.success
    for record in instance.all_logs(result.run_id):
        assert len(dg.serialize_value(record)) < 20_000


def test_pictures_are_inside_of_the_event_where_that_is_wished(instance, tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, "inline")
    assert shown(materialized(instance, tmp_path)).startswith("![rows](data:image/webp;base64,")


def test_pictures_are_inside_of_the_event_where_nothing_serves_files(tmp_path):
    nowhere = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
    (tmp_path / "dagster.yaml").write_text(json.dumps({"compute_logs": nowhere}))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert shown(materialized(instance, tmp_path)).startswith("![rows](data:image/webp;base64,")


def test_a_wish_that_is_neither_is_refused(instance, tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, "somewhere")
    result = materialized(instance, tmp_path / "artifacts")
    assert not (tmp_path / "artifacts").exists(), "it is refused before any work"
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    told = io.StringIO()
    error = failure.step_failure_data.error
    while error is not None:
        told.write(error.message)
        error = error.cause
    assert f"{ENVIRONMENT} must be served or inline, got 'somewhere'" in told.getvalue()
