"""What is due, and the sensor that requests it: once for each change, and never beside a run."""

import os
import time
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from upath import UPath

from classification_assets.automation.due import due
from classification_assets.automation.runs import EXPERIMENT
from classification_assets.automation.schedules import looked_at
from classification_assets.automation.sensors import sensor_of
from classification_assets.component import experiment_definitions
from classification_assets.learning.registry.files import write_record
from classification_assets.learning.registry.registry import Registry
from classification_assets.resources.artifact_store import ArtifactStore
from classification_assets.resources.torch_device import TorchDevice


def rows(n=300, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 2)).round(4), columns=["a", "b"])
    frame = frame.assign(label=np.where(frame["a"] + 0.3 * rng.normal(size=n) > 0, "yes", "no"))
    return frame.assign(a=frame["a"] + shift, b=frame["b"] + shift)


LEARNING = (
    "dataset",
    "drift",
    "split",
    "linear/model",
    "linear/evaluation",
    "leaderboard",
    "champion",
    "predictions",
)


class World:
    """An experiment on a table, its storage, and the sensor with its cursor."""

    def __init__(self, declared, materialize_into, instance, folder: Path):
        self.declared, self.materialize_into, self.instance, self.folder = (
            declared,
            materialize_into,
            instance,
            folder,
        )
        self.retrain = {"on_change": True}
        self.cursor: str | None = None
        self.name = f"e{folder.name.replace('-', '_').lower()}"[-40:]

    @property
    def experiment(self):
        return self.declared(
            self.name,
            dataset={"kind": "table", "path": str(self.folder / "rows.csv"), "target": "label"},
            architectures=["linear"],
            training={"members": 2, "max_epochs": 20, "learning_rate": 0.03},
            predict={"path": str(self.folder / "new.csv")},
            retrain=self.retrain,
        )

    def deliver(self, frame, name="rows.csv"):
        """A file that was complete a while ago."""
        frame.to_csv(self.folder / name, index=False)
        before = time.time() - 60
        os.utime(self.folder / name, (before, before))

    def train(self, *kinds):
        """Make some assets, else all that anything is learned, decided or predicted from: nobody looks at pictures."""
        own = [f"{self.name}/{kind}" for kind in kinds or LEARNING]
        return self.materialize_into(
            self.folder / "artifacts",
            self.experiment,
            selection=" or ".join(f'key:"{key}"' for key in own),
            instance=self.instance,
        )

    def due(self):
        return due(self.experiment, UPath(self.folder / "artifacts"))

    def look(self) -> list[dg.RunRequest]:
        """Evaluate the sensor once."""
        sensor = sensor_of(self.experiment)
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        data = sensor.evaluate_tick(context)
        self.cursor, self.skipped = data.cursor or self.cursor, data.skip_message
        self.observed = data.asset_events
        return data.run_requests or []


@pytest.fixture
def world(declared, materialize_into, tmp_path, monkeypatch):
    monkeypatch.setenv("CLASSIFICATION_ASSETS_STORAGE", str(tmp_path / "artifacts"))
    # In memory: a run's events take a third of its time where they are files.
    with dg.DagsterInstance.ephemeral() as instance:
        made = World(declared, materialize_into, instance, tmp_path)
        made.deliver(rows())
        made.deliver(rows(5).drop(columns="label"), "new.csv")
        yield made


def test_what_was_never_trained_is_due_and_then_no_more(world):
    assert world.due().training == "it was never trained to its end"
    world.train()
    assert (world.due().training, world.due().predictions) == ("", "")


def test_only_another_content_is_a_change_and_not_another_time(world):
    world.train()
    world.deliver(rows())
    os.utime(world.folder / "rows.csv")
    assert world.due().training == ""
    world.deliver(rows(301))
    assert world.due().training == "its table has changed"


def test_another_declaration_makes_training_due(world, monkeypatch):
    world.train()
    monkeypatch.setattr(World, "experiment", property(lambda self: self.declared(self.name, **CHANGED(self))))
    assert world.due().training == "its declaration has changed"


def CHANGED(self):  # noqa: N802
    return {
        "dataset": {"kind": "table", "path": str(self.folder / "rows.csv"), "target": "label"},
        "architectures": ["linear"],
        "training": {"members": 2, "max_epochs": 21},
    }


def test_rows_that_were_not_learned_from_yet_make_training_due(world):
    world.train()
    world.deliver(rows(320))
    world.train("dataset")
    assert world.due().training == "its rows were made anew and not learned from"


def test_other_rows_to_predict_make_predictions_alone_due(world):
    world.train()
    world.deliver(rows(9).drop(columns="label"), "new.csv")
    found = world.due()
    assert (found.training, found.predictions) == ("", "the rows to predict have changed")


