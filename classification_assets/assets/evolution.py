"""<experiment>/<architecture>/evolution: how the decision boundary formed during training."""

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


def evolution_asset(
    experiment: NamedExperiment, architecture: Architecture, training: Training
) -> dg.AssetsDefinition:
    """The asset of one architecture's snapshots of training: a strip, and beside it an animation."""

    @experiment_asset(
        experiment,
        "evolution",
        architecture=architecture,
        stored_as="png",
        inputs=["model", "split"],
        uses=[experiment.dataset, experiment.split, training, architecture, experiment.view],
        kinds={"matplotlib", "png"},
        kept=True,
    )
    def evolution(model, split, run: Run):
        """The boundary at some snapshots of the training, as a strip (PNG) and as an animation (GIF)."""
        from classification_assets.learning.figures import boundary_displays

        title, view = f"{experiment.name} · {architecture.name}", experiment.view
        try:
            snapshots = boundary_displays.snapshots_of(model.using(architecture), split, view)
        except ArtifactError as error:  # they lie in a file beside the model, which only this asset opens
            made = as_text(key_of(experiment, "model", architecture))
            raise ArtifactError(f"{error}. Materialize {made} again: {making(made)}") from error

        def strip():
            return boundary_displays.boundary_evolution(snapshots, split, title, view)

        def moving(*, inline: bool):
            return boundary_displays.boundary_animation(snapshots, split, title, view, inline=inline)

        if len(snapshots) < 2:
            return shown.figure(strip, "end of the training")

        def drawn():
            run.sidecars["evolution.gif"] = moving(inline=False)
            return strip(), moving(inline=True)

        return shown.animation(drawn, "animation of the training")

    return evolution
