"""The job that materializes everything, and its daily schedule."""

import os
from collections.abc import Sequence

import dagster as dg

from classification_assets.assets.keys import COMPARISON
from classification_assets.assets.materialization import AS_OF
from classification_assets.automation.runs import run_in_progress
from classification_assets.automation.schedules import looked_at, resampled, training_due
from classification_assets.component import declared_experiments, made_keys
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
    others = [experiment for experiment in experiments if experiment.retrain.schedule is None]

    @dg.schedule(
        name="retraining",
        job=train_everything,
        cron_schedule=os.environ.get(CRON) or "0 2 * * *",
        execution_timezone=os.environ.get(TIMEZONE) or "UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Retrains every experiment without a schedule of its own in which anything has changed.",
    )
    def schedule(context: dg.ScheduleEvaluationContext):
        time = context.scheduled_execution_time
        free = [each for each in others if run_in_progress(context.instance, each) is None]
        trained = [experiment for experiment in free if training_due(experiment)]
        selected = selection(free, trained)
        if not selected:
            return dg.SkipReason("every experiment is being trained already, or has a schedule of its own")
        return dg.RunRequest(
            run_key=time.isoformat(),
            run_config=resampled(trained, int(time.timestamp())),
            tags={AS_OF: time.isoformat()},
            asset_selection=selected,
        )

    return dg.Definitions(jobs=[train_everything], schedules=[schedule])


def selection(
    experiments: Sequence[NamedExperiment], trained: Sequence[NamedExperiment]
) -> list[dg.AssetKey]:
    """All assets of experiments that are trained; of the others, only the decision that their champion stays."""
    keys = [key for each in experiments if each not in trained for key in looked_at(each)]
    for experiment in trained:
        keys += made_keys(experiment)
    if trained:
        keys += [dg.AssetKey([COMPARISON, kind]) for kind in ("leaderboard", "gallery", "report")]
    return keys
