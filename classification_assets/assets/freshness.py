"""When an asset counts as overdue in the UI."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice, pairwise

import dagster as dg

from classification_assets.experiment import NamedExperiment

TICKS = 60
"""Ticks in which the longest gap is looked for."""

_FROM = 1_767_225_600.0  # 2026-01-01; any year has the same gaps


def freshness_of(experiment: NamedExperiment) -> dg.FreshnessPolicy | None:
    """Overdue is what has not been made for one and a half times the longest gap of the declared schedule."""
    retrain = experiment.retrain
    if retrain.schedule is None:
        return None
    from dagster._utils.schedules import schedule_execution_time_iterator

    ticks = islice(schedule_execution_time_iterator(_FROM, retrain.schedule, retrain.timezone), TICKS)
    longest = max((later - earlier).total_seconds() for earlier, later in pairwise(ticks))
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(seconds=max(120.0, 1.5 * longest)))