def test_another_champion_makes_predictions_due(world):
    world.train()
    world.train()
    registry = Registry(UPath(world.folder / "artifacts"), world.name)
    write_record(registry.pointer_file, registry.pointer().replaced(version=2, highest=2))
    assert world.due().predictions == "another champion serves"


def test_a_damaged_pointer_requests_no_predictions(world):
    world.train()
    Registry(UPath(world.folder / "artifacts"), world.name).pointer_file.write_text("{")
    assert world.due().predictions == ""


def test_a_damaged_artifact_makes_training_due(world):
    world.train()
    (world.folder / "artifacts" / world.name / "leaderboard.parquet").write_bytes(b"no parquet")
    assert world.due().training == "it was never trained to its end"


def test_a_change_is_requested_once(world):
    (request,) = world.look()
    assert request.tags[EXPERIMENT] == world.name
    assert request.tags["reason"] == "it was never trained to its end"
    assert request.asset_selection is None
    assert world.look() == []
    assert "was requested for it already" in world.skipped


def test_content_that_comes_back_is_a_change_again_with_another_run_key(world):
    keys = []
    for n in (300, 301, 300, 301):
        world.deliver(rows(n))
        (request,) = world.look()
        world.train()
        keys.append(request.run_key)
    assert len(set(keys)) == 4


def test_other_rows_to_predict_request_predictions_alone(world):
    world.look()
    world.train()
    world.deliver(rows(9).drop(columns="label"), "new.csv")
    (request,) = world.look()
    assert request.asset_selection == [dg.AssetKey([world.name, "predictions"])]
    assert world.look() == []


def test_the_content_of_files_is_observed_where_it_is_another_one(world):
    world.look()
    assert {event.asset_key.path[-1] for event in world.observed} == {"table", "rows"}
    world.look()
    assert not world.observed
    world.deliver(rows(310))
    world.look()
    (event,) = world.observed
    assert event.asset_key == dg.AssetKey([world.name, "table"])
    assert len(event.tags["dagster/data_version"]) == 64


def test_a_file_that_is_being_written_is_waited_for(world):
    rows(350).to_csv(world.folder / "rows.csv", index=False)
    assert world.look() == []
    assert "was changed a moment ago" in world.skipped


def test_a_file_that_is_gone_is_said_and_no_error(world):
    (world.folder / "rows.csv").unlink()
    assert world.look() == []
    assert "there is no such file" in world.skipped


def test_while_a_run_is_in_progress_nothing_is_requested_and_then_the_change_is(world):
    resources = {"device": TorchDevice(), "artifacts": ArtifactStore(folder=str(world.folder / "artifacts"))}
    definitions = dg.Definitions.merge(
        experiment_definitions(world.experiment), dg.Definitions(resources=resources)
    )
    run = world.instance.create_run_for_job(
        definitions.resolve_job_def(f"train_{world.name}"), status=dg.DagsterRunStatus.STARTED
    )
    assert world.look() == []
    assert f"run {run.run_id} trains {world.name}" in world.skipped
    world.instance.report_run_canceled(run)
    assert len(world.look()) == 1


def test_drift_alone_measures_a_changed_table_first_and_trains_after_an_alarm(world):
    world.retrain = {"on_drift": True}
    world.train()
    world.deliver(pd.concat([rows(), rows(200, seed=1)]))
    (request,) = world.look()
    measured = {key.path[-1] for key in request.asset_selection}
    assert measured == {"dataset", "drift"}
    world.train("dataset", "drift")
    assert world.look() == []  # there is no drift

    world.deliver(pd.concat([rows(), rows(200, seed=1), rows(200, seed=2, shift=3)]))
    world.look()
    world.train("dataset", "drift")
    (request,) = world.look()
    assert (request.asset_selection, request.tags["reason"]) == (None, "its rows have drifted")
    assert world.look() == []


def test_an_alarm_of_the_same_rows_trains_once_however_often_it_is_seen(world):
    world.retrain = {"on_drift": True}
    world.train()
    world.deliver(rows(60, seed=3, shift=4).drop(columns="label"), "new.csv")
    requested = []
    for _ in range(4):
        for request in world.look():
            requested.append(request.tags["reason"])
            world.train(*(["predictions"] if request.asset_selection else []))
    assert requested == ["the rows to predict have changed", "its rows have drifted"]


def test_a_gate_that_was_loosened_lets_the_refused_table_be_tried_again(world, monkeypatch):
    world.look()
    assert world.look() == []
    plain = world.experiment
    monkeypatch.setattr(World, "experiment", property(lambda self: plain.replaced(gates={"fewer_rows": 0.9})))
    assert len(world.look()) == 1


def test_without_retrain_there_is_no_sensor(declared):
    assert sensor_of(declared()) is None


def test_where_nothing_has_changed_a_night_looks_at_the_champion_alone(world):
    assert [key.path[-1] for key in looked_at(world.experiment)] == ["champion", "predictions"]
