"""The retraining schedule: when it runs, and which rows it draws."""

from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg
import pytest

from classification_assets.definitions import defs, everything

NIGHT = datetime(2026, 3, 1, 2, tzinfo=UTC)


@pytest.fixture
def fired(monkeypatch, instance, tmp_path) -> Callable[..., dg.RunRequest]:
    """Evaluates the schedule at a time, where nothing was ever trained."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))

    def evaluate(timestamp: datetime = NIGHT) -> dg.RunRequest:
        schedule = defs().resolve_schedule_def("retraining")
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=timestamp)
        (request,) = schedule.evaluate_tick(context).run_requests
        return request

    return evaluate


def test_each_night_draws_other_rows_where_an_experiment_resamples(fired):
    seeds = [
        fired(NIGHT.replace(day=day)).run_config["ops"]["moons__dataset"]["config"]["seed"] for day in (1, 2)
    ]
    assert seeds[0] != seeds[1]


def test_a_retry_of_one_night_draws_the_same_rows(fired):
    assert fired().run_config == fired().run_config
    assert fired().run_key == fired().run_key


def test_an_experiment_that_does_not_resample_keeps_its_rows(fired):
    assert list(fired().run_config["ops"]) == ["moons__dataset"]


def test_what_was_never_trained_is_trained_with_the_comparison(fired):
    chosen = {key.to_user_string() for key in fired().asset_selection}
    assert {"wine/deep_relu/model", "wine/champion", "comparison/gallery"} <= chosen


@pytest.fixture
def new_process():
    """Definitions are made once a process: as if this were another one."""
    everything.cache_clear()
    yield
    everything.cache_clear()


@pytest.mark.usefixtures("new_process")
def test_cron_and_time_zone_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("CLASSIFICATION_ASSETS_CRON", "30 4 * * 1")
    monkeypatch.setenv("CLASSIFICATION_ASSETS_TIMEZONE", "Europe/Berlin")
    schedule = defs().resolve_schedule_def("retraining")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 4 * * 1", "Europe/Berlin")
