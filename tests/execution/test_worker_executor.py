"""Steps in workers: side by side, failing, tried again, skipped, in pools; and what their workers' output becomes."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from tests.execution.runs import Runs, in_an_instance

Kind = dg.DagsterEventType
SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE


@pytest.fixture(scope="module", params=["forked", "spawned, since torch has threads"])
def executed(request, tmp_path_factory) -> Iterator[Runs]:
    """The run of a job whose two steps wait for each other."""
    with in_an_instance(tmp_path_factory.mktemp("run")) as runs:
        runs.execute("side_by_side", "multiprocess", *(["torch"] if "torch" in request.param else []))
        yield runs


def test_steps_are_executed_side_by_side_in_processes_that_last(executed):
    runs = executed
    assert runs.run.status == SUCCESS
    first, left, right, both = map(runs.pid, ("first", "left", "right", "both"))
    assert left != right
    assert {first, both} <= {left, right}
    assert runs.process.pid not in (left, right)


def test_what_steps_print_is_found_by_the_step(executed):
    runs = executed
    last_word = {
        event.logs_captured_data.file_key: event.logs_captured_data
        for event in runs.events(Kind.LOGS_CAPTURED)
    }
    assert len(last_word) == 2
    manager = runs.instance.compute_log_manager
    for step in ("left", "right"):
        (key,) = [key for key, data in last_word.items() if step in data.step_keys]
        data = manager.get_log_data([runs.run.run_id, "compute_logs", key])
        assert f"{step} was here" in data.stdout.decode()
    assert "left was here" in (runs.home / "output").read_text()  # and on the terminal


def test_the_log_names_every_process_that_works_on_the_run(executed):
    runs = executed
    named = {
        event.engine_event_data.metadata["pid"].value
        for event in runs.events(Kind.ENGINE_EVENT)
        if "pid" in event.engine_event_data.metadata
    }
    assert {str(runs.process.pid), str(runs.pid("left")), str(runs.pid("right"))} <= named


def test_a_failing_step_is_recorded_with_its_error_and_others_go_on(runs):
    assert runs.execute("with_a_failing_step").status == FAILURE
    assert "ValueError: a bad thing happened" in runs.failure("failing")
    assert runs.reason == "STEP_FAILURE"
    assert runs.has("independent")
    assert not runs.has("after")


def test_a_step_is_tried_again_as_its_policy_says(runs):
    assert runs.execute("with_a_retry").status == SUCCESS
    assert runs.steps(Kind.STEP_UP_FOR_RETRY) == ["failing_once"]
    (again,) = runs.events(Kind.STEP_UP_FOR_RETRY)
    assert again.step_retry_data.seconds_to_wait == 0.5
    assert runs.has("attempt 1")
    assert runs.has("after")


def test_a_step_without_inputs_is_skipped(runs):
    assert runs.execute("with_a_skipped_step").status == SUCCESS
    assert runs.steps(Kind.STEP_SKIPPED) == ["after"]
    assert runs.has("independent")


def test_a_pools_limit_holds_and_its_slots_are_given_back(runs):
    runs.instance.event_log_storage.set_concurrency_slots("narrow", 1)
    runs.execute("in_a_pool")
    assert runs.steps(Kind.STEP_FAILURE) == ["alone_2"]
    assert "a bad thing happened" in runs.failure("alone_2")
    assert len(runs.steps(Kind.STEP_SUCCESS)) == 2
    assert runs.instance.event_log_storage.get_concurrency_info("narrow").active_slot_count == 0


def test_a_resource_that_cannot_be_opened_fails_the_steps_with_its_error(runs):
    assert runs.execute("with_a_broken_resource").status == FAILURE
    assert "the resource cannot be opened" in runs.failure("using_the_broken")


def test_a_step_with_much_behind_it_comes_first_and_a_declared_priority_before_that(runs):
    runs.execute("of_different_lengths", "multiprocess", "one at a time")
    begun = runs.steps(Kind.STEP_START)
    assert begun[:2] == ["urgent", "begins_a_chain"]
    assert begun.index("short") > begun.index("goes_on")


def test_hooks_are_called(runs):
    assert runs.execute("with_a_hook").status == SUCCESS
    assert runs.has("hooked")
