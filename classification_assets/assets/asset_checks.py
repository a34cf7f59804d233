"""Checks of each kind of asset: one list, for the assets themselves and for the reports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from classification_assets.experiment import NamedExperiment
from classification_assets.learning.check import Check
from classification_assets.learning.evaluation.checks import evaluation_checks, leaderboard_checks
from classification_assets.learning.models.checks import model_checks, predictable
from classification_assets.learning.preparation.checks import dataset_checks, split_checks
from classification_assets.learning.preparation.gates import Delivery, gate_checks

if TYPE_CHECKING:
    from classification_assets.learning.preparation.profile import Profile


def _profile(delivery: Delivery) -> Profile:
    return delivery.profile


def checks_of(kind: str, experiment: NamedExperiment) -> list[Check]:
    """The checks of an experiment's asset of a kind, none for kinds that are not judged."""
    match kind:
        case "dataset":
            gates = [replace(check, withholds=True) for check in gate_checks()]
            return [*(check.on(_profile) for check in dataset_checks()), *gates]
        case "split":
            return [*split_checks(), *([predictable(experiment.predict)] if experiment.predict else [])]
        case "model":
            return model_checks()
        case "evaluation":
            return evaluation_checks(experiment.checks)
        case "leaderboard":
            return leaderboard_checks()
    return []
