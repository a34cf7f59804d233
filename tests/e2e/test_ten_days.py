"""Ten days of a changing table through the real daemon: which runs came, what was promoted and why, what was served.

A day is as long as it takes until the sensor has nothing left to do.
"""

import os
import re
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from upath import UPath

from classification_assets.learning.artifacts.storage import load
from classification_assets.learning.registry.registry import Registry
from tests.e2e.processes import Project, Server, copied_source
from tests.e2e.visits import deliver, visits

TICKS = """query ($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) { __typename
    ... on Sensor { sensorState { ticks(limit: 5) { timestamp status skipReason error { message } } } } } }"""
RUNS = """{ runsOrError { ... on Runs { results { runId status creationTime tags { key value } } } } }"""
IN_PROGRESS = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")


@dataclass
class World:
    """A server, a table that is delivered to it, and all that has happened."""

    server: Server
    project: Project
    folder: Path
    seen: set[str] = field(default_factory=set)

    @property
    def registry(self) -> Registry:
        return Registry(UPath(self.project.artifacts), "visits")

    @property
    def predictions(self) -> Any:
        return load(self.project.artifacts / "visits" / "predictions.parquet")

    def deliver(self, frame: pd.DataFrame, name: str = "visits.csv") -> None:
        deliver(frame, self.folder / name, age=60)  # the sensor waits for what was written a moment ago

    def runs(self) -> list[dict[str, Any]]:
        return sorted(self.server.ask(RUNS)["results"], key=lambda run: run["creationTime"])

    def started(self) -> dict[str, Any] | None:
        """A run of today that is under way."""
        return next((run for run in self.runs() if run["runId"] not in self.seen), None)

    def until_evening(self, seconds: float = 180) -> list[dict[str, Any]]:
        """The runs of the day, once the sensor has looked again and nothing is under way."""
        since = time.time()

        def quiet() -> bool:
            state = self.server.ask(
                TICKS, selector=self.server.selector(sensorName="retrain_visits_on_change")
            )
            idle = any(
                tick["status"] == "SKIPPED" and not re.match(r"run \S+ trains", tick["skipReason"] or "")
                for tick in state["sensorState"]["ticks"]
                if tick["timestamp"] > since
            )
            return idle and self._at_rest()

        self.server.wait_until("the day is over", quiet, seconds)
        today = [run for run in self.runs() if run["runId"] not in self.seen]
        self.seen |= {run["runId"] for run in today}
        return today

    def _at_rest(self) -> bool:
        """Whether no run is under way, and none that failed will be, but was not yet, tried again."""
        runs = self.runs()
        tags = [{tag["key"]: tag["value"] for tag in run["tags"]} for run in runs]
        wanted = sum(own.get("dagster/will_retry") == "true" for own in tags)
        tried = sum("dagster/parent_run_id" in own for own in tags)
        return wanted <= tried and not any(run["status"] in IN_PROGRESS for run in runs)


