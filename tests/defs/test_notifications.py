"""The sensors of notifications: real runs that fail or decide, and a server that is told."""

import dagster as dg
import pytest

from classification_assets.defs.notifications import notifications
from tests.notifications.servers import Webhook


def sensor(name):
    return notifications.load_fn().resolve_sensor_def(name)


@dg.asset(key=["moons", "model"])
def model():
    raise ValueError("the loss is no number")


def champion(decision):
    @dg.asset(key=["moons", "champion"])
    def made():
        return dg.MaterializeResult(metadata={"decision": decision, "reason": "worse by 0.02"})

    return made


@pytest.fixture
def hook(monkeypatch):
    with Webhook().running() as running:
        monkeypatch.setenv("CLASSIFICATION_ASSETS_WEBHOOK", running.url)
        monkeypatch.setenv("CLASSIFICATION_ASSETS_WEBSERVER", "http://here:3000")
        yield running


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def tick(name, instance, cursor):
    """One evaluation as the daemon makes it: what ended since the cursor is looked at."""
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    data = sensor(name).evaluate_tick(context)
    return data.cursor, data


def told_of(name, instance, asset):
    """What the sensor does after a run that materializes an asset."""
    cursor, _ = tick(name, instance, None)
    run = dg.materialize([asset], instance=instance, raise_on_error=False, selection="*")
    return run.run_id, tick(name, instance, cursor)[1]


def test_a_failed_run_is_told_with_its_assets_and_link(hook, instance):
    run, _ = told_of("notify_failures", instance, model)
    (received,) = hook.received
    assert (received["event"], received["run"]) == ("failure", run)
    assert received["url"] == f"http://here:3000/runs/{run}"
    assert "moons__model" in received["reason"]


def test_a_run_is_told_once(hook, instance):
    cursor, _ = tick("notify_failures", instance, None)
    dg.materialize([model], instance=instance, raise_on_error=False)
    cursor, _ = tick("notify_failures", instance, cursor)
    tick("notify_failures", instance, cursor)
    assert len(hook.received) == 1


@pytest.mark.parametrize(
    ("decision", "events"),
    [("refused", ["not_promoted"]), ("promoted", ["promoted"]), ("kept", []), ("unchanged", [])],
)
def test_a_decision_is_told_where_something_was_decided(hook, instance, decision, events):
    told_of("notify_decisions", instance, champion(decision))
    assert [received["event"] for received in hook.received] == events
    for received in hook.received:
        assert (received["experiment"], received["reason"]) == ("moons", "worse by 0.02")
        assert received["assets"] == ["moons/champion"]


@pytest.mark.parametrize("name", ["notify_failures", "notify_decisions"])
def test_unconfigured_sensors_are_stopped_and_say_so(instance, name):
    assert sensor(name).default_status == dg.DefaultSensorStatus.STOPPED
    asset = model if name == "notify_failures" else champion("promoted")
    _, data = told_of(name, instance, asset)
    assert "CLASSIFICATION_ASSETS_WEBHOOK" in data.skip_message


@pytest.mark.usefixtures("hook")
@pytest.mark.parametrize("name", ["notify_failures", "notify_decisions"])
def test_configured_sensors_are_running(name):
    assert sensor(name).default_status == dg.DefaultSensorStatus.RUNNING


def test_a_wrong_setting_is_refused_when_definitions_load(monkeypatch):
    monkeypatch.setenv("CLASSIFICATION_ASSETS_WEBHOOK", "hooks.example.org")
    with pytest.raises(ValueError, match="CLASSIFICATION_ASSETS_WEBHOOK"):
        sensor("notify_failures")
