"""comparison/leaderboard and comparison/gallery: all experiments against all architectures."""

from collections.abc import Sequence

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import declared_asset
from classification_assets.assets.keys import COMPARISON, Key, of_all_architectures, of_experiments
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment


def comparison_leaderboard_asset(experiments: Sequence[NamedExperiment]) -> dg.AssetsDefinition:
    """The asset of all leaderboards in one table."""

    @declared_asset(
        [COMPARISON, "leaderboard"],
        group=COMPARISON,
        stored_as="parquet",
        inputs={"leaderboards": of_experiments(experiments, "leaderboard")},
        uses=[part for experiment in experiments for part in experiment.all_declared()],
        kinds={"pandas", "parquet"},
        svg=any(experiment.figures.svg for experiment in experiments),
        kept=True,
    )
    def leaderboard(leaderboards, run: Run):
        """Every experiment's leaderboard, one below the other, and architectures by their average rank."""
        from classification_assets.learning.evaluation.comparison import comparison
        from classification_assets.learning.evaluation.leaderboard import summary
        from classification_assets.learning.figures import displays

        compared = comparison(leaderboards)

        # Experiments may have no architecture in common.
        draws = {"critical difference": displays.average_ranks} if len(compared.ranks) else {}
        return compared, {
            **shown.kept(draws, run.sidecars, compared, ALL),
            **shown.table(summary(compared.board), "leaderboard"),
            **shown.table(compared.ranks.round(2), "average ranks"),
        }

    return leaderboard


ALL = "All experiments"

GALLERY_BYTES = 150_000
"""The preview of the one picture that holds all others."""


def gallery_inputs(experiments: Sequence[NamedExperiment]) -> dict[str, dict[str, Key]]:
    """The keys of what the gallery is drawn from."""
    return {
        "evaluations": of_all_architectures(experiments, "evaluation"),
        "surfaces": of_all_architectures(experiments, "surface"),
        "splits": of_experiments(experiments, "split"),
        "leaderboards": of_experiments(experiments, "leaderboard"),
    }


def gallery_asset(experiments: Sequence[NamedExperiment]) -> dg.AssetsDefinition:
    """The asset of one picture of all decision boundaries."""

    @declared_asset(
        [COMPARISON, "gallery"],
        group=COMPARISON,
        stored_as="png",
        inputs=gallery_inputs(experiments),
        uses=[part for experiment in experiments for part in (*experiment.all_declared(), experiment.view)],
        kinds={"matplotlib", "png"},
        svg=any(experiment.figures.svg for experiment in experiments),
        kept=True,
    )
    def gallery(evaluations, surfaces, splits, leaderboards, run: Run):
        """Experiments down, architectures across: each decision boundary with its test accuracy."""
        from classification_assets.learning.figures import boundary_displays

        return shown.figure(
            lambda: boundary_displays.boundary_gallery(evaluations, surfaces, splits, leaderboards),
            "gallery",
            GALLERY_BYTES,
        )

    return gallery
