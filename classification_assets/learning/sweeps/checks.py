"""Checks of a sweep. Light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classification_assets.learning.check import Check, Verdict

if TYPE_CHECKING:
    from classification_assets.learning.sweeps.result import SweepResult

MOST_FAILED = 0.5
"""Share of the configurations that may diverge."""


def sweep_checks() -> list[Check]:
    """Checks of every sweep."""
    return [Check.of(space_can_be_trained)]


def space_can_be_trained(result: SweepResult) -> Verdict:
    """The losses of most configurations stayed finite, so that the budget was spent on what can win."""
    summary = result.summary
    failed, tried = summary.n_failed, summary.n_configurations
    if failed > MOST_FAILED * tried:
        return False, (
            f"the losses of {failed:,} of {tried:,} configurations stopped being finite, and what was spent on them is "
            "lost; lower the largest learning_rate of the space, or weight_decay and input_noise"
        )
    return True, f"the losses of {tried - failed:,} of {tried:,} configurations stayed finite"
