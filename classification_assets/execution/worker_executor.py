"""Executor whose processes last as long as the run: what each begins anew is begun once a process, not once a step."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from classification_assets.execution.dagster_internals import (
    ActiveExecution,
    EngineEventData,
    InstanceConcurrencyContext,
    RetryMode,
    SerializableErrorInfo,
)
from classification_assets.execution.worker_process import RunToExecute, ends_step
from classification_assets.execution.workers import ENDED, Worker, Workers

if TYPE_CHECKING:
    from classification_assets.execution.dagster_internals import (
        ExecutionPlan,
        ExecutionStep,
        PlanOrchestrationContext,
    )

_TICK = 0.05
"""Seconds until signals, retries and pools are looked at again."""

_PRIORITY = "dagster/priority"


class WorkerExecutor(dg.Executor):
    """Executes steps that do not need one another side by side, in up to `most` worker processes.

    What is executed when, retries, pools and skipped steps are Dagster's own business, as in its multiprocess
    executor; where that starts a process for each step, a worker goes on to the next one. A worker that is lost is
    replaced, and its step has failed.
    """

    def __init__(self, most: int) -> None:
        self.most = most

    @property
    def retries(self) -> RetryMode:
        return RetryMode.ENABLED

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """The run's own events and those that end a step; all others are in the log, where workers write them.

        Raises
        ------
        dagster.DagsterExecutionInterruptedError
            If the run was interrupted, once no worker is left.
        dagster.DagsterSubprocessError
            If a worker was lost, or failed outside of a step, once all other steps are done.
        """
        yield dg.DagsterEvent.engine_event(
            plan_context,
            f"Executing steps in up to {self.most} worker processes; the run's own: pid {os.getpid()}",
            EngineEventData.multiprocess(os.getpid(), execution_plan.step_keys_to_execute),
        )
        with (
            InstanceConcurrencyContext(plan_context.instance, plan_context.dagster_run) as pools,
            ActiveExecution(
                execution_plan,
                self.retries,
                longest_first(execution_plan),
                self.most,
                instance_concurrency_context=pools,
            ) as active,
            Workers(RunToExecute.of(plan_context, execution_plan)) as workers,
        ):
            yield from _Execution(self, plan_context, active, workers).events()


class _Execution:
    """One run under way."""

    def __init__(
        self,
        executor: WorkerExecutor,
        context: PlanOrchestrationContext,
        active: ActiveExecution,
        workers: Workers,
    ) -> None:
        self.executor, self.context, self.active, self.workers = executor, context, active, workers
        self.errors: dict[int, SerializableErrorInfo] = {}

    def events(self) -> Iterator[dg.DagsterEvent]:
        interrupted = False
        while not self.active.is_complete and not interrupted:
            yield from self._begun()
            for worker, message in self.workers.messages(_TICK):
                yield from self._handled(worker, message)
            # Of steps that cannot be executed any more.
            yield from self.active.plan_events_iterator(self.context)
            # Also after the last step: Ctrl-C reaches a worker as well, whose step may have been the last.
            interrupted = self.active.check_for_interrupts()
        if interrupted:
            yield from self._interrupted()
            raise dg.DagsterExecutionInterruptedError()
        for worker, message in self.workers.last_messages():
            yield from self._handled(worker, message)
        if self.errors:
            told = "\n".join(f"In process {pid}: {error.to_string()}" for pid, error in self.errors.items())
            raise dg.DagsterSubprocessError(
                f"Workers were lost or failed:\n{told}", subprocess_error_infos=list(self.errors.values())
            )

    def _begun(self) -> Iterator[dg.DagsterEvent]:
        free = self.executor.most - len(self.workers.busy)
        for step in self.active.get_steps_to_execute(free):
            worker, new = self.workers.idle()
            worker.execute(step, self.active.get_known_state())
            if new:
                pid = worker.process.pid or 0
                yield dg.DagsterEvent.engine_event(
                    self.context, f"Started a worker process: pid {pid}", EngineEventData.multiprocess(pid)
                )
        yield from self.active.concurrency_event_iterator(self.context)

    def _interrupted(self) -> Iterator[dg.DagsterEvent]:
        steps = [worker.step.key for worker in self.workers.busy if worker.step]
        yield dg.DagsterEvent.engine_event(
            self.context,
            "Received a signal to end: steps in progress are interrupted",
            EngineEventData.interrupted(steps),
        )
        self.active.mark_interrupted()
        self.workers.stop()
        while self.workers.busy:
            for worker, message in self.workers.messages(_TICK):
                yield from self._handled(worker, message)

    def _handled(self, worker: Worker, message: Any) -> Iterator[dg.DagsterEvent]:
        if isinstance(message, SerializableErrorInfo):
            worker.error = message
        elif message == ENDED:
            yield from self._replaced(worker)
        elif message is None and worker.step is not None:
            self.active.verify_complete(self.context, worker.step.key)
            worker.step = None
        elif isinstance(message, dg.DagsterEvent):
            self.active.handle_event(message)
            worker.decided |= ends_step(message)
            yield message

    def _replaced(self, worker: Worker) -> Iterator[dg.DagsterEvent]:
        """Events of a worker's step whose process has ended."""
        pid, step = worker.process.pid or 0, worker.step
        if step is None or worker.decided:
            self.errors |= {pid: worker.error} if worker.error is not None else {}
            return
        sentence = f"The worker process {pid}, which executed {step.key}, {worker.end}."
        error = worker.error or SerializableErrorInfo(sentence, [], None)
        context = self.context.for_step(step)
        yield dg.DagsterEvent.engine_event(context, sentence, EngineEventData.engine_error(error))
        known_state = self.active.get_known_state()
        event = self.executor.log_failure_or_retry_event_after_error(context, error, known_state)
        self.active.handle_event(event)
        if event.is_step_failure:
            self.errors[pid] = error
        yield event


def longest_first(plan: ExecutionPlan) -> Callable[[ExecutionStep], float]:
    """Sorts steps by their declared priority, then by how many steps wait for them in a row: models before figures."""
    needs = plan.get_executable_step_deps()
    length: dict[str, int] = dict.fromkeys(needs, 0)
    for step in reversed(plan.get_steps_to_execute_in_topo_order()):
        for upstream in needs[step.key]:
            if upstream in length:
                length[upstream] = max(length[upstream], length[step.key] + 1)

    def rank(step: ExecutionStep) -> float:
        return -int(step.tags.get(_PRIORITY, 0)) * (len(length) + 1) - length.get(step.key, 0)

    return rank
