"""The code location: what `defs/` declares, the resources and the executor, put together."""

import os
from pathlib import Path

import dagster as dg

from classification_assets.device import TorchDevice
from classification_assets.store import ArtifactStore

EXECUTOR = "CLASSIFICATION_ASSETS_EXECUTOR"


@dg.definitions
def defs() -> dg.Definitions:
    """Everything that Dagster shows."""
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(
            resources={"device": TorchDevice(device="auto"), "artifacts": ArtifactStore(folder="")},
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
        raise ValueError(f"{EXECUTOR} must be in_process or multiprocess, however: {choice!r}")
    preloaded = ["classification_assets.learning.classifier", "classification_assets.learning.pictures"]
    multiprocess = {"start_method": {"forkserver": {"preload_modules": preloaded}}}
    return dg.multi_or_in_process_executor.configured(
        {"multiprocess": multiprocess} if choice == "multiprocess" else {"in_process": {}}
    )
