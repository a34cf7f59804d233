"""<experiment>/dataset: the rows, as drawn or read."""

import dagster as dg

from classification_assets import shown
from classification_assets.assets.asset import Run, experiment_asset
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.data_checks import of_dataset


def dataset_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of an experiment's rows."""

    @experiment_asset(
        experiment,
        "dataset",
        stored_as="parquet",
        overrides={"dataset": experiment.dataset},
        uses=[experiment.dataset],
        kinds={"scikitlearn", "parquet"},
        checks=of_dataset(),
    )
    def dataset(dataset, run: Run):
        """The rows and their labels; of generated data, the declaration tells the truth behind them."""
        from classification_assets.learning import pictures
        from classification_assets.learning.fitness import refuse_few, refuse_unfit
        from classification_assets.learning.table import Table

        refuse_few(dataset, experiment.split)
        table = Table.of(dataset, run.overridden)
        refuse_unfit(table, experiment.split)
        profile = table.profile
        return table, {
            **shown.kept({"rows": lambda: pictures.rows(table, experiment.name)}, run.beside),
            **shown.table(table.class_counts(), "classes"),
            **shown.table(profile.described(), "columns"),
            **shown.scalars({"dagster/row_count": profile.n_rows} | profile.scalars()),
        }

    return dataset
