"""<experiment>/table and <experiment>/rows: the files that an experiment reads, whose content Dagster observes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import dagster as dg

from classification_assets.assets.keys import key_of
from classification_assets.experiment import NamedExperiment


def source_assets(experiment: NamedExperiment) -> Iterator[dg.SourceAsset]:
    """The files of an experiment as assets that others make; none where its rows come from no file."""
    if table := experiment.table_paths:
        yield _observed(experiment, "table", table, "The file whose rows are learned from.")
    if experiment.predict is not None:
        yield _observed(experiment, "rows", (experiment.predict.path,), "The rows that are predicted.")


def _observed(experiment: NamedExperiment, kind: str, paths: tuple[str, ...], words: str) -> dg.SourceAsset:
    def observed() -> dg.DataVersion:
        from classification_assets.learning.tables.reading.fingerprint import fingerprint

        return dg.DataVersion(fingerprint(*paths))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # which everyone would read at every start
        return dg.observable_source_asset(
            key=dg.AssetKey(key_of(experiment, kind)),
            group_name=experiment.name,
            description=f"{words} Observing it compares its content with what was read: {', '.join(paths)}",
            metadata={"path": dg.MetadataValue.path(paths[0])},
        )(observed)
