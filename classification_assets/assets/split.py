"""<experiment>/split: which row is for what, and what preprocessing learned from the training fold."""

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment


def split_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of an experiment's folds."""

    @experiment_asset(
        experiment,
        "split",
        stored_as="parquet",
        inputs=["dataset"],
        overrides={"folds": experiment.split},
        uses=[experiment.dataset, experiment.split],
        kinds={"scikitlearn", "parquet"},
    )
    def split(folds, dataset, run: Run):
        """Train, validation and test, the same share of each class; standardization from the training fold alone."""
        from classification_assets.learning.figures import displays
        from classification_assets.learning.preparation.split import Split

        split = Split.of(dataset, folds, run.fold_memory())
        # A mistake that would be found only after training.
        experiment.view.check(split.preprocessing.names)
        return split, {
            **shown.kept(displays.KEPT["split"], run.sidecars, split, experiment.name),
            **shown.table(split.class_counts(), "rows of each class"),
            **shown.table(split.columns(), "columns"),
        }

    return split
