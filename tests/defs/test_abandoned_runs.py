"""Runs whose process was killed are ended; those that are worked on, or run elsewhere, are left alone."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from classification_assets.assets.run_process import (
    TAG,
    Host,
    RunProcess,
    is_gone_since,
    note_process,
    noted_processes,
)
from classification_assets.defs.abandoned_runs import abandoned_runs, end_abandoned_runs

ROOT = Path(__file__).resolve().parents[2]

JOB = """
import os, sys, time
from pathlib import Path
import dagster as dg
from classification_assets.assets.run_process import note_process

@dg.op
def work(context):
    if sys.argv[2] == "noted":
        note_process(context.instance, context.run_id)
    Path(sys.argv[1], "working").write_text(str(os.getpid()))
    time.sleep(float(os.environ.get("SECONDS_OF_WORK", "120")))

@dg.job(executor_def=dg.multi_or_in_process_executor)
def tiny():
    work()

def made():
    return tiny

if __name__ == "__main__":
    with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
        config = {"execution": {"config": {sys.argv[3]: {}}}}
        dg.execute_job(dg.reconstructable(made), instance, run_config=config)
"""


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def start(tmp_path, instance):
    """Starts a run in a process of its own and waits until its step works: the process, and the step's."""
    started = []

    def started_run(noted="noted", executor="in_process"):
        script = tmp_path / "tiny_job.py"
        script.write_text(JOB)
        process = subprocess.Popen(
            [sys.executable, str(script), str(tmp_path), noted, executor],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process.pid)
        wait_until((tmp_path / "working").exists)
        wait_until((tmp_path / "working").read_text)
        step = int((tmp_path / "working").read_text())
        started.append(step)
        return process, step

    yield started_run
    for pid in started:
        kill(pid)


def kill(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 9)


def wait_until(happened, seconds=60):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def the_run(instance):
    (run,) = instance.get_runs()
    return run


@pytest.mark.parametrize("noted", ["noted", "not_noted"])
def test_a_run_whose_process_was_killed_is_marked_as_failed(instance, start, noted):
    process, _ = start(noted)
    assert end_abandoned_runs(instance, grace=0) == []
    process.kill()
    process.wait()
    (sentence,) = end_abandoned_runs(instance, grace=0)
    assert str(process.pid) in sentence
    assert the_run(instance).status == dg.DagsterRunStatus.FAILURE
    assert end_abandoned_runs(instance, grace=0) == []


def test_a_zombie_works_on_nothing(instance, start):
    process, _ = start()
    process.kill()  # and nobody waits for it
    wait_until(lambda: end_abandoned_runs(instance))
    assert the_run(instance).status == dg.DagsterRunStatus.FAILURE


def test_a_run_that_never_noted_itself_has_some_time_to_do_so(instance, start):
    process, _ = start("not_noted")
    process.kill()
    process.wait()
    assert end_abandoned_runs(instance, grace=600) == []


@pytest.mark.parametrize("noted", ["noted", "not_noted"])
def test_a_step_that_survived_its_run_is_waited_for(instance, start, noted):
    process, step = start(noted, "multiprocess")
    assert step != process.pid
    process.kill()
    process.wait()
    assert end_abandoned_runs(instance, grace=0) == []
    kill(step)
    wait_until(lambda: end_abandoned_runs(instance, grace=0))
    assert the_run(instance).status == dg.DagsterRunStatus.FAILURE


def test_a_run_that_waits_between_two_steps_has_a_process(instance, start):
    """The process that noted itself was that of the first step; the run's own goes on."""
    _, step = start("noted", "multiprocess")
    kill(step)
    assert end_abandoned_runs(instance, grace=0) == []


def open_run(instance, process=None, status=dg.DagsterRunStatus.STARTED):
    @dg.job
    def tiny():
        pass

    tags = {} if process is None else {TAG: process.to_tag()}
    run = instance.create_run_for_job(tiny, tags=tags)
    instance.handle_run_event(
        run.run_id,
        dg.DagsterEvent(dg.DagsterEventType.PIPELINE_START.value, "tiny"),
    )
    if status == dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceling(run)
    return run.run_id


def gone():
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return replace(RunProcess.this(), pid=done.pid)


@pytest.mark.parametrize(
    "host",
    [
        {"name": "another"},
        {"machine": "another"},  # of the same name
        {"namespace": "pid:[1]"},  # another container of the same name
    ],
)
def test_a_run_of_another_host_is_left_alone(instance, host):
    open_run(instance, replace(gone(), host=replace(Host.this(), **host)))
    assert end_abandoned_runs(instance, grace=0) == []


def test_a_process_that_has_got_the_id_later_is_not_taken_for_the_runs(instance):
    run = open_run(instance, replace(RunProcess.this(), started="earlier"))
    assert len(end_abandoned_runs(instance)) == 1
    assert instance.get_run_by_id(run).status == dg.DagsterRunStatus.FAILURE


def test_a_run_that_was_being_canceled_is_canceled(instance):
    run = open_run(instance, gone(), dg.DagsterRunStatus.CANCELING)
    assert len(end_abandoned_runs(instance)) == 1
    assert instance.get_run_by_id(run).status == dg.DagsterRunStatus.CANCELED


def test_a_run_of_which_no_process_is_known_is_left_alone(instance):
    open_run(instance)
    assert end_abandoned_runs(instance, grace=0) == []


def test_a_tag_that_cannot_be_read_may_be_of_any_host(instance):
    run = open_run(instance)
    instance.add_run_tags(run, {TAG: "42"})
    assert end_abandoned_runs(instance, grace=0) == []


def test_a_process_is_noted_once(instance):
    run = open_run(instance)
    note_process(instance, run)
    note_process(instance, run)
    assert noted_processes(instance.get_run_by_id(run)) == [RunProcess.this()]


def test_a_second_host_is_noted_beside_the_first(instance):
    first = replace(gone(), host=replace(Host.this(), name="another"))
    run = open_run(instance, first)
    note_process(instance, run)
    assert noted_processes(instance.get_run_by_id(run)) == [first, RunProcess.this()]


def test_nothing_is_noted_in_an_instance_that_ends_with_its_process():
    with dg.DagsterInstance.ephemeral() as instance:
        run = open_run(instance)
        note_process(instance, run)
        assert noted_processes(instance.get_run_by_id(run)) == []


def test_a_process_that_started_after_it_was_logged_is_another_one():
    assert not is_gone_since(os.getpid(), time.time())
    assert is_gone_since(os.getpid(), time.time() - 365 * 86400)


def test_the_sensor_runs_from_the_beginning_and_tells_what_it_ended(instance):
    sensor = abandoned_runs.load_fn().resolve_sensor_def("abandoned_runs")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    run = open_run(instance, gone())
    data = sensor.evaluate_tick(dg.build_sensor_context(instance=instance))
    assert run in data.skip_message
