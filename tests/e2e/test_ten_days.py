"""Days of a changing table through the real daemon: which runs came, what was promoted and why, what was served.

A day is as long as it takes until the sensor has nothing left to do. On some of them a person looks at the web UI, and
does there what has to be done by hand. The tests are one story, and each goes on where the one before it has ended.
"""

import os
import re
import signal
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
import yaml
from upath import UPath

from classification_assets.learning.artifacts.storage import load
from classification_assets.learning.registry.registry import Registry
from tests.e2e.page import Page, button
from tests.e2e.processes import Project, Server, copied_source
from tests.e2e.visits import deliver, visits

TICKS = """query ($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) { __typename
    ... on Sensor { sensorState { ticks(limit: 5) { timestamp status skipReason error { message } } } } } }"""
RUNS = """{ runsOrError { ... on Runs { results { runId status creationTime tags { key value } } } } }"""
SCHEDULED = """{ runsOrError(filter: {tags: [{key: "dagster/schedule_name", value: "retraining"}]}) {
    ... on Runs { results { runConfigYaml tags { key value } } } } }"""
CRON = """query ($selector: ScheduleSelector!) { scheduleOrError(scheduleSelector: $selector) {
    ... on Schedule { cronSchedule } } }"""
IN_PROGRESS = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")

SENSOR = "retrain_visits_on_change"
SCHEDULE = "retraining"
SUCCESS, FAILURE = "//*[normalize-space()='Success']", "//*[normalize-space()='Failure']"


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

    def started(self, besides: str = "") -> dict[str, Any] | None:
        """A run of today, besides another one."""
        return next((run for run in self.runs() if run["runId"] not in {*self.seen, besides}), None)

    def until_evening(self, seconds: float = 180) -> list[dict[str, Any]]:
        """The runs of the day, once the sensor has looked again and nothing is under way."""
        since = time.time()

        def quiet() -> bool:
            state = self.server.ask(TICKS, selector=self.server.selector(sensorName=SENSOR))
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


def rows_to_predict(first: int = 5000, n: int = 20, **changes: float) -> pd.DataFrame:
    return visits(first, **changes).tail(n).drop(columns="outcome")


@pytest.fixture(scope="module")
def world(serving, chromium, tmp_path_factory):
    """The experiment visits, of which nothing is made yet, with a column missing in the rows to predict.

    Beside it is an experiment whose rows are drawn anew by a schedule that is due each minute, once it is switched on.
    """
    folder = tmp_path_factory.mktemp("world")
    declared = {
        "dataset": {"kind": "table", "path": str(folder / "visits.csv"), "target": "outcome", "id": "visit"},
        "training": {"members": 3, "max_epochs": 200, "learning_rate": 0.02, "batch_size": 32},
        "architectures": [{"name": "net", "hidden": [16]}],
        "predict": {"path": str(folder / "new.csv")},
        "retrain": {"on_change": True, "every": 1},
    }
    drawn = {
        "dataset": {"kind": "moons", "n_samples": 160, "noise": 0.2},
        "training": {"members": 2, "max_epochs": 2},
        "architectures": ["linear"],
        "resample": True,
    }
    project = Project.new(folder / "home", copied_source(folder, visits=declared, drawn=drawn))
    deliver(rows_to_predict().drop(columns="dose"), folder / "new.csv", age=60)
    deliver(visits(600), folder / "visits.csv", age=60)
    with serving(project, CLASSIFICATION_ASSETS_CRON="* * * * *") as server:
        server.wait_until_loaded()
        yield World(server, project, folder)


@pytest.fixture
def page(chromium, world, tmp_path):
    page = Page(chromium, world.server, tmp_path)
    yield page
    page.leave()


def text(content):
    return f"//*[contains(normalize-space(text()), '{content}')]"


def menu_beside(label):
    """The arrow beside a button, which opens a menu."""
    return f"{button(label)}/ancestor::*[count(.//button) > 1][1]//button[not(normalize-space())]"


