"""<experiment>/leaderboard: the experiment's architectures, ordered by the validation fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_scores(experiment: NamedExperiment, *, leaderboard, evaluations) -> Figure:
    """Each architecture's test scores with their intervals."""
    from classification_assets.learning.figures import displays

    return displays.score_intervals(leaderboard, evaluations, experiment.name)


def leaderboard_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of an experiment's leaderboard."""

    @experiment_asset(
        experiment,
        "leaderboard",
        stored_as="parquet",
        inputs=["evaluations"],
        uses=experiment.all_declared(),
        kinds={"pandas", "parquet"},
        kept=True,
    )
    def leaderboard(evaluations, run: Run):
        """Architectures by their score on the validation fold; the test fold says which differences are real."""
        from classification_assets.learning.evaluation.leaderboard import leaderboard as ranked
        from classification_assets.learning.evaluation.leaderboard import pairs, summary

        ordered = ranked(evaluations, experiment.metric)
        board = ordered.board

        def scores() -> Figure:
            return draw_scores(experiment, leaderboard=ordered, evaluations=evaluations)

        return ordered, {
            **shown.kept({"scores": scores}, run.sidecars),
            **shown.table(summary(board), "leaderboard"),
            "result": dg.MetadataValue.text(ordered.sentence()),
            "winner": dg.MetadataValue.text(ordered.winner),
            "model": dg.MetadataValue.asset(dg.AssetKey([experiment.name, ordered.winner, "model"])),
            **shown.scalars(
                {name: float(board[name].iloc[0]) for name in ("accuracy", "macro_f1", "log_loss")}
            ),
            **shown.table(pairs(ordered.differences), "differences"),
        }

    return leaderboard
