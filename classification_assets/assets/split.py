"""<experiment>/split: which row is for what, and what preprocessing learned from the training fold."""

import dagster as dg

from classification_assets import shown
from classification_assets.assets.asset import Run, experiment_asset
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.checks import of_split, predictable


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
        checks=[*of_split(), *([predictable(experiment.predict)] if experiment.predict else [])],
    )
    def split(folds, dataset, run: Run):
        """Train, validation and test, the same share of each class; standardization from the training fold alone."""
        from classification_assets.learning import pictures
        from classification_assets.learning.split import Split

        split = Split.of(dataset, folds)
        # A mistake that would be found only after training.
        experiment.view.check(split.preprocessing.names)
        return split, {
            **shown.kept({"folds": lambda: pictures.folds(split, experiment.name)}, run.beside),
            **shown.table(split.class_counts(), "rows of each class"),
            **shown.table(split.columns(), "columns"),
        }

    return split