def open_run(page, *told):
    """Open the page of the newest run in whose row, on the page of all runs, something is told."""
    page.open("/runs")
    row = "//*[contains(@class, 'RunsFeedRow')]" + "".join(f"[contains(., '{part}')]" for part in told)
    page.click(f"{row}{button('View')}", until=button("Re-execute all (*)"))


def switch(page, name, on):
    """Switch a sensor or schedule on the page "Automation"."""
    page.open("/automation")
    toggle = f"//*[text()='{name}']/ancestor::*[count(.//input) = 2][1]//label[contains(@class, 'Switch')]"
    color = f"{toggle}//*[local-name()='rect'][contains(@fill, '-{'checked' if on else 'unchecked'})')]"
    page.click(toggle, until=color)


def newest(key):
    """What the page of an asset says of its latest materialization, by the name of the metadata."""
    return f"//tr[td[1][normalize-space()='{key}']]/td[3]"


def test_day_1_the_first_run_fails_at_its_last_step_and_goes_on_from_there(world, page):
    open_run(page, "it was never trained to its end")
    first = page.driver.current_url
    switch(page, SENSOR, on=False)  # it would request the predictions alone, once again
    page.driver.get(first)
    page.see(FAILURE)
    page.see(text("Errored (1)"))
    page.see(text("visits__predictions"))
    world.deliver(rows_to_predict(), "new.csv")
    page.click(menu_beside("Re-execute all (*)"), until=button("From failure"))
    page.click(button("From failure"), until=text("Re-executions (1)"))
    page.see(SUCCESS)
    assert page.driver.current_url != first
    page.see(text("Succeeded (1)"))
    switch(page, SENSOR, on=True)
    assert [status for status, _ in reasons(world.until_evening())] == ["FAILURE", "SUCCESS"]


def test_day_1_has_the_first_champion(world):
    assert world.registry.champion().number == 1
    assert "the first champion" in world.registry.entries()[-1].reason
    assert world.predictions.about["version"] == "v0001"


def test_day_2_the_table_has_grown_and_a_model_that_is_not_really_better_is_refused_with_a_reason(world):
    world.deliver(visits(660))
    assert reasons(world.until_evening()) == [("SUCCESS", "its table has changed")]
    entry = world.registry.entries()[-1]
    assert (entry.action, entry.champion) == ("refused", 1)
    assert re.search(r"on \d+ rows that neither has learned from.*not really better", entry.reason)


def test_day_3_a_column_is_broken_and_the_run_fails_at_the_gate_and_changes_nothing(world, page):
    served = world.predictions.rows.frame()
    world.deliver(visits(700).drop(columns="dose"))
    day = world.until_evening()
    assert reasons(day) == [("FAILURE", "its table has changed")]
    assert "columns changed since the accepted version: dose (gone)" in failure_of(world, day[0])
    assert load(world.project.artifacts / "visits" / "dataset.parquet").rows.n_rows == 660
    assert len(world.registry.entries()) == 2
    pd.testing.assert_frame_equal(world.predictions.rows.frame(), served)
    open_run(page, "its table has changed", "Failure")
    page.open("/assets/visits/dataset?view=checks")
    gate = "//*[text()='same_columns']/ancestor::*[contains(., 'Succeeded') or contains(., 'Failed')][1]"
    page.click(
        f"{gate}[contains(., 'Failed')]",
        until=text("columns changed since the accepted version: dose (gone)"),
    )
    page.see("//*[normalize-space()='Evaluation result']/following::*[normalize-space()='Failed']")


def test_day_4_what_was_learned_from_is_delivered_again_and_then_twice_and_nothing_is_to_be_done(world):
    for _ in range(2):
        world.deliver(visits(660))
        assert world.until_evening() == []


def test_day_5_labels_are_much_cleaner_and_the_model_is_really_better_and_serves(world, page):
    world.deliver(visits(1500, noise=0.2))
    assert reasons(world.until_evening()) == [("SUCCESS", "its table has changed")]
    entry = world.registry.entries()[-1]
    assert (entry.action, entry.champion) == ("promoted", 2)
    assert "really better" in entry.reason
    assert world.predictions.about["version"] == "v0002"
    open_run(page, "its table has changed")
    page.see(SUCCESS)
    page.open("/assets/visits/champion")
    page.see(f"{newest('decision')}[.='promoted']")
    page.see(f"{newest('champion')}[.='v0002, net']")


