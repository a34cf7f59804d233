"""The code location: what `defs/` declares, the resources and the executor, put together."""

import gc
import os
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from classification_assets.resources.artifact_store import ArtifactStore
from classification_assets.resources.torch_device import TorchDevice

EXECUTOR = "CLASSIFICATION_ASSETS_EXECUTOR"
PRELOADED = ["classification_assets.preloaded", "dagster._core.storage.sqlite_storage"]
"""Before a step's process is forked. The second is Dagster's own: where it has moved, steps import it themselves."""

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
            executor=executor(os.environ.get(EXECUTOR, "in_process")),
        ),
    )


def executor(choice: str) -> dg.ExecutorDefinition:
    """In process, since importing torch in every step takes longer than training; or a process a step.

    A run's configuration can choose the other one: ``{"execution": {"config": {"multiprocess": {}}}}``.

    Raises
    ------
    ValueError
        If the choice is neither.
    """
    if choice not in ("in_process", "multiprocess"):
        raise ValueError(f"{EXECUTOR} must be in_process or multiprocess, got {choice!r}")
    limit = dg.Field(int, default_value=0, description="Steps at one time; 0: as many as there are cores.")
    schema = dg.Field(
        dg.Selector({"in_process": {}, "multiprocess": {"max_concurrent": limit}}), default_value={choice: {}}
    )

    @dg.configured(dg.multi_or_in_process_executor, schema)
    def in_process_or_forked(config: dict[str, Any]) -> dict[str, Any]:
        # A step's process is forked from one that has imported what steps need.
        forked = {"start_method": {"forkserver": {"preload_modules": PRELOADED}}}
        return {kind: options | forked if kind == "multiprocess" else {} for kind, options in config.items()}

    return in_process_or_forked
