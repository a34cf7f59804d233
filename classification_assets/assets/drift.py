"""<experiment>/drift: whether new rows are as those on which the champion was promoted."""

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment

ALARM = "drift_alarm"
"""The metadata entry that says whether there is drift, which a sensor looks for."""


def drift_asset(experiment: NamedExperiment) -> dg.AssetsDefinition:
    """The asset that compares a data set with the champion's."""

    @experiment_asset(
        experiment,
        "drift",
        stored_as="parquet",
        inputs=["dataset"],
        overrides={"rule": experiment.drift},
        uses=[experiment.dataset, experiment.drift],
        kinds={"scikitlearn", "parquet"},
        accelerated=True,
    )
    def drift(rule, dataset, run: Run):
        """Rows that are new since the champion was promoted, against its own: every column, all together, its score."""
        from classification_assets.learning.registry.monitoring import table_drift

        found = table_drift(
            run.root(), experiment.name, dataset, rule, run.device, experiment.with_network_class
        )
        return found, shows(found, experiment.name, run)

    return drift


def shows(found, title, run, picture="drift"):
    """Metadata of a comparison for the UI: a figure under a name of its own, the result in words, and a table."""
    from classification_assets.learning.figures import displays

    drawn = shown.kept({picture: displays.drift}, run.sidecars, found, title) if len(found.tests) else {}
    return {
        **drawn,
        "drift in words": dg.MetadataValue.text(found.sentence()),
        ALARM: dg.MetadataValue.bool(found.alarm),
        **shown.table(found.table(), "what was compared"),
        **shown.scalars(found.scalars()),
    }