def test_the_champions_page_tells_who_was_champion_when_and_why(page):
    page.open("/assets/visits/champion")
    history = newest("who was champion when")
    page.see(f"{history}//td[contains(., 'the first champion')]")
    page.see(f"{history}//td[contains(., 'really better')]")


def test_day_6_rows_of_much_older_patients_are_predicted_and_nothing_else_and_the_drift_is_told(world):
    assert not alarm_of(world, "predictions")
    world.deliver(rows_to_predict(4000, 50, shift=25), "new.csv")
    assert reasons(world.until_evening()) == [("SUCCESS", "the rows to predict have changed")]
    assert world.predictions.rows.n_rows == 50
    assert "age: median" in alarm_of(world, "predictions")
    assert world.registry.champion().number == 2


def test_day_7_a_training_is_killed_and_made_up_for_once_and_a_change_meanwhile_is_learned_from_once(world):
    world.deliver(visits(1600, noise=0.2))
    run = world.server.wait_until("a run begins", world.started)
    os.kill(training_process(world, run["runId"]), signal.SIGKILL)
    again = world.server.wait_until("another run begins", lambda: world.started(besides=run["runId"]))
    training_process(world, again["runId"])
    world.deliver(visits(1800, noise=0.2))
    assert [status for status, _ in reasons(world.until_evening(240))] == ["FAILURE", "SUCCESS", "SUCCESS"]
    assert len(world.registry.entries()) == 5
    assert load(world.project.artifacts / "visits" / "dataset.parquet").rows.n_rows == 1800


def test_day_8_half_of_the_table_is_lost_and_what_serves_is_still_what_was_decided_before(world):
    world.deliver(visits(700, noise=0.2))
    assert [status for status, _ in reasons(world.until_evening())] == ["FAILURE"]
    champion = world.registry.champion()
    assert world.predictions.about["version"] == champion.name
    actions = [entry.action for entry in world.registry.entries()]
    assert actions.count("promoted") == champion.number


def test_day_9_a_champion_is_rolled_back_in_the_launchpad(world, page):
    world.deliver(visits(1800, noise=0.2))
    serves = world.registry.champion().number
    page.open("/assets/visits/champion")
    page.click(menu_beside("Materialize"), until=button("Open launchpad"))
    page.click(button("Open launchpad"), until="//*[contains(@class, 'CodeMirror-code')]")
    by_hand = '{ops: {visits__champion: {config: {action: roll_back, because: "doctors ask for it"}}}}'
    page.write("//*[contains(@class, 'CodeMirror-code')]", by_hand)
    page.see(text("No errors"))
    page.click(f"//*[@role='dialog']{button('Materialize')}", until=button("Re-execute all (*)"))
    page.see(SUCCESS)
    page.open("/assets/visits/champion")
    page.see(f"{newest('decision')}[.='rolled back']")
    page.see(f"{newest('champion')}[.='v{serves - 1:04d}, net']")


@pytest.mark.slow
def test_day_10_the_schedule_is_switched_on_and_launches_a_run_in_its_minute(page):
    switch(page, SCHEDULE, on=True)
    page.click(f"//a[.//*[text()='{SCHEDULE}']]", until=text("Next tick"))
    page.see(text("1 run requested"))
    switch(page, SCHEDULE, on=False)
    open_run(page, SCHEDULE, "Success")


def test_a_scheduled_run_has_the_minute_of_the_environments_schedule_and_a_seed_of_that_time(world):
    schedule = world.server.ask(CRON, selector=world.server.selector(scheduleName=SCHEDULE))
    assert schedule["cronSchedule"] == "* * * * *"
    run = world.server.ask(SCHEDULED)["results"][-1]
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    scheduled = datetime.fromisoformat(tags["dagster/run_key"])
    assert scheduled.second == 0
    config = yaml.safe_load(run["runConfigYaml"])
    assert config["ops"]["drawn__dataset"]["config"] == {"seed": int(scheduled.timestamp())}


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
