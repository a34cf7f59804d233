"""<experiment>/dataset: the rows, as drawn or read."""

from typing import Any

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.keys import key_of
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment


def dataset_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset of an experiment's rows."""
    step = "__".join(key_of(experiment, "dataset"))

    def configuration(settings: dict[str, Any]) -> dict[str, Any]:
        """The launchpad's text, JSON being YAML."""
        return {"ops": {step: {"config": settings}}}

    @experiment_asset(
        experiment,
        "dataset",
        stored_as="parquet",
        follows=[key_of(experiment, "table")] if experiment.table_paths else [],
        overrides={"dataset": experiment.dataset, "gates": experiment.gates},
        uses=[experiment.dataset],
        kinds={"scikitlearn", "parquet"},
    )
    def dataset(dataset, gates, run: Run):
        """The rows and their labels; of generated data, the declaration tells the truth behind them."""
        from classification_assets.learning.figures import displays
        from classification_assets.learning.preparation.gates import Delivery
        from classification_assets.learning.preparation.profile import Profile
        from classification_assets.learning.preparation.requirements import refuse_few, refuse_unfit
        from classification_assets.learning.tables.table import Table

        refuse_few(dataset, experiment.split)
        table = Table.of(dataset, run.overridden)
        refuse_unfit(table, experiment.split)
        profile = Profile.of(table)
        shows = {
            **shown.kept(displays.KEPT["dataset"], run.sidecars, table, experiment.name),
            **shown.table(table.class_counts(), "classes"),
            **shown.table(profile.described(), "columns"),
            **shown.scalars({"dagster/row_count": profile.n_rows} | profile.scalars()),
        }
        return table, shows, Delivery(profile, run.before(), gates, configuration)

    return dataset
