"""<experiment>/<architecture>/boundary: where the architecture decides what."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.models.architectures import Architecture
from classification_assets.learning.packed.options import Training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INPUTS = ("evaluation", "surface", "split")


def draw_boundary(
    experiment: NamedExperiment, architecture: Architecture, *, evaluation, surface, split
) -> Figure:
    """Class probabilities over the plane, the decision line, and the rows it gets wrong."""
    from classification_assets.learning.figures import boundary_displays

    return boundary_displays.decision_boundary(evaluation, surface, split, experiment.title_of(architecture))


def boundary_asset(
    experiment: NamedExperiment, architecture: Architecture, training: Training
) -> dg.AssetsDefinition:
    """The asset of one architecture's decision-boundary figure."""

    @experiment_asset(
        experiment,
        "boundary",
        architecture=architecture,
        stored_as="png",
        inputs=INPUTS,
        uses=[experiment.dataset, experiment.split, training, architecture, experiment.view],
        kinds={"matplotlib", "png"},
        kept=True,
    )
    def boundary(evaluation, surface, split, run: Run):
        """Class probabilities over the plane, the decision line, and the rows it gets wrong."""
        draw = partial(
            draw_boundary, experiment, architecture, evaluation=evaluation, surface=surface, split=split
        )
        return shown.figure(draw, "decision boundary")

    return boundary