def reasons(runs: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """How each run ended, and why it was requested."""
    return [
        (run["status"], next((tag["value"] for tag in run["tags"] if tag["key"] == "reason"), ""))
        for run in runs
    ]


@pytest.fixture(scope="module")
def world(serving, tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    declared = {
        "dataset": {"kind": "table", "path": str(folder / "visits.csv"), "target": "outcome", "id": "visit"},
        "training": {"members": 3, "max_epochs": 200, "learning_rate": 0.02, "batch_size": 32},
        "architectures": [{"name": "net", "hidden": [16]}],
        "predict": {"path": str(folder / "new.csv")},
        "retrain": {"on_change": True, "every": 1},
    }
    project = Project.new(folder / "home", copied_source(folder, visits=declared))
    new = visits(5000).tail(20).drop(columns="outcome")
    deliver(new, folder / "new.csv", age=60)
    deliver(visits(600), folder / "visits.csv", age=60)
    with serving(project) as server:
        server.wait_until_loaded()
        yield World(server, project, folder)


def test_ten_days(world):
    # Day 1: the first delivery is trained on, and its model is the first champion.
    day = world.until_evening()
    assert reasons(day) == [("SUCCESS", "it was never trained to its end")]
    assert world.registry.champion().number == 1
    assert "the first champion" in world.registry.entries()[-1].reason
    assert world.predictions.about["version"] == "v0001"

    # Day 2: the table has grown. The new model is not really better: the champion stays, with a reason.
    world.deliver(visits(660))
    assert reasons(world.until_evening()) == [("SUCCESS", "its table has changed")]
    entry = world.registry.entries()[-1]
    assert (entry.action, entry.champion) == ("refused", 1)
    assert re.search(r"on \d+ rows that neither has learned from.*not really better", entry.reason)
    served = world.predictions.rows.frame()

    # Day 3: a column is broken. The run fails at the gate, and nothing that is stored has changed.
    world.deliver(visits(700).drop(columns="dose"))
    day = world.until_evening()
    assert reasons(day) == [("FAILURE", "its table has changed")]
    assert "columns changed since the accepted version: dose (gone)" in failure_of(world, day[0])
    assert load(world.project.artifacts / "visits" / "dataset.parquet").rows.n_rows == 660
    assert len(world.registry.entries()) == 2
    pd.testing.assert_frame_equal(world.predictions.rows.frame(), served)

    # Day 4: what was delivered before the break comes again: nothing is to be done.
    world.deliver(visits(660))
    assert world.until_evening() == []

    # Day 5: the same file is delivered twice.
    world.deliver(visits(660))
    assert world.until_evening() == []

    # Day 6: labels are much cleaner now, the new model is really better, and it serves.
    world.deliver(visits(1500, noise=0.2))
    assert reasons(world.until_evening()) == [("SUCCESS", "its table has changed")]
    entry = world.registry.entries()[-1]
    assert (entry.action, entry.champion) == ("promoted", 2)
    assert "really better" in entry.reason
    assert world.predictions.about["version"] == "v0002"

    # Day 7: other rows are to be predicted, of much older patients: that alone is done, and the drift is told.
    assert not alarm_of(world, "predictions")
    world.deliver(visits(4000, shift=25).tail(50).drop(columns="outcome"), "new.csv")
    assert reasons(world.until_evening()) == [("SUCCESS", "the rows to predict have changed")]
    assert world.predictions.rows.n_rows == 50
    assert "age: median" in alarm_of(world, "predictions")
    assert world.registry.champion().number == 2

    # Day 8: the process is killed in mid-training. It is told, and made up for by one more run.
    world.deliver(visits(1600, noise=0.2))
    run = world.server.wait_until("a run begins", world.started)
    os.kill(training_process(world, run["runId"]), signal.SIGKILL)
    day = world.until_evening(240)
    assert [status for status, _ in reasons(day)] == ["FAILURE", "SUCCESS"]
    assert len(world.registry.entries()) == 4

    # Day 9: the table changes while a run trains: one more run comes, and not two.
    world.deliver(visits(1700, noise=0.2))
    run = world.server.wait_until("a run begins", world.started)
    training_process(world, run["runId"])
    world.deliver(visits(1800, noise=0.2))
    day = world.until_evening(240)
    assert [status for status, _ in reasons(day)] == ["SUCCESS", "SUCCESS"]
    assert load(world.project.artifacts / "visits" / "dataset.parquet").rows.n_rows == 1800

    # Day 10: half of the table is lost, and another half comes: what serves is still what was decided on day 6.
    world.deliver(visits(700, noise=0.2))
    assert [status for status, _ in reasons(world.until_evening())] == ["FAILURE"]
    champion = world.registry.champion()
    assert world.predictions.about["version"] == champion.name
    actions = [entry.action for entry in world.registry.entries()]
    assert actions.count("promoted") == champion.number


def alarm_of(world: World, kind: str) -> str:
    """The sentence of drift that an asset shows; empty without an alarm."""
    told = world.project.latest_metadata("visits", kind)
    return told["drift in words"] if told["drift_alarm"] else ""


def failure_of(world: World, run: dict[str, Any]) -> str:
    query = """query ($run: ID!) { logsForRun(runId: $run) { ... on EventConnection { events { __typename
        ... on ExecutionStepFailureEvent { error { message } failureMetadata { description } } } } } }"""
    events = world.server.ask(query, run=run["runId"])["events"]
    failed = [event for event in events if event["__typename"] == "ExecutionStepFailureEvent"]
    return " ".join(str(event) for event in failed)


def training_process(world: World, run: str) -> int:
    """The process of a run whose training step has begun."""
    with dg.DagsterInstance.from_config(str(world.project.home)) as instance:

        def training() -> int | None:
            for entry in instance.all_logs(run):
                event = entry.dagster_event
                if (
                    event
                    and event.event_type_value == "STEP_START"
                    and event.step_key == "visits__net__model"
                ):
                    return event.pid
            return None

        return world.server.wait_until("the training begins", training)
