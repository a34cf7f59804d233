"""<experiment>/effect: how depth, width and activation change the score and the boundary."""

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment


def effect_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of one picture of all architectures by their shape."""
    evaluations = {
        architecture.name: [experiment.name, architecture.name, "evaluation"]
        for architecture in experiment.shaped()
    }

    @experiment_asset(
        experiment,
        "effect",
        stored_as="png",
        inputs={
            "split": [experiment.name, "split"],
            "leaderboard": [experiment.name, "leaderboard"],
            "evaluations": evaluations,
        },
        uses=[*experiment.all_declared(), experiment.view],
        kinds={"matplotlib", "png"},
    )
    def effect(split, leaderboard, evaluations, run: Run):
        """Test accuracy by size, depth, width and activation, with each architecture's boundary; PNG and SVG."""
        from classification_assets.learning.figures import boundary_displays

        architectures = {own.name: own for own in experiment.shaped()}
        return shown.figure(
            lambda: boundary_displays.effect_of_architecture(
                architectures, evaluations, split, leaderboard.winner, experiment.name
            ),
            "effect of the architecture",
        )

    return effect
