"""The code location: what `defs/` declares, the resources and the executor, put together."""

import gc
import os
from functools import cache
from pathlib import Path

import dagster as dg

from classification_assets.execution.executor import ENVIRONMENT, executor
from classification_assets.resources.artifact_store import ArtifactStore
from classification_assets.resources.torch_device import TorchDevice

# Imports and definitions are a million objects that stay: to look through them for cycles after each 700 new ones, as
# Python does, takes a fifth of every start.
gc.set_threshold(20_000)


@dg.definitions
def defs() -> dg.Definitions:
    """Everything that Dagster shows."""
    return everything()


@cache
def everything() -> dg.Definitions:
    """The declarations of `defs/`, with resources and executor; one command asks six times, so they are made once."""
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(
            resources={
                "device": TorchDevice(device="auto", threads=0),
                "artifacts": ArtifactStore(folder=""),
            },
            executor=executor(os.environ.get(ENVIRONMENT, "auto")),
        ),
    )
