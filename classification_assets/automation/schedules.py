"""Schedules: each night what has changed is trained; of what has not, the champion is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from classification_assets.automation.due import due
from classification_assets.automation.runs import job_of, keys_of, run_in_progress, tags_of
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.artifacts.root import storage_root


def schedule_of(experiment: NamedExperiment) -> dg.ScheduleDefinition | None:
    """The schedule that an experiment declares, if it does."""
    retrain = experiment.retrain
    if retrain.schedule is None:
        return None

    @dg.schedule(
        name=f"retrain_{experiment.name}",
        job_name=job_of(experiment),
        cron_schedule=retrain.schedule,
        execution_timezone=retrain.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Retrains {experiment.name} if anything has changed; else it only looks at the champion.",
    )
    def schedule(context: dg.ScheduleEvaluationContext):
        time = context.scheduled_execution_time
        if run := run_in_progress(context.instance, experiment):
            return dg.SkipReason(f"run {run} trains {experiment.name} already")
        reason = training_due(experiment)
        return dg.RunRequest(
            run_key=time.isoformat(),
            run_config=resampled([experiment], int(time.timestamp())) if reason else {},
            tags=tags_of(experiment, time) | {"reason": reason or "nothing has changed"},
            asset_selection=None if reason else list(looked_at(experiment)),
        )

    return schedule


def training_due(experiment: NamedExperiment) -> str:
    """Why an experiment is to be trained; empty: nothing has changed."""
    try:
        found = due(experiment, storage_root())
    except (OSError, ValueError) as error:
        return f"its files cannot be compared: {error}"  # the run then says so in red
    return found.training or found.anew


def looked_at(experiment: NamedExperiment) -> Sequence[dg.AssetKey]:
    """The assets that are made where nothing has changed: the decision that the champion stays, and predictions."""
    kinds = ["champion", *(["predictions"] if experiment.predict is not None else [])]
    return keys_of(experiment, *kinds)


def resampled(experiments: Sequence[NamedExperiment], timestamp: int) -> dict[str, Any]:
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
