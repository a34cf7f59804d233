"""<experiment>/predictions: what the champion says of rows without labels."""

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.drift import shows
from classification_assets.assets.keys import as_text, key_of
from classification_assets.assets.materialization import Run
from classification_assets.assets.step import NothingToMakeError
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.tables.datasets import UnlabelledFile


def predictions_asset(experiment: NamedExperiment, unlabelled: UnlabelledFile) -> dg.AssetsDefinition:
    """The asset of an experiment's predictions."""
    champion = key_of(experiment, "champion")

    @experiment_asset(
        experiment,
        "predictions",
        stored_as="parquet",
        follows=[champion, key_of(experiment, "rows")],
        uses=[*experiment.all_declared(), unlabelled],
        kinds={"pytorch", "parquet"},
        accelerated=True,
        may_be_left_out=True,
    )
    def predictions(run: Run):
        """Label, probabilities and uncertainty of each row, by the champion."""
        from classification_assets.learning.models.predictions import predict_file
        from classification_assets.learning.registry.monitoring import rows_drift
        from classification_assets.learning.registry.registry import NoChampionError, Registry
        from classification_assets.learning.registry.serving import serving

        try:
            served = serving(run.root(), experiment.name)
        except NoChampionError as error:
            if Registry(
                run.root(), experiment.name
            ).entries():  # all challengers were refused, as a rule demands
                raise NothingToMakeError(str(error)) from error
            raise
        version, model = served.version, experiment.with_network_class(served.model)
        predicted = predict_file(model, unlabelled, run.device).by_version(version.name)
        assert predicted.read is not None  # what was just predicted was just read
        drift = rows_drift(run.root(), served, predicted.read, experiment.drift, run.device)
        run.made_of[as_text(champion)] = version.model_version
        return (
            predicted,
            {
                **shown.table(predicted.counts(), "predicted classes"),
                **shown.table(predicted.some(20), "some of the rows"),
                **shown.scalars(
                    {
                        "dagster/row_count": predicted.rows.n_rows,
                        "disagreement": predicted.about["disagreement"],
                        "version": version.number,
                    }
                ),
                "made by": dg.MetadataValue.text(f"{version.name}, {version.architecture}"),
                "champion": dg.MetadataValue.asset(dg.AssetKey(champion)),
                "rows without labels": dg.MetadataValue.path(unlabelled.path),
                **shows(
                    drift, f"{experiment.name} · rows without labels", run, "drift of the rows to predict"
                ),
            },
            (predicted, drift),
        )

    return predictions
