"""<experiment>/dataset: the rows, as drawn or read."""

import dagster as dg

from classification_assets import shown
from classification_assets.assets.asset import Run, experiment_asset
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.datasets import GeneratedDataset


def dataset_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of an experiment's rows."""

    @experiment_asset(
        experiment,
        "dataset",
        stored_as="parquet",
        overrides={"dataset": experiment.dataset},
        uses=[experiment.dataset],
        kinds={"scikitlearn", "parquet"},
    )
    def dataset(dataset, run: Run):
        """The rows and their labels; of generated data, the declaration tells the truth behind them."""
        from classification_assets.learning import pictures
        from classification_assets.learning.table import Table

        if isinstance(dataset, GeneratedDataset):
            experiment.split.sizes(dataset.n_samples, dataset.n_classes)
        table = Table.of(dataset, run.overridden)
        return table, {
            **shown.kept({"rows": lambda: pictures.rows(table, experiment.name)}, run.beside),
            **shown.table(table.class_counts(), "classes"),
            **shown.scalars({"dagster/row_count": table.rows.n_rows}),
        }

    return dataset
