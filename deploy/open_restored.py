"""The last step of a restore: open the instance, alone, and mark runs that were in progress as failed."""

import os

import dagster as dg

STATUS = dg.DagsterRunStatus
IN_PROGRESS = [STATUS.NOT_STARTED, STATUS.STARTING, STATUS.STARTED, STATUS.CANCELING]
"""Queued ones are started by the daemon."""


def main() -> None:
    """Runs whose processes are gone would keep their places in the queue and in pools."""
    with dg.DagsterInstance.get() as instance:
        instance.upgrade()  # the archive may be an older version's
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
