"""<experiment>/effect: how depth, width and activation change the score and the boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.keys import inputs_of, key_of
from classification_assets.assets.materialization import Run
from classification_assets.assets.step import Inputs
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.models.architectures import MLP

if TYPE_CHECKING:
    from classification_assets.learning.models.fitted import FittedModel


def effect_inputs(experiment: NamedExperiment) -> Inputs:
    """The artifacts of which the picture is made."""
    inputs = inputs_of(experiment, ["split", "leaderboard", "evaluations", "surfaces"])
    # The shape that a sweep has found stands in its model alone.
    found = {} if experiment.tuned is None else {"tuned": key_of(experiment, "model", experiment.tuned)}
    return inputs | found


def shapes(experiment: NamedExperiment, tuned: FittedModel | None) -> dict[str, MLP]:
    """The architectures by their names, declared and found, that have a depth, a width and an activation."""
    found = [] if tuned is None else [tuned.provenance.architecture]
    return {own.name: own for own in [*experiment.shaped(), *found] if isinstance(own, MLP)}


def effect_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of one picture of all architectures by their shape."""

    @experiment_asset(
        experiment,
        "effect",
        stored_as="png",
        inputs=effect_inputs(experiment),
        uses=[*experiment.all_declared(), experiment.view],
        kinds={"matplotlib", "png"},
        kept=True,
    )
    def effect(split, leaderboard, evaluations, surfaces, run: Run, tuned=None):
        """Test accuracy by size, depth, width and activation, with each architecture's boundary."""
        from classification_assets.learning.figures import boundary_displays

        return shown.figure(
            lambda: boundary_displays.effect_of_architecture(
                shapes(experiment, tuned), evaluations, surfaces, split, leaderboard.winner, experiment.name
            ),
            "effect of the architecture",
        )

    return effect
