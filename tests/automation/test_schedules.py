"""Schedules as the daemon's own scheduler evaluates them, at times that the tests choose."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.workspace.load_target import PythonFileTarget
from dagster._scheduler.scheduler import launch_scheduled_runs

from classification_assets.assets.materialization import AS_OF
from classification_assets.automation.runs import EXPERIMENT

LOCATION = Path(__file__).with_name("two_nights.py")
_ALIVE: list[dg.DagsterInstance] = []


@pytest.fixture
def scheduler(tmp_path, monkeypatch) -> Iterator[Callable[..., list[dg.DagsterRun]]]:
    """Lets the scheduler look at the clock at each of some times; runs that it launches end at once."""
    monkeypatch.setenv("SCHEDULE", "30 2 * * *")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    # Queued, and nobody takes them out of the queue.
    overrides = {
        "run_coordinator": {"module": "dagster.core.run_coordinator", "class": "QueuedRunCoordinator"}
    }
    instance = dg.DagsterInstance.local_temp(str(tmp_path), overrides=overrides)
    _ALIVE.append(instance)
    target = PythonFileTarget(
        python_file=str(LOCATION), attribute=None, working_directory=None, location_name="small"
    )
    with create_test_daemon_workspace_context(target, instance) as workspace:
        iterations: dict = {}

        def at(times: list[datetime]) -> list[dg.DagsterRun]:
            for time in times:
                for _ in launch_scheduled_runs(workspace, logging.getLogger("scheduler"), time, iterations):
                    pass
                for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])):
                    instance.report_run_canceled(run)
            return sorted(instance.get_runs(), key=lambda run: run.tags[AS_OF])

        yield at


def hourly(first: datetime, hours: int) -> list[datetime]:
    return [first + timedelta(hours=hour) for hour in range(hours)]


def test_the_hour_that_does_not_exist_gives_one_run(scheduler):
    # On 29 March 2026 clocks go from 2 to 3 in Berlin, where 2:30 is wanted.
    runs = scheduler(hourly(datetime(2026, 3, 27, 12, tzinfo=UTC), 72))
    nights = [datetime.fromisoformat(run.tags[AS_OF]).date().day for run in runs]
    assert nights == [28, 29, 30]


def test_the_hour_that_comes_twice_gives_one_run(scheduler):
    # On 25 October 2026 clocks go from 3 back to 2.
    runs = scheduler(hourly(datetime(2026, 10, 23, 12, tzinfo=UTC), 72))
    nights = [datetime.fromisoformat(run.tags[AS_OF]).date().day for run in runs]
    assert nights == [24, 25, 26]


def test_nights_that_were_missed_are_made_up_once(scheduler):
    before, after = datetime(2026, 5, 1, 12, tzinfo=UTC), datetime(2026, 5, 8, 12, tzinfo=UTC)
    runs = scheduler([before, after, after + timedelta(minutes=1)])
    assert [datetime.fromisoformat(run.tags[AS_OF]).date().day for run in runs] == [8]


def test_a_run_says_for_which_time_and_experiment_it_is_and_why(scheduler):
    (run,) = scheduler(hourly(datetime(2026, 5, 1, 12, tzinfo=UTC), 24))
    assert run.tags[EXPERIMENT] == "small"
    assert run.tags[AS_OF] == "2026-05-02T02:30:00+02:00"
    assert run.tags["reason"] == "it was never trained to its end"
