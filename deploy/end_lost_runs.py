"""The last step of a restore: runs that were in progress at the backup are marked as failed, and counted."""

import os

import dagster as dg

STATUS = dg.DagsterRunStatus
IN_PROGRESS = [STATUS.NOT_STARTED, STATUS.STARTING, STATUS.STARTED, STATUS.CANCELING]
"""Queued ones are started by the daemon."""


def main() -> None:
    """Their processes are gone, and they would keep their places in the queue and in pools."""
    with dg.DagsterInstance.get() as instance:
        lost = instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS))
        for run in lost:
            instance.report_run_failed(run, "In progress when the backup was made, so its process is gone.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        print(
            f"{os.environ['DAGSTER_HOME']}: restored, {instance.get_runs_count():,} runs; "
            f"{len(lost)} that were in progress are marked as failed"
        )


if __name__ == "__main__":
    main()
