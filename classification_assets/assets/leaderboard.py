"""<experiment>/leaderboard: the experiment's architectures, ordered by the validation fold."""

import dagster as dg

from classification_assets import shown
from classification_assets.assets.asset import Run, experiment_asset
from classification_assets.experiment import NamedExperiment


def leaderboard_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of an experiment's leaderboard."""
    evaluations = {
        architecture.name: [experiment.name, architecture.name, "evaluation"]
        for architecture in experiment.architectures
    }

    @experiment_asset(
        experiment,
        "leaderboard",
        stored_as="parquet",
        inputs={"evaluations": evaluations},
        uses=experiment.all_declared(),
        kinds={"pandas", "parquet"},
    )
    def leaderboard(evaluations, run: Run):
        """Architectures by their log loss on the validation fold; the scores beside it are the test fold's."""
        from classification_assets.learning.comparison import leaderboard as ranked
        from classification_assets.learning.comparison import summary

        board = ranked(evaluations)
        return board, {
            **shown.table(summary(board), "leaderboard"),
            **shown.scalars(
                {name: float(board[name].iloc[0]) for name in ("accuracy", "macro_f1", "log_loss")}
            ),
            "winner": dg.MetadataValue.text(str(board["architecture"].iloc[0])),
        }

    return leaderboard
