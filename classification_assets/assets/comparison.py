"""comparison/leaderboard and comparison/gallery: all experiments against all architectures."""

from collections.abc import Sequence

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import declared_asset
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment

GROUP = "comparison"


def comparison_leaderboard_asset(experiments: Sequence[NamedExperiment]) -> dg.AssetsDefinition:
    """The asset of all leaderboards in one table."""

    @declared_asset(
        [GROUP, "leaderboard"],
        group=GROUP,
        stored_as="parquet",
        inputs={
            "leaderboards": {experiment.name: [experiment.name, "leaderboard"] for experiment in experiments}
        },
        uses=[part for experiment in experiments for part in experiment.all_declared()],
        kinds={"pandas", "parquet"},
    )
    def leaderboard(leaderboards, run: Run):
        """Every experiment's leaderboard, one below the other, and architectures by their average rank."""
        from classification_assets.learning.evaluation.comparison import comparison
        from classification_assets.learning.evaluation.leaderboard import summary
        from classification_assets.learning.figures import displays

        compared = comparison(leaderboards)

        def ranks():
            return displays.average_ranks(compared, "All experiments")

        # Experiments may have no architecture in common.
        return compared, {
            **shown.kept({"critical difference": ranks} if len(compared.ranks) else {}, run.beside),
            **shown.table(summary(compared.board), "leaderboard"),
            **shown.table(compared.ranks.round(2), "average ranks"),
        }

    return leaderboard


def gallery_asset(experiments: Sequence[NamedExperiment]) -> dg.AssetsDefinition:
    """The asset of one picture of all decision boundaries."""
    evaluations = {
        f"{experiment.name}/{architecture.name}": [experiment.name, architecture.name, "evaluation"]
        for experiment in experiments
        for architecture in experiment.architectures
    }

    @declared_asset(
        [GROUP, "gallery"],
        group=GROUP,
        stored_as="png",
        inputs={
            "evaluations": evaluations,
            "splits": {experiment.name: [experiment.name, "split"] for experiment in experiments},
            "leaderboards": {experiment.name: [experiment.name, "leaderboard"] for experiment in experiments},
        },
        uses=[part for experiment in experiments for part in experiment.all_declared()],
        kinds={"matplotlib", "png"},
    )
    def gallery(evaluations, splits, leaderboards, run: Run):
        """Experiments down, architectures across: each decision boundary with its test accuracy; PNG and SVG."""
        from classification_assets.learning.figures import boundary_displays

        return shown.figure(
            lambda: boundary_displays.boundary_gallery(evaluations, splits, leaderboards), "gallery"
        )

    return gallery
