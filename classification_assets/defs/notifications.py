"""Sensors that notify people of failed runs and of decisions on champions, where that is configured."""

import dagster as dg

from classification_assets.notifications.message import Event, Message
from classification_assets.notifications.settings import EMAIL_TO, WEBHOOK, Settings
from classification_assets.notifications.transports import send

CHAMPION = "champion"
"""The last part of the key of an asset whose materializations say what was decided."""

_EVENTS: dict[str, Event] = {"promoted": "promoted", "refused": "not_promoted"}
UNCONFIGURED = f"nothing is sent: neither {WEBHOOK} nor {EMAIL_TO} is set"


@dg.definitions
def notifications() -> dg.Definitions:
    """The sensors `notify_failures` and `notify_decisions`; a setting that is wrong is refused here."""
    settings = Settings.from_environment()
    status = dg.DefaultSensorStatus.RUNNING if settings.configured else dg.DefaultSensorStatus.STOPPED

    # Runs of the command line belong to no code location, so they are seen only if all locations are looked at.
    @dg.run_failure_sensor(
        name="notify_failures",
        default_status=status,
        monitor_all_code_locations=True,
        description=f"Sends a message for every run that failed, if {WEBHOOK} or {EMAIL_TO} is set.",
    )
    def notify_failures(context: dg.RunFailureSensorContext):
        if not settings.configured:
            return dg.SkipReason(UNCONFIGURED)
        _send(
            [failure(context.dagster_run, context.failure_event.message or "", settings)], settings, context
        )
        return None

    @dg.run_status_sensor(
        name="notify_decisions",
        run_status=dg.DagsterRunStatus.SUCCESS,
        default_status=status,
        monitor_all_code_locations=True,
        description=f"Sends a message for every champion that was promoted or refused, if {WEBHOOK} or {EMAIL_TO} "
        "is set.",
    )
    def notify_decisions(context: dg.RunStatusSensorContext):
        if not settings.configured:
            return dg.SkipReason(UNCONFIGURED)
        _send(decisions(context.instance, context.dagster_run.run_id, settings), settings, context)
        return None

    return dg.Definitions(sensors=[notify_failures, notify_decisions])


def failure(run: dg.DagsterRun, reason: str, settings: Settings) -> Message:
    """The message about a failed run; it is of an experiment, if all of its assets are."""
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    groups = {name.partition("/")[0] for name in assets}
    subject = groups.pop() if len(groups) == 1 else run.job_name
    return Message("failure", subject, run.run_id, reason, tuple(assets), settings.run_url(run.run_id))


def decisions(instance: dg.DagsterInstance, run: str, settings: Settings) -> list[Message]:
    """Messages about what a run decided on champions; there is none about one that stays as it is."""
    messages = []
    for entry in instance.all_logs(run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
        made = entry.asset_materialization
        if made is None or len(made.asset_key.path) < 2 or made.asset_key.path[-1] != CHAMPION:
            continue
        decision, reason = (
            str(made.metadata[name].value) if name in made.metadata else "" for name in ("decision", "reason")
        )
        if (event := _EVENTS.get(decision)) is not None:
            asset = made.asset_key.to_user_string()
            experiment = "/".join(made.asset_key.path[:-1])
            messages.append(Message(event, experiment, run, reason, (asset,), settings.run_url(run)))
    return messages


def _send(messages: list[Message], settings: Settings, context: dg.RunStatusSensorContext) -> None:
    for message in messages:
        for reason in send(message, settings):
            context.log.error(reason)
