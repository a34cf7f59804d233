"""<experiment>/sweep: many networks, and the hyper-parameters of the best."""

import dagster as dg

from classification_assets.assets import shown
from classification_assets.assets.asset import experiment_asset
from classification_assets.assets.materialization import Run
from classification_assets.experiment import NamedExperiment
from classification_assets.learning.packed.options import Training
from classification_assets.learning.sweeps.tuned import Tuned

NOT_USED = frozenset({"members", "max_epochs", "early_stopping", "patience"})
"""Training options that have no influence on a sweep."""


def sweep_asset(experiment: NamedExperiment, tuned: Tuned, training: Training) -> dg.AssetsDefinition:
    """The asset of an experiment's search for hyper-parameters."""

    @experiment_asset(
        experiment,
        "sweep",
        device=tuned.device,
        stored_as="parquet",
        inputs=["split"],
        overrides={"sweep": tuned.sweep},
        uses=[
            experiment.dataset,
            experiment.split,
            training.model_dump_json(exclude={*NOT_USED}),
            tuned.sweep,
        ],
        kinds={"pytorch", "parquet"},
        accelerated=True,
        pool="training",
    )
    def sweep(sweep, split, run: Run):
        """Networks of many configurations, trained in packs; the validation rows drop and choose, test rows do not."""
        from classification_assets.learning.artifacts.unfinished import unfinished_folder
        from classification_assets.learning.figures.sweep.displays import worth_drawing
        from classification_assets.learning.sweeps.lessons import lessons
        from classification_assets.learning.sweeps.overviews import best_configurations, importance_table
        from classification_assets.learning.sweeps.progress import SweepProgress
        from classification_assets.learning.sweeps.search import search

        metric = sweep.metric or experiment.metric
        progress = SweepProgress(f"{experiment.name} · sweep", metric, run.log)
        try:
            result = search(
                sweep,
                split,
                metric=metric,
                training=training,
                device=run.device,
                on_progress=progress,
                # A killed run's packs are not trained again, where the storage is a local disk.
                folder=unfinished_folder(run.root() / experiment.name / "sweep.parquet"),
                threads=run.threads,
            )
        finally:
            progress.close()
        return result, {
            "result": dg.MetadataValue.text(result.summary.sentence()),
            "what matters": dg.MetadataValue.md("\n".join(f"- {lesson}" for lesson in lessons(result))),
            **shown.scalars(result.summary.scalars()),
            **shown.kept(worth_drawing(result), run.sidecars, result, experiment.name),
            **shown.table(best_configurations(result), "best configurations"),
            **shown.table(importance_table(result), "importance of hyper-parameters"),
            **shown.table(result.winner(), "hyper-parameters of the winner"),
        }

    return sweep
