"""<experiment>/effect: how depth, width and activation change the score and the boundary."""

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment


def effect_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of one picture of all architectures by their shape."""

    @experiment_asset(
        experiment,
        "effect",
        stored_as="png",
        inputs=["split", "leaderboard", "evaluations", "surfaces"],
        uses=[*experiment.all_declared(), experiment.view],
        kinds={"matplotlib", "png"},
        kept=True,
    )
    def effect(split, leaderboard, evaluations, surfaces, run: Run):
        """Test accuracy by size, depth, width and activation, with each architecture's boundary."""
        from classification_assets.learning.figures import boundary_displays

        architectures = {own.name: own for own in experiment.shaped()}
        return shown.figure(
            lambda: boundary_displays.effect_of_architecture(
                architectures, evaluations, surfaces, split, leaderboard.winner, experiment.name
            ),
            "effect of the architecture",
        )

    return effect
