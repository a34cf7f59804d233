"""Checks of each kind of asset: one list, for the assets themselves and for the reports."""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING

from classification_assets.experiment import NamedExperiment
from classification_assets.learning.check import Check
from classification_assets.learning.drift.checks import drift_checks
from classification_assets.learning.evaluation.checks import evaluation_checks, leaderboard_checks
from classification_assets.learning.models.checks import model_checks, predictable, predictions_checks
from classification_assets.learning.preparation.checks import dataset_checks, split_checks, table_checks
from classification_assets.learning.preparation.gates import Delivery, gate_checks
from classification_assets.learning.sweeps.checks import sweep_checks
from classification_assets.learning.tables.datasets import GeneratedDataset, OwnTable

if TYPE_CHECKING:
    from classification_assets.learning.preparation.profile import Profile


def _profile(delivery: Delivery) -> Profile:
    return delivery.profile


def checks_of(kind: str, experiment: NamedExperiment, architecture: str = "") -> list[Check]:
    """The checks of an experiment's asset of a kind, or of one of its architectures; none for what is not judged."""
    checks: list[Check] = []
    match kind:
        case "dataset":
            checks = [check.on(_profile) for check in dataset_checks()]
            # What is drawn or shipped is as it is declared: nothing of it can be missing, misread or new.
            if isinstance(experiment.dataset, OwnTable):
                checks += [check.on(_profile) for check in table_checks()]
                checks += [replace(check, withholds=True) for check in gate_checks()]
        case "drift":
            checks = drift_checks()
        case "predictions":
            checks = [check.on(itemgetter(1)) for check in drift_checks()]
            if experiment.predict:
                checks += [check.on(itemgetter(0)) for check in predictions_checks(experiment.predict)]
        case "split":
            checks = [*split_checks(), *([predictable(experiment.predict)] if experiment.predict else [])]
        case "sweep":
            checks = sweep_checks()
        case "model":
            checks = [_judged(check, experiment, architecture) for check in model_checks()]
        case "evaluation":
            knows_truth = isinstance(experiment.dataset, GeneratedDataset)
            checks = [
                _judged(check, experiment, architecture)
                for check in evaluation_checks(experiment.checks, knows_truth)
            ]
        case "leaderboard" if {each.name for each in experiment.tried} & {*experiment.checks.baselines}:
            checks = leaderboard_checks(experiment.checks.baselines)
    return checks


def _judged(check: Check, experiment: NamedExperiment, architecture: str) -> Check:
    """A check of every model, as an experiment declares that it is meant for this one."""
    bounds = experiment.checks
    if check.name in bounds.lessons:
        check = check.teaching(bounds.lessons[check.name])
    others = {each.name for each in experiment.tried} - {*bounds.baselines}
    # A bound that a person has declared holds for a baseline, too.
    measured = architecture in bounds.baselines and others and not bounds.declares(check.name)
    return check.measuring() if measured else check
