"""Runs in this process, and the message of one that failed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from classification_assets.component import experiment_definitions
from classification_assets.experiment import NamedExperiment
from classification_assets.resources.artifact_store import ArtifactStore
from classification_assets.resources.torch_device import TorchDevice

COMMAND = re.compile(r"dagster asset materialize -m classification_assets\.definitions --select (\S+)")


def materialize_into(
    root: Path | str,
    experiment: NamedExperiment,
    extra: Sequence[dg.AssetsDefinition] = (),
    selection: str = "*",
    **options: Any,
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [*(experiment_definitions(experiment).assets or ()), *extra],
        selection=dg.AssetSelection.from_string(selection),
        resources={"device": TorchDevice(), "artifacts": ArtifactStore(folder=str(root))},
        raise_on_error=False,
        **options,
    )


def failure(result: dg.ExecuteInProcessResult) -> str:
    """All messages of the steps that failed, causes included."""
    told: list[str] = []
    for event in result.all_events:
        if event.event_type_value in ("STEP_FAILURE", "STEP_UP_FOR_RETRY"):
            error = getattr(event.event_specific_data, "error", None)
            while error is not None:
                told.append(error.message)
                error = error.cause
    return "\n".join(told)


def advised(message: str) -> list[str]:
    """The selections of the commands that a message names."""
    return [found.strip("'.,;)") for found in COMMAND.findall(message)]
