"""Where the steps of a run are executed: one after another in the run's process, or in processes of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

ENVIRONMENT = "CLASSIFICATION_ASSETS_EXECUTOR"
CHOICES = ("auto", "in_process", "multiprocess")

MANY, CORES = 12, 4
"""Steps and cores from which on a run is worth a process that has imported everything, from which others are forked.

On two cores what each process begins anew takes what the second core gives.
"""

PRELOADED = ["classification_assets.preloaded", "dagster._core.storage.sqlite_storage"]
"""Before a step's process is forked. The second is Dagster's own: where it has moved, steps import it themselves."""

_RETRIES: Mapping[str, Any] = {"retries": {"enabled": {}}}


def executor(choice: str) -> dg.ExecutorDefinition:
    """The executor of all jobs; `choice` is what a run does whose configuration says nothing of it.

    ``in_process``: importing torch in every step would take longer than training a small model. ``multiprocess``:
    steps that do not need one another run side by side. ``auto``: the second where a run has many steps and the
    machine four cores or more and no GPU, on which each process would have to start anew.

    A run's configuration can choose another one: ``{"execution": {"config": {"multiprocess": {}}}}``.

    Raises
    ------
    ValueError
        If the choice is none of these.
    """
    if choice not in CHOICES:
        raise ValueError(f"{ENVIRONMENT} must be auto, in_process or multiprocess, got {choice!r}")
    limit = dg.Field(int, default_value=0, description="Steps at one time; 0: as many as there are cores.")
    schema = dg.Field(
        dg.Selector({"auto": {}, "in_process": {}, "multiprocess": {"max_concurrent": limit}}),
        default_value={choice: {}},
    )

    @dg.executor(name="in_process_or_forked", config_schema=schema)
    def in_process_or_forked(context: dg.InitExecutorContext) -> dg.Executor:
        ((kind, options),) = context.executor_config.items()
        if kind == "auto":
            kind, options = ("multiprocess" if _is_worth_processes(context) else "in_process"), {}
        chosen = dg.multi_or_in_process_executor
        config = {kind: _forked(options) if kind == "multiprocess" else _RETRIES}
        return chosen.executor_creation_fn(context._replace(executor_def=chosen, executor_config=config))  # type: ignore[misc]

    return in_process_or_forked


def _forked(options: Any) -> Mapping[str, Any]:
    # A step's process is forked from one that has imported what steps need.
    forked = {"start_method": {"forkserver": {"preload_modules": PRELOADED}}}
    return {**_RETRIES, **forked, "max_concurrent": options.get("max_concurrent") or usable_cores()}


def _is_worth_processes(context: dg.InitExecutorContext) -> bool:
    return (
        len(context.job.get_definition().nodes) >= MANY
        and usable_cores() >= CORES
        and not context.instance.is_ephemeral
        and not _may_have_gpu()
    )


def usable_cores() -> int:
    """Cores that this process may use, which in a container can be fewer than there are."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _may_have_gpu() -> bool:
    """Whether auto may find a GPU, told without importing torch: Apple's, or NVIDIA's by its driver's file."""
    return sys.platform == "darwin" or Path("/dev/nvidiactl").exists()
