"""Sensors: the content of files is watched, and what depends on a changed one is requested once for each change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from pydantic import BaseModel

from classification_assets.assets.drift import ALARM
from classification_assets.assets.keys import key_of
from classification_assets.automation.due import OTHER_ROWS, Due, due, read_fingerprint
from classification_assets.automation.runs import job_of, keys_of, run_in_progress, tags_of
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.artifacts.root import storage_root


class Seen(BaseModel):
    """The cursor of a sensor.

    Attributes
    ----------
    table, rows : str
        Fingerprints that were observed last.
    trained, predicted : str
        For which ones a run was requested last: what it refused is not requested again.
    alarmed : str
        The files whose drift led to a run last: training again makes the same files drift no less.
    requests : int
        Makes run keys differ: content that comes back is a change too.
    """

    table: str = ""
    rows: str = ""
    trained: str = ""
    predicted: str = ""
    measured: str = ""
    alarmed: str = ""
    requests: int = 0


Wanted = tuple[dg.RunRequest, Seen]


def sensor_of(experiment: NamedExperiment) -> dg.SensorDefinition | None:
    """The sensor of an experiment that is to be trained, or predicted, when something changes."""
    retrain = experiment.retrain
    if not (retrain.on_change or retrain.on_drift):
        return None
    watched = "the content of its files" if retrain.on_change else "drift of its rows"

    @dg.sensor(
        name=f"retrain_{experiment.name}_on_change",
        job_name=job_of(experiment),
        minimum_interval_seconds=retrain.every,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Requests what depends on {watched}, once for each change.",
    )
    def sensor(context: dg.SensorEvaluationContext):
        seen = Seen.model_validate_json(context.cursor) if context.cursor else Seen()
        try:
            found = due(experiment, storage_root(), settled=True)
        except (OSError, ValueError) as error:
            return dg.SkipReason(str(error))
        observations = list(_observations(experiment, seen, found))
        seen = seen.model_copy(update={"table": found.table, "rows": found.rows})
        request, why = _wanted(context.instance, experiment, seen, found)
        if request is not None:
            seen = request[1]
        return dg.SensorResult(
            run_requests=[request[0]] if request else [],
            skip_reason=None if request else dg.SkipReason(why),
            cursor=seen.model_dump_json(),
            asset_events=observations,
        )

    return sensor


def _wanted(
    instance: dg.DagsterInstance, experiment: NamedExperiment, seen: Seen, found: Due
) -> tuple[Wanted | None, str]:
    """The run to request and the cursor after it, or why there is none."""
    if run := run_in_progress(instance, experiment):
        return (
            None,
            f"run {run} trains {experiment.name}; what changes meanwhile is looked at when it has ended",
        )
    for wanted in (_after_alarm, _after_change, _to_measure, _to_predict):
        if request := wanted(instance, experiment, seen, found):
            return request, ""
    again = ", and a run was requested for it already" if experiment.retrain.on_change else ""
    return None, f"{found.training}{again}" if found.training else "nothing has changed"


def _after_alarm(
    instance: dg.DagsterInstance, experiment: NamedExperiment, seen: Seen, found: Due
) -> Wanted | None:
    files = f"{found.state} {found.rows}"
    if not experiment.retrain.on_drift or seen.alarmed == files or not _has_drifted(instance, experiment):
        return None
    return _request(experiment, seen, "its rows have drifted", alarmed=files, **_trained(found))


def _after_change(
    instance: dg.DagsterInstance, experiment: NamedExperiment, seen: Seen, found: Due
) -> Wanted | None:
    # What a run has left undone is made up for by its retry, or by the schedule: it is no change.
    if not (experiment.retrain.on_change and found.training) or seen.trained == found.state:
        return None
    return _request(experiment, seen, found.training, **_trained(found))


def _trained(found: Due) -> dict[str, str]:
    """The changes that a run of everything takes care of: rows to predict too."""
    return {"trained": found.state, "predicted": OTHER_ROWS + found.rows}


def _to_measure(
    instance: dg.DagsterInstance, experiment: NamedExperiment, seen: Seen, found: Due
) -> Wanted | None:
    changed = found.table and read_fingerprint(experiment, storage_root()) != found.table
    if experiment.retrain.on_change or not changed or seen.measured == found.table:
        return None
    kinds = ("dataset", "drift")
    return _request(experiment, seen, "drift of the new rows is measured", *kinds, measured=found.table)


def _to_predict(
    instance: dg.DagsterInstance, experiment: NamedExperiment, seen: Seen, found: Due
) -> Wanted | None:
    change = found.predictions + found.rows
    if not found.predictions or seen.predicted == change:
        return None
    return _request(experiment, seen, found.predictions, "predictions", predicted=change)


def _request(
    experiment: NamedExperiment, seen: Seen, reason: str, *kinds: str, **changes: str | int
) -> Wanted:
    """A run of all of an experiment, or of some kinds of assets, and the cursor after it."""
    seen = seen.model_copy(update={**changes, "requests": seen.requests + 1})
    time = datetime.now(UTC)
    request = dg.RunRequest(
        run_key=f"{seen.requests}-{time.isoformat()}",
        tags=tags_of(experiment, time) | {"reason": reason},
        asset_selection=list(keys_of(experiment, *kinds)) if kinds else None,
    )
    return request, seen


def _observations(experiment: NamedExperiment, seen: Seen, found: Due) -> Iterator[dg.AssetObservation]:
    """Observations for Dagster of files whose content is another one than before."""
    for kind, before, now in (("table", seen.table, found.table), ("rows", seen.rows, found.rows)):
        if now and now != before:
            key = dg.AssetKey(key_of(experiment, kind))
            yield dg.AssetObservation(key, tags={"dagster/data_version": now})


def _has_drifted(instance: dg.DagsterInstance, experiment: NamedExperiment) -> bool:
    """Whether rows have drifted, as far as it was measured since the last training."""
    trained = instance.get_latest_materialization_event(dg.AssetKey(key_of(experiment, "leaderboard")))
    since = 0.0 if trained is None else trained.timestamp
    for kind in ("drift", "predictions"):
        found = instance.get_latest_materialization_event(dg.AssetKey(key_of(experiment, kind)))
        if found is None or found.asset_materialization is None or found.timestamp <= since:
            continue
        entry = found.asset_materialization.metadata.get(ALARM)
        if entry is not None and entry.value:
            return True
    return False
