"""<experiment>/<architecture>/evolution: how the decision boundary formed during training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.keys import as_text, key_of
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.artifacts.files import ArtifactError
from classification_assets.learning.artifacts.origin import making
from classification_assets.learning.models.architectures import Architecture
from classification_assets.learning.packed.options import Training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from classification_assets.learning.figures.boundary_displays import Snapshot

INPUTS = ("model", "split")


def draw_evolution(experiment: NamedExperiment, architecture: Architecture, *, model, split) -> Figure:
    """The boundary at some snapshots of the training, as a strip."""
    return _strip(experiment, architecture, _snapshots(experiment, architecture, model, split), split)


def evolution_asset(
    experiment: NamedExperiment, architecture: Architecture, training: Training
) -> dg.AssetsDefinition:
    """The asset of one architecture's snapshots of training: a strip, and beside it an animation."""

    @experiment_asset(
        experiment,
        "evolution",
        architecture=architecture,
        stored_as="png",
        inputs=INPUTS,
        uses=[experiment.dataset, experiment.split, training, architecture, experiment.view],
        kinds={"matplotlib", "png"},
        kept=True,
    )
    def evolution(model, split, run: Run):
        """The boundary at some snapshots of the training, as a strip (PNG) and as an animation (GIF)."""
        from classification_assets.learning.figures import boundary_displays

        title = experiment.title_of(architecture)
        snapshots = _snapshots(experiment, architecture, model, split)

        def strip():
            return _strip(experiment, architecture, snapshots, split)

        def moving(*, inline: bool):
            return boundary_displays.boundary_animation(
                snapshots, split, title, experiment.view, inline=inline
            )

        if len(snapshots) < 2:
            return shown.figure(strip, "end of the training")

        def drawn():
            run.sidecars["evolution.gif"] = moving(inline=False)
            return strip(), moving(inline=True)

        return shown.animation(drawn, "animation of the training")

    return evolution


def _snapshots(experiment: NamedExperiment, architecture: Architecture, model, split) -> list[Snapshot]:
    from classification_assets.learning.figures import boundary_displays

    try:
        return boundary_displays.snapshots_of(model.using(architecture), split, experiment.view)
    except ArtifactError as error:  # they lie in a file beside the model, which only this asset opens
        made = as_text(key_of(experiment, "model", architecture))
        raise ArtifactError(f"{error}. Materialize {made} again: {making(made)}") from error


def _strip(
    experiment: NamedExperiment, architecture: Architecture, snapshots: Sequence[Snapshot], split
) -> Figure:
    from classification_assets.learning.figures import boundary_displays

    title = experiment.title_of(architecture)
    return boundary_displays.boundary_evolution(snapshots, split, title, experiment.view)
