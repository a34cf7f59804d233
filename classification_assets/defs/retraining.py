"""The job that materializes everything, and its daily schedule."""

import os

import dagster as dg

from classification_assets.component import declared_experiments
from classification_assets.experiment import NamedExperiment

CRON = "CLASSIFICATION_ASSETS_CRON"
TIMEZONE = "CLASSIFICATION_ASSETS_TIMEZONE"

train_everything = dg.define_asset_job(
    "train_everything",
    selection=dg.AssetSelection.all(),
    description="Every experiment, from fresh rows to the gallery.",
)


@dg.definitions
def retraining(context: dg.ComponentLoadContext) -> dg.Definitions:
    """The schedule `retraining`: off until someone switches it on, at 2 o'clock by default."""
    experiments = [component.experiment for component in declared_experiments(context)]

    @dg.schedule(
        name="retraining",
        job=train_everything,
        cron_schedule=os.environ.get(CRON) or "0 2 * * *",
        execution_timezone=os.environ.get(TIMEZONE) or "UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Retrains everything; experiments with `resample: true` draw fresh rows of the same problem.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        time = context.scheduled_execution_time
        return dg.RunRequest(
            run_key=time.isoformat(), run_config=resampled(experiments, int(time.timestamp()))
        )

    return dg.Definitions(jobs=[train_everything], schedules=[schedule])


def resampled(experiments: list[NamedExperiment], timestamp: int) -> dict[str, object]:
    """Run configuration in which each experiment that resamples draws rows by the scheduled second.

    The seed is part of the run, so a retry draws the same rows.
    """
    return {
        "ops": {
            f"{experiment.name}__dataset": {"config": {"seed": timestamp % 2**32}}
            for experiment in experiments
            if experiment.resample
        }
    }
