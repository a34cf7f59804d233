"""<experiment>/<architecture>/model: an ensemble of networks, trained in one pass."""

from dataclasses import replace

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.keys import key_of
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.models.architectures import Architecture
from classification_assets.learning.packed.options import Training
from classification_assets.learning.sweeps.tuned import Tuned


def model_asset(
    experiment: NamedExperiment, architecture: Architecture, training: Training
) -> dg.AssetsDefinition:
    """The asset of one architecture's trained networks."""

    @experiment_asset(
        experiment,
        "model",
        architecture=architecture,
        stored_as="safetensors",
        inputs=["split", "sweep"] if isinstance(architecture, Tuned) else ["split"],
        overrides={"training": training, "architecture": architecture},
        uses=[experiment.dataset, experiment.split, training, architecture],
        kinds={"pytorch"},
        accelerated=True,
        pool="training",
    )
    def model(training, architecture, split, run: Run, sweep=None):
        """Networks of one architecture that differ by their seeds, stopped and calibrated by the validation fold."""
        from classification_assets.learning.artifacts.snapshots_file import NAME, SnapshotsBeside
        from classification_assets.learning.evaluation.snapshot_losses import snapshot_losses
        from classification_assets.learning.figures import displays
        from classification_assets.learning.models.fit import timed_fit
        from classification_assets.learning.reports import model_card

        title = experiment.title_of(architecture)
        if sweep is not None:
            architecture, training = architecture.found(sweep, training)
        try:
            fitted, seconds, done = timed_fit(
                architecture, split, training, run.device, title, run.log, run.threads
            )
        except FloatingPointError as error:
            if len(experiment.tried) == 1:
                raise
            left_out = (
                "its sweep out" if sweep else f"{architecture.name} out of {experiment.name}'s architectures"
            )
            # Dagster runs no step whose upstream failed, and a model that is none must not be taken for one.
            raise FloatingPointError(
                f"{error}, or leave {left_out}: its leaderboard and report and the comparison are made of all "
                "architectures or not at all"
            ) from error
        found_by, note = "", ""
        if sweep is not None:
            tried = sweep.summary
            found_by = f"; found by a sweep of {tried.n_networks:,} networks in {tried.seconds:.1f} s"
            note = tried.caution()
        fitted = fitted.noting(run.overridden, note)
        if fitted.checkpoints:
            run.sidecars[NAME] = SnapshotsBeside(fitted.checkpoints, snapshot_losses(fitted, split))
            fitted = replace(fitted, checkpoints=run.sidecars[NAME])
        key, before = key_of(experiment, "model", architecture), run.before()
        # Of the same networks the evaluation's card stays, which tells their scores, too.
        if before is None or not fitted.predicts_as(before) or not run.sidecar_of(key, model_card.NAME):
            run.sidecars[model_card.NAME] = model_card.model_card(
                fitted, f"{experiment.name}/{architecture.name}"
            )
        return fitted, {
            **shown.kept(displays.KEPT["model"], run.sidecars, fitted, title),
            "result": dg.MetadataValue.text(f"{done}{found_by}"),
            **shown.scalars(fitted.summary() | {"train_seconds": seconds}),
            **shown.table(fitted.hyperparameters(), "hyper-parameters"),
        }

    return model
