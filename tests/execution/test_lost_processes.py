"""Workers and runs that are killed or interrupted: what the run says, what goes on, and that no process is left."""

from __future__ import annotations

import os
import signal

import dagster as dg
import psutil
import pytest

Kind = dg.DagsterEventType
SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE


def test_the_step_of_a_killed_worker_fails_and_another_worker_executes_the_others(runs):
    assert runs.execute("with_a_killed_worker").status == FAILURE
    pid = runs.pid("killed")
    assert f"{pid}, which executed killed, was killed by signal 9 (SIGKILL)" in runs.failure("killed")
    assert not runs.has("after")
    assert runs.has("needs")
    # So that Dagster's run retries make up for it; what a step itself has failed at, it would fail at again.
    assert runs.reason == "RUN_EXCEPTION"


def test_a_step_whose_worker_was_killed_is_tried_again_by_another_as_its_policy_says(runs):
    assert runs.execute("with_a_worker_killed_once").status == SUCCESS
    assert runs.pid("attempt 0") != runs.pid("attempt 1")
    assert runs.has("after")


def test_a_killed_workers_slot_in_a_pool_is_given_back(runs):
    runs.instance.event_log_storage.set_concurrency_slots("narrow", 1)
    assert runs.execute("killed_in_pool").status == FAILURE
    assert runs.instance.event_log_storage.get_concurrency_info("narrow").active_slot_count == 0


def to_the_run(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)


def ctrl_c(pid: int) -> None:
    os.killpg(pid, signal.SIGINT)


@pytest.mark.parametrize("interrupt", [to_the_run, ctrl_c])
def test_an_interrupted_run_ends_with_its_workers(runs, interrupt):
    runs.start("long_work")
    runs.pid("long")
    interrupt(runs.process.pid)
    assert runs.ended(20) != 0
    assert runs.run.status == FAILURE
    assert runs.reason == "UNEXPECTED_TERMINATION"
    assert "DagsterExecutionInterruptedError" in runs.failure("long")
    assert not runs.has("long is done")
    assert not runs.has("after")


def test_a_run_that_is_canceled_is_marked_so(runs):
    runs.start("long_work")
    runs.pid("long")
    runs.instance.report_run_canceling(runs.run)
    runs.process.send_signal(signal.SIGINT)
    runs.ended(20)
    assert runs.run.status == dg.DagsterRunStatus.CANCELED


def test_a_run_that_waits_for_a_pool_can_be_interrupted(runs):
    runs.instance.event_log_storage.set_concurrency_slots("narrow", 0)
    runs.start("in_a_pool")
    runs.wait_until(lambda: runs.instance.get_runs() and runs.steps(Kind.ENGINE_EVENT))
    runs.process.send_signal(signal.SIGINT)
    runs.ended(20)
    assert runs.run.status == FAILURE
    assert runs.steps(Kind.STEP_START) == []
    assert runs.instance.event_log_storage.get_concurrency_info("narrow").pending_step_count == 0


def test_a_worker_does_not_outlive_the_runs_process(runs):
    runs.start("long_work")
    worker = psutil.Process(runs.pid("long"))
    runs.process.kill()
    runs.process.wait()
    worker.wait(20)
    assert "DagsterExecutionInterruptedError" in runs.failure("long")
    assert not runs.has("long is done")


def test_a_worker_that_alone_is_interrupted_fails_its_step(runs):
    runs.start("long_work")
    os.kill(runs.pid("long"), signal.SIGTERM)
    runs.ended(20)
    assert runs.run.status == FAILURE
    assert "DagsterExecutionInterruptedError" in runs.failure("long")
    assert not runs.has("after")
