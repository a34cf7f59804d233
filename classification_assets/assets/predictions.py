"""<experiment>/predictions: what the architecture that leads says of rows without labels."""

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.keys import key_of
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.tables.datasets import UnlabelledFile


def predictions_asset(experiment: NamedExperiment, unlabelled: UnlabelledFile) -> dg.AssetsDefinition:
    """The asset of an experiment's predictions."""
    architectures = {architecture.name: architecture for architecture in experiment.architectures}

    @experiment_asset(
        experiment,
        "predictions",
        stored_as="parquet",
        inputs=["leaderboard", "models"],
        may_be_older=["models"],
        uses=[*experiment.all_declared(), unlabelled],
        kinds={"pytorch", "parquet"},
        accelerated=True,
    )
    def predictions(leaderboard, models, run: Run):
        """Label, probabilities and uncertainty of each row, by the architecture that the validation fold puts first."""
        from classification_assets.learning.models.predictions import predict_file

        first = str(leaderboard.board["architecture"].iloc[0])
        predicted = predict_file(models[first].using(architectures[first]), unlabelled, run.device)
        return predicted, {
            **shown.table(predicted.counts(), "predicted classes"),
            **shown.table(predicted.some(20), "some of the rows"),
            **shown.scalars(
                {"dagster/row_count": predicted.rows.n_rows, "disagreement": predicted.about["disagreement"]}
            ),
            "architecture": dg.MetadataValue.text(first),
            "model": dg.MetadataValue.asset(dg.AssetKey(key_of(experiment, "model", architectures[first]))),
            "rows without labels": dg.MetadataValue.path(unlabelled.path),
        }

    return predictions
