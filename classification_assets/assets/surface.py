"""<experiment>/<architecture>/surface: what the architecture's networks say over the planes that figures show."""

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.models.architectures import Architecture
from classification_assets.learning.packed.options import Training


def surface_asset(
    experiment: NamedExperiment, architecture: Architecture, training: Training
) -> dg.AssetsDefinition:
    """The asset of one architecture's probabilities over the planes of the experiment's view."""

    @experiment_asset(
        experiment,
        "surface",
        architecture=architecture,
        stored_as="parquet",
        inputs=["model", "split"],
        may_be_older=["model"],
        uses=[experiment.dataset, experiment.split, training, architecture, experiment.view],
        kinds={"pytorch", "parquet"},
        accelerated=True,
        kept=True,
    )
    def surface(model, split, run: Run):
        """Probabilities and the networks' disagreement on a grid over each plane, for the boundary figures."""
        from classification_assets.learning.evaluation.surface import surfaces

        found = surfaces(model.using(architecture), split, experiment.view, run.device)
        return found, shown.scalars({"planes": len(found.probabilities)})

    return surface
