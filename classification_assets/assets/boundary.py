"""<experiment>/<architecture>/boundary: where the architecture decides what."""

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.models.architectures import Architecture
from classification_assets.learning.packed.options import Training


def boundary_asset(
    experiment: NamedExperiment, architecture: Architecture, training: Training
) -> dg.AssetsDefinition:
    """The asset of one architecture's decision-boundary figure."""

    @experiment_asset(
        experiment,
        "boundary",
        architecture=architecture,
        stored_as="png",
        inputs=["evaluation", "surface", "split"],
        uses=[experiment.dataset, experiment.split, training, architecture, experiment.view],
        kinds={"matplotlib", "png"},
        kept=True,
    )
    def boundary(evaluation, surface, split, run: Run):
        """Class probabilities over the plane, the decision line, and the rows it gets wrong."""
        from classification_assets.learning.figures import boundary_displays

        title = f"{experiment.name} · {architecture.name}"
        return shown.figure(
            lambda: boundary_displays.decision_boundary(evaluation, surface, split, title),
            "decision boundary",
        )

    return boundary
