"""<experiment>/<architecture>/evaluation: probabilities and scores on the rows that were not trained on."""

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.keys import key_of
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.models.architectures import Architecture
from classification_assets.learning.packed.options import Training


def evaluation_asset(
    experiment: NamedExperiment, architecture: Architecture, training: Training
) -> dg.AssetsDefinition:
    """The asset of one architecture's scores."""

    @experiment_asset(
        experiment,
        "evaluation",
        architecture=architecture,
        stored_as="parquet",
        inputs=["model", "split"],
        may_be_older=["model"],
        uses=[experiment.dataset, experiment.split, training, architecture, experiment.checks],
        kinds={"scikitlearn", "parquet"},
        accelerated=True,
        kept=True,
    )
    def evaluation(model, split, run: Run):
        """Scores on the validation and the test fold, each with its interval over rows and spread over members."""
        from classification_assets.learning.evaluation.encoding import reads_rows
        from classification_assets.learning.evaluation.scoring import evaluate
        from classification_assets.learning.figures import displays
        from classification_assets.learning.reports import model_card

        # An older model reads the rows themselves; its own rows are left out, see `evaluate`.
        rows = run.ancestor(key_of(experiment, "dataset")) if reads_rows(model, split) else None
        evaluation = evaluate(model.using(architecture), split, run.device, rows)
        title = experiment.title_of(architecture)
        name = f"{experiment.name}/{architecture.name}"
        run.sidecars[model_card.NAME] = model_card.model_card(model, name, evaluation)
        return evaluation, {
            **shown.scalars(evaluation.reported()),
            **shown.left_out(evaluation.left_out),
            **shown.table(evaluation.short_table(), "scores"),
            **shown.kept(displays.KEPT["evaluation"], run.sidecars, evaluation, title),
            **shown.table(evaluation.class_table(), "scores of each class"),
            **shown.table(evaluation.calibration_table(), "calibration"),
            **shown.table(evaluation.confidence_table(), "accuracy by confidence"),
            **shown.table(evaluation.confidently_wrong(split), "most confidently wrong"),
        }

    return evaluation
