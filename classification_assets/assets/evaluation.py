"""<experiment>/<architecture>/evaluation: probabilities and scores on the rows that were not trained on."""

import dagster as dg

from classification_assets import shown
from classification_assets.assets.asset import Run, experiment_asset
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.architectures import Architecture, Training
from classification_assets.learning.checks import of_evaluation


def evaluation_asset(
    experiment: NamedExperiment, architecture: Architecture, training: Training
) -> dg.AssetsDefinition:
    """The asset of one architecture's scores."""

    @experiment_asset(
        experiment,
        "evaluation",
        architecture=architecture,
        stored_as="parquet",
        inputs={"model": [experiment.name, architecture.name, "model"], "split": [experiment.name, "split"]},
        uses=[
            experiment.dataset,
            experiment.split,
            training,
            architecture,
            experiment.view,
            experiment.checks,
        ],
        kinds={"scikitlearn", "parquet"},
        accelerated=True,
        checks=of_evaluation(experiment.checks),
    )
    def evaluation(model, split, run: Run):
        """Scores on the validation and the test fold, each with its interval over rows and spread over members."""
        from classification_assets.learning import model_card, pictures
        from classification_assets.learning.scoring import evaluate

        evaluation = evaluate(model.using(architecture), split, run.device, experiment.view)
        title = f"{experiment.name} · {architecture.name}"
        name = f"{experiment.name}/{architecture.name}"
        run.beside[model_card.NAME] = model_card.model_card(model, name, evaluation)
        return evaluation, {
            **shown.kept(
                {
                    "confusion matrix": lambda: pictures.confusion_matrix(evaluation, title),
                    "reliability": lambda: pictures.calibration(evaluation, title),
                    "ROC and precision-recall": lambda: pictures.ranking(evaluation, title),
                },
                run.beside,
            ),
            **shown.scalars(evaluation.reported()),
            **shown.table(evaluation.overall_table(), "scores"),
            **shown.table(evaluation.class_table(), "scores of each class"),
            **shown.table(evaluation.calibration_table(), "calibration"),
            **shown.table(evaluation.confidence_table(), "accuracy by confidence"),
            **shown.table(evaluation.confidently_wrong(split), "most confidently wrong"),
        }

    return evaluation
