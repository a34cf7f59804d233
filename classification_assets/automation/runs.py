"""Runs that are wanted and runs in progress: what a schedule or sensor asks for, and whether somebody is at it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from classification_assets.assets.keys import key_of
from classification_assets.assets.materialization import AS_OF
from classification_assets.experiment import NamedExperiment

EXPERIMENT = "classification_assets/experiment"
"""The tag of runs of one experiment; the queue of the shipped `dagster.yaml` runs one of each at a time."""

_IN_PROGRESS = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def job_of(experiment: NamedExperiment) -> str:
    """The job that materializes all of an experiment."""
    return f"train_{experiment.name}"


def run_in_progress(instance: dg.DagsterInstance, experiment: NamedExperiment) -> str | None:
    """The id of a run that makes the experiment's rows anew, if there is one."""
    rows = dg.AssetKey(key_of(experiment, "dataset"))
    for run in instance.get_runs(dg.RunsFilter(statuses=_IN_PROGRESS)):
        if run.asset_selection is None:
            if run.job_name in (job_of(experiment), "train_everything"):
                return run.run_id
        elif rows in run.asset_selection:
            return run.run_id
    return None


def tags_of(experiment: NamedExperiment, time: datetime) -> dict[str, str]:
    """Tags of a run for one experiment: which, and for which time."""
    return {EXPERIMENT: experiment.name, AS_OF: time.isoformat()}


def keys_of(experiment: NamedExperiment, *kinds: str) -> Sequence[dg.AssetKey]:
    """Keys of an experiment's own assets."""
    return [dg.AssetKey(key_of(experiment, kind)) for kind in kinds]
