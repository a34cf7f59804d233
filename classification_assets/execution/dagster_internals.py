"""Parts of Dagster's own executors that it does not offer publicly: all that this room takes from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

# What an event of an executor tells: which process, which error.
from dagster._core.events import EngineEventData

# A plan as Dagster makes it for a run, and the frame in which its in-process executor executes one: resources are
# opened and closed, signals arrive between two events.
from dagster._core.execution.api import ExecuteRunWithPlanIterable, create_execution_plan

# The name of a file for what a process writes, which does not disturb the random numbers of steps.
from dagster._core.execution.compute_logs import create_compute_log_file_key
from dagster._core.execution.context_creation_job import PlanExecutionContextManager

# The state of a run: which steps are ready, in flight, failed, to be tried again, skipped, in need of a pool's slot.
from dagster._core.execution.plan.active import ActiveExecution

# One step in this process, its errors told as events; and its hooks, which Dagster calls nowhere else.
from dagster._core.execution.plan.execute_plan import _trigger_hook as hook_events
from dagster._core.execution.plan.execute_plan import dagster_event_sequence_for_step
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

# Whether the executor of the run or the process of a step tries a failed step again.
from dagster._core.execution.retries import RetryMode

# The event log of an instance without a database: a file for each run, and one over all of them.
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage

# An error that has lost its process.
from dagster._utils.error import SerializableErrorInfo, serializable_error_info_from_exc_info

# A signal is not raised at any line, but where it may be.
from dagster._utils.interrupts import capture_interrupts

if TYPE_CHECKING:
    # Types of what Dagster gives and takes.
    from dagster._core.execution.context.system import PlanExecutionContext, PlanOrchestrationContext
    from dagster._core.execution.plan.plan import ExecutionPlan
    from dagster._core.execution.plan.state import KnownExecutionState
    from dagster._core.execution.plan.step import ExecutionStep

__all__ = [
    "INDEX_SHARD_NAME",
    "ActiveExecution",
    "EngineEventData",
    "ExecuteRunWithPlanIterable",
    "ExecutionPlan",
    "ExecutionStep",
    "InstanceConcurrencyContext",
    "KnownExecutionState",
    "PlanExecutionContext",
    "PlanExecutionContextManager",
    "PlanOrchestrationContext",
    "RetryMode",
    "SerializableErrorInfo",
    "SqliteEventLogStorage",
    "capture_interrupts",
    "create_compute_log_file_key",
    "create_execution_plan",
    "dagster_event_sequence_for_step",
    "hook_events",
    "serializable_error_info_from_exc_info",
]
