"""<experiment>/effect: how depth, width and activation change the score and the boundary."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.models.architectures import MLP

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from classification_assets.learning.evaluation.evaluation import Evaluation

INPUTS = ("split", "leaderboard", "evaluations", "surfaces")


def draw_effect(experiment: NamedExperiment, *, split, leaderboard, evaluations, surfaces) -> Figure:
    """Test accuracy by size, depth, width and activation, with each architecture's boundary."""
    from classification_assets.learning.figures import boundary_displays

    return boundary_displays.effect_of_architecture(
        shapes(experiment, evaluations), evaluations, surfaces, split, leaderboard.winner, experiment.name
    )


def shapes(experiment: NamedExperiment, evaluations: Mapping[str, Evaluation]) -> dict[str, MLP]:
    """The architectures by their names that have a depth, a width and an activation, as they were trained."""
    declared = {own.name: own for own in experiment.shaped()}
    names = [*declared, *([] if experiment.tuned is None else [experiment.tuned.name])]
    trained = {name: evaluations[name].about.get("architecture") for name in names}
    # Evaluations of earlier versions do not tell.
    return {name: MLP.model_validate(told) if told else declared[name] for name, told in trained.items()}


def effect_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of one picture of all architectures by their shape."""

    @experiment_asset(
        experiment,
        "effect",
        stored_as="png",
        inputs=INPUTS,
        uses=[*experiment.all_declared(), experiment.view],
        kinds={"matplotlib", "png"},
        kept=True,
    )
    def effect(split, leaderboard, evaluations, surfaces, run: Run):
        """Test accuracy by size, depth, width and activation, with each architecture's boundary."""
        draw = partial(
            draw_effect,
            experiment,
            split=split,
            leaderboard=leaderboard,
            evaluations=evaluations,
            surfaces=surfaces,
        )
        return shown.figure(draw, "effect of the architecture")

    return effect
