"""Where the steps of a run are executed: one after another in the run's process, or side by side in workers."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from classification_assets.execution.worker_executor import WorkerExecutor

ENVIRONMENT = "CLASSIFICATION_ASSETS_EXECUTOR"
CHOICES = ("auto", "in_process", "multiprocess")

MANY, CORES = 30, 2
"""Steps and cores from which on a run is worth processes, each of which imports what it needs."""

_RETRIES: Mapping[str, Any] = {"retries": {"enabled": {}}}


def executor(choice: str) -> dg.ExecutorDefinition:
    """The executor of all jobs; `choice` is what a run does whose configuration says nothing of it.

    ``in_process``: one step after another in the run's process. ``multiprocess``: steps that do not need one another
    side by side in processes that last as long as the run. ``auto``: the second where a run has many steps and the
    machine two cores or more and no GPU, on which each process would have to start anew.

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

    def requirements(config: Any) -> Sequence[Any]:
        return dg.multiple_process_executor_requirements() if "multiprocess" in config else []

    @dg.executor(name="in_process_or_workers", config_schema=schema, requirements=requirements)
    def in_process_or_workers(context: dg.InitExecutorContext) -> dg.Executor:
        chosen: Mapping[str, Any] = context.executor_config
        ((kind, options),) = chosen.items()
        if kind == "auto":
            kind = "multiprocess" if _is_worth_processes(context) else "in_process"
        if kind == "multiprocess":
            return WorkerExecutor(options.get("max_concurrent") or usable_cores())
        one = dg.in_process_executor
        return one.executor_creation_fn(context._replace(executor_def=one, executor_config=_RETRIES))  # type: ignore[misc]

    return in_process_or_workers


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
