"""<experiment>/<architecture>/evolution: how the decision boundary formed during training."""

import dagster as dg

from classification_assets import shown
from classification_assets.assets.asset import Run, experiment_asset
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.architectures import Architecture, Training


def evolution_asset(
    experiment: NamedExperiment, architecture: Architecture, training: Training
) -> dg.AssetsDefinition:
    """The asset of one architecture's moments of training: a strip, and beside it an animation."""

    @experiment_asset(
        experiment,
        "evolution",
        architecture=architecture,
        stored_as="png",
        inputs={
            "model": [experiment.name, architecture.name, "model"],
            "split": [experiment.name, "split"],
        },
        uses=[experiment.dataset, experiment.split, training, architecture, experiment.view],
        kinds={"matplotlib", "png"},
    )
    def evolution(model, split, run: Run):
        """The boundary at some moments of the training, as a strip (PNG, SVG) and as an animation (GIF)."""
        from classification_assets.learning import pictures

        title, view = f"{experiment.name} · {architecture.name}", experiment.view
        moments = pictures.moments_of(model.using(architecture), split, view)

        def strip():
            return pictures.boundary_evolution(moments, split, title, view)

        def moving(*, inline: bool):
            return pictures.boundary_animation(moments, split, title, view, inline=inline)

        if len(moments) < 2:
            return shown.figure(strip, "end of the training")

        def drawn():
            run.beside["evolution.gif"] = moving(inline=False)
            return strip(), moving(inline=True)

        return shown.animation(drawn, "animation of the training")

    return evolution
