"""The sensor that ends runs whose process is gone: Dagster itself keeps them as started for ever."""

import time

import dagster as dg

from classification_assets.assets.run_process import Host, is_gone_since, noted_processes

GRACE = 60.0
"""Seconds that a run has until its first asset notes where it runs."""

_OPEN = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


@dg.definitions
def abandoned_runs() -> dg.Definitions:
    """The sensor `abandoned_runs`."""

    @dg.sensor(
        name="abandoned_runs",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks runs of this host as failed whose process was killed, so that what waits for them goes on.",
    )
    def sensor(context: dg.SensorEvaluationContext):
        ended = end_abandoned_runs(context.instance)
        for sentence in ended:
            context.log.warning(sentence)
        return dg.SkipReason("; ".join(ended) or "every run that is started has a process")

    return dg.Definitions(sensors=[sensor])


def end_abandoned_runs(instance: dg.DagsterInstance, grace: float = GRACE) -> list[str]:
    """Mark each run of this host whose processes are all gone as failed; one that was being canceled, as canceled.

    Returns
    -------
    A sentence for each.
    """
    told = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=_OPEN)):
        run, since = record.dagster_run, time.time() - (record.start_time or time.time())
        if not _is_of_this_host(instance, run, since >= grace):
            continue
        processes = _logged_processes(instance, run.run_id)
        noted = [process for process in noted_processes(run) if process is not None]
        if not processes and not noted:
            continue
        if not all(is_gone_since(pid, when) for pid, when in processes.items()):
            continue
        if not all(process.is_gone for process in noted):
            continue
        # A run writes how it ended before its process ends: what is still open now was abandoned.
        now = instance.get_run_by_id(run.run_id)
        if now is None or now.status not in _OPEN:
            continue
        pids = sorted({*processes, *(process.pid for process in noted)})
        sentence = (
            f"Run {run.run_id} was abandoned: no process works on it any more (pid "
            f"{', '.join(map(str, pids))} on {Host.this().name}); it was killed, or the memory did not suffice"
        )
        if now.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(now, sentence)
        else:
            instance.report_run_failed(now, sentence)
        # What a killed process held of a pool is given back by no one else.
        if instance.event_log_storage.supports_global_concurrency_limits:
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        told.append(sentence)
    return told


def _is_of_this_host(instance: dg.DagsterInstance, run: dg.DagsterRun, old_enough: bool) -> bool:
    """Whether all of a run's processes are of this host, as far as it is known."""
    if noted := noted_processes(run):
        here = Host.this()
        return all(process is not None and process.host == here for process in noted)
    # Killed before its first asset: then only an instance in files of this disk says that it was here.
    from dagster._core.storage.runs import SqliteRunStorage

    return old_enough and isinstance(instance.run_storage, SqliteRunStorage)


def _logged_processes(instance: dg.DagsterInstance, run_id: str) -> dict[int, float]:
    """The processes that Dagster has logged for a run, steps' children too, and when it last did so."""
    found: dict[int, float] = {}
    types = {dg.DagsterEventType.ENGINE_EVENT, dg.DagsterEventType.STEP_WORKER_STARTED}
    for entry in instance.all_logs(run_id, of_type=types):
        metadata = entry.dagster_event.engine_event_data.metadata if entry.dagster_event else {}
        pid = str(metadata["pid"].value) if "pid" in metadata else ""
        if pid.isdecimal():
            found[int(pid)] = entry.timestamp
    return found
