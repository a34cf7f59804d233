"""A code location of one experiment that declares a schedule, for the daemon's scheduler to load."""

import os

import dagster as dg

from classification_assets.component import experiment_definitions
from classification_assets.experiment import Experiment
from classification_assets.resources.artifact_store import ArtifactStore
from classification_assets.resources.torch_device import TorchDevice

experiment = Experiment.model_validate(
    {
        "dataset": {"kind": "moons", "n_samples": 160, "noise": 0.2},
        "architectures": ["linear"],
        "retrain": {"schedule": os.environ["SCHEDULE"], "timezone": "Europe/Berlin"},
    }
).named("small")


@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions.merge(
        experiment_definitions(experiment),
        dg.Definitions(resources={"device": TorchDevice(), "artifacts": ArtifactStore()}),
    )
