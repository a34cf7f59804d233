"""Process of a worker: it opens the instance, the job and its resources once, then executes step after step."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from classification_assets.execution.dagster_internals import (
    EngineEventData,
    ExecuteRunWithPlanIterable,
    PlanExecutionContextManager,
    RetryMode,
    capture_interrupts,
    create_compute_log_file_key,
    create_execution_plan,
    dagster_event_sequence_for_step,
    hook_events,
    serializable_error_info_from_exc_info,
)
from classification_assets.execution.open_index import open_index

if TYPE_CHECKING:
    from classification_assets.execution.dagster_internals import (
        ExecutionPlan,
        ExecutionStep,
        KnownExecutionState,
        PlanExecutionContext,
        PlanOrchestrationContext,
    )

ENOUGH = "no step is left"
"""The order after which a worker ends of its own accord."""


@dataclass(frozen=True)
class RunToExecute:
    """All that a new process needs to execute steps of a run."""

    job: Any
    run: dg.DagsterRun
    instance: Any
    step_keys: tuple[str, ...]
    known_state: KnownExecutionState
    repository_load_data: Any

    @classmethod
    def of(cls, context: PlanOrchestrationContext, plan: ExecutionPlan) -> RunToExecute:
        return cls(
            context.reconstructable_job,
            context.dagster_run,
            context.instance.get_ref(),
            tuple(plan.step_keys_to_execute),
            plan.known_state,
            plan.repository_load_data,
        )

    def events(self, instance: dg.DagsterInstance, steps: Callable[..., Iterator[Any]]) -> Iterator[Any]:
        """The events of `steps(job_context, execution_plan)`, and of the resources that all of them share."""
        plan = create_execution_plan(
            self.job,
            self.run.run_config,
            list(self.step_keys),
            self.known_state,
            repository_load_data=self.repository_load_data,
        )
        manager = PlanExecutionContextManager(
            self.job,
            plan,
            self.run.run_config,
            self.run,
            instance,
            # Tried again is a step where the run's process says so.
            RetryMode.DEFERRED,
        )
        return iter(ExecuteRunWithPlanIterable(plan, steps, manager))


def work(connection: Connection, task: RunToExecute, inherited: Sequence[Connection]) -> None:
    """Execute the steps that come through a connection, as pairs of key and known state, until `ENOUGH` comes.

    Sends back the events that decide how the run goes on (all are in the log already, and a materialization with its
    tables takes long to unpack); None after a step; the error if something else than a step has failed, and then ends.
    Where the other end is closed, as when the run's process was killed, or anything else comes, a step in progress is
    interrupted.
    """
    # A forked process would keep open what the run's process closes by ending.
    for other in inherited:
        other.close()
    # There are as many workers as cores: more threads would wait for one another. A person may say otherwise.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    orders: SimpleQueue[Any] = SimpleQueue()
    Thread(target=_listen, args=(connection, orders), name="orders", daemon=True).start()
    with capture_interrupts(), suppress(BrokenPipeError):
        try:
            with dg.DagsterInstance.from_ref(task.instance) as instance, open_index(instance):
                for event in task.events(instance, _Steps(connection, orders)):
                    if decides(event):
                        connection.send(event)
                    if event.is_resource_init_failure:
                        connection.send(event.engine_event_data.error)
        except (Exception, KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
            connection.send(serializable_error_info_from_exc_info(sys.exc_info()))


def ends_step(event: dg.DagsterEvent) -> bool:
    """Whether a step has succeeded, failed, or is to be tried again."""
    return event.is_step_success or event.is_step_failure or event.is_step_up_for_retry


def decides(event: dg.DagsterEvent) -> bool:
    """Whether Dagster's state of a run depends on an event of a step."""
    return ends_step(event) or event.is_successful_output


def _listen(connection: Connection, orders: SimpleQueue[Any]) -> None:
    with suppress(EOFError, OSError):
        while isinstance(order := connection.recv(), tuple):
            orders.put(order)
        if order == ENOUGH:
            orders.put(None)
            return
    orders.put(None)
    # As Ctrl-C would: Dagster raises it within the step.
    os.kill(os.getpid(), signal.SIGINT)


@dataclass(frozen=True)
class _Steps:
    """The steps that are ordered, as Dagster's frame for the execution of a plan calls them."""

    connection: Connection
    orders: SimpleQueue[Any]

    def __call__(
        self, job_context: PlanExecutionContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        executed: list[str] = []
        with ExitStack() as stack:
            printed = _Printed(job_context, stack)
            while (order := self.orders.get()) is not None:
                key, known_state = order
                executed.append(key)
                if len(executed) == 1:
                    yield from printed.captured(executed)
                step = cast("ExecutionStep", execution_plan.get_step_by_key(key))
                context = job_context.for_step(step, known_state)
                events = []
                for event in dagster_event_sequence_for_step(context):
                    events.append(event)
                    yield event
                yield from hook_events(context, events)
                self.connection.send(None)
            yield from printed.told(executed)


class _Printed:
    """The file into which goes what a worker's steps print: one, since another for each step takes two processes."""

    def __init__(self, job_context: PlanExecutionContext, stack: ExitStack) -> None:
        self.job_context, self.stack = job_context, stack
        self.manager = job_context.instance.compute_log_manager
        self.key = self.manager.build_log_key_for_run(job_context.run_id, create_compute_log_file_key())
        self.capture: Any = None

    def captured(self, steps: list[str]) -> Iterator[dg.DagsterEvent]:
        """Begin; where it cannot be, as on a full disk, that is told and steps are executed all the same."""
        try:
            self.capture = self.stack.enter_context(self.manager.capture_logs(self.key))
        except Exception:
            yield self._failed("What steps print is not captured")
        yield from self.told(steps)

    def told(self, steps: list[str]) -> Iterator[dg.DagsterEvent]:
        """Note whose output is in the file: the UI believes the last word, which is a worker's at its end."""
        if self.capture is not None:
            yield dg.DagsterEvent.capture_logs(self.job_context, steps, self.key, self.capture)

    def _failed(self, sentence: str) -> dg.DagsterEvent:
        error = serializable_error_info_from_exc_info(sys.exc_info())
        return dg.DagsterEvent.engine_event(self.job_context, sentence, EngineEventData(error=error))
