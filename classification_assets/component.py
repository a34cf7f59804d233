"""ClassificationExperiment: the Dagster component that turns a declared experiment into assets and a job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import dagster as dg
from dagster.components import Scaffolder, ScaffoldRequest

from classification_assets.assets.boundary import boundary_asset
from classification_assets.assets.champion import champion_asset
from classification_assets.assets.dataset import dataset_asset
from classification_assets.assets.drift import drift_asset
from classification_assets.assets.effect import effect_asset
from classification_assets.assets.evaluation import evaluation_asset
from classification_assets.assets.evolution import evolution_asset
from classification_assets.assets.leaderboard import leaderboard_asset
from classification_assets.assets.model import model_asset
from classification_assets.assets.predictions import predictions_asset
from classification_assets.assets.report import report_asset
from classification_assets.assets.split import split_asset
from classification_assets.assets.surface import surface_asset
from classification_assets.assets.sweep import sweep_asset
from classification_assets.assets.table import source_assets
from classification_assets.automation.runs import EXPERIMENT, job_of
from classification_assets.automation.schedules import schedule_of
from classification_assets.automation.sensors import sensor_of
from classification_assets.experiment import Experiment, NamedExperiment
from classification_assets.learning.tables.datasets import TableFile, TableFunction

EXAMPLE = """\
type: classification_assets.ClassificationExperiment
attributes:
  dataset:
    kind: moons            # blobs, moons, circles or spirals
    n_samples: 1500
    noise: 0.25
    seed: 0
  split: {validation: 0.2, test: 0.25, seed: 0}
  training:
    members: 8             # networks trained in one pass: every score gets an uncertainty
    max_epochs: 200
    batch_size: 64
    learning_rate: 0.01
  view: {plane: auto}      # what boundary figures show: auto, pca, matrix, or two features: [x1, x2]
  architectures:
    - linear               # shipped: linear, shallow_relu, deep_relu, deep_tanh, regularized
    - deep_relu
    - name: wide_gelu      # declared here
      hidden: [128, 128]
      activation: gelu     # relu, leaky_relu, gelu, silu or tanh
      dropout: 0.1
      normalization: none  # none, batch or layer
  # sweep:                 # hyper-parameters are searched; the best are one more architecture, tuned
  #   networks: 64         # the budget; beside it `seconds: 60`
  #   space:
  #     depth: [1, 2, 3]
  #     width: [8, 16, 32]
  #     learning_rate: {low: 0.001, high: 0.1, log: true}
"""


class ExperimentScaffolder(Scaffolder):
    """Writes a complete example, ready to be changed."""

    def scaffold(self, request: ScaffoldRequest) -> None:
        request.target_path.mkdir(parents=True, exist_ok=True)
        (request.target_path / "defs.yaml").write_text(EXAMPLE)


@dg.scaffold_with(ExperimentScaffolder)
@dataclass
class ClassificationExperiment(dg.Component):
    """One data set and the architectures tried on it; the folder's name is the experiment's."""

    experiment: NamedExperiment
    source: Path

    @classmethod
    def get_model_cls(cls) -> type[Experiment]:
        return Experiment

    @classmethod
    def load(cls, attributes: Any, context: dg.ComponentLoadContext) -> ClassificationExperiment:
        source = context.path / "defs.yaml"
        if attributes is None:
            raise ValueError(f"{source}: attributes are missing; an experiment needs at least a dataset")
        try:
            return cls(attributes.named(context.path.name), source)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from error

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        _refuse_namesakes(declared_experiments(context))
        return experiment_definitions(self.experiment)


def experiment_definitions(experiment: NamedExperiment) -> dg.Definitions:
    """An experiment's assets; if it retrains itself, also the job that materializes them and what requests it.

    Other experiments have no job: each is as much work to load as all its assets, and the UI and the command line
    materialize assets without one.
    """
    schedule, sensor = schedule_of(experiment), sensor_of(experiment)
    job = dg.define_asset_job(
        job_of(experiment),
        selection=dg.AssetSelection.groups(experiment.name),
        tags={EXPERIMENT: experiment.name},
        description=f"Everything of the experiment {experiment.name}, from fresh rows to its leaderboard.",
    )
    return dg.Definitions(
        assets=list(_assets(experiment)),
        jobs=[job] if schedule or sensor else [],
        schedules=[schedule] if schedule else [],
        sensors=[sensor] if sensor else [],
    )


def made_keys(experiment: NamedExperiment) -> list[dg.AssetKey]:
    """The keys of all that is made for an experiment; its files are not."""
    made = [asset for asset in _assets(experiment) if isinstance(asset, dg.AssetsDefinition)]
    return [key for asset in made for key in asset.keys]


def declared_experiments(context: dg.ComponentLoadContext) -> list[ClassificationExperiment]:
    """All experiments of the code location, by name."""
    return _by_name(context.component_tree)


def project_experiments() -> list[NamedExperiment]:
    """All experiments of this project, by name, without a code location."""
    tree = dg.ComponentTree.for_project(Path(__file__).parent)
    return [component.experiment for component in _by_name(tree)]


def _by_name(tree: dg.ComponentTree) -> list[ClassificationExperiment]:
    found = tree.get_all_components(of_type=ClassificationExperiment)
    return sorted(found, key=lambda component: component.experiment.name)


def _assets(experiment: NamedExperiment) -> Iterator[dg.AssetsDefinition | dg.SourceAsset]:
    yield from source_assets(experiment)
    yield dataset_asset(experiment)
    if isinstance(experiment.dataset, TableFile | TableFunction):
        yield drift_asset(experiment)
    yield split_asset(experiment)
    if experiment.tuned is not None:
        yield sweep_asset(experiment, experiment.tuned, experiment.tuned.trained_with(experiment.training))
    for architecture, training in experiment.trainings():
        yield model_asset(experiment, architecture, training)
        yield evaluation_asset(experiment, architecture, training)
        yield surface_asset(experiment, architecture, training)
        yield boundary_asset(experiment, architecture, training)
        if architecture.keeps_snapshots:
            yield evolution_asset(experiment, architecture, training)
    yield leaderboard_asset(experiment)
    yield champion_asset(experiment)
    if experiment.has_effect:
        yield effect_asset(experiment)
    if experiment.predict is not None:
        yield predictions_asset(experiment, experiment.predict)
    yield report_asset(experiment)


def _refuse_namesakes(components: list[ClassificationExperiment]) -> None:
    for first, second in pairwise(components):
        if first.experiment.name == second.experiment.name:
            raise ValueError(
                f"two experiments are named {first.experiment.name!r}: {first.source} and {second.source}; "
                "rename one folder (one experiment a file)"
            )
