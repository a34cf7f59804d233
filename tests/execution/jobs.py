"""Jobs that the executor's tests run in a process of its own: ``python jobs.py HOME CHOICE [torch]``."""

import os
import sys
import time
from pathlib import Path

import dagster as dg

from classification_assets.execution.executor import executor

MARKS = Path(os.environ.get("MARKS", "."))
SOON, LONG = 30.0, 120.0
"""Seconds: until something that should happen has happened; and of work that nobody waits for."""


def mark(name: str) -> None:
    """Let the tests, and other steps, see that something has happened, and in which process."""
    unfinished = MARKS / f".{name}"
    unfinished.write_text(str(os.getpid()))
    unfinished.rename(MARKS / name)


def wait_for(name: str) -> None:
    deadline = time.monotonic() + SOON
    while not (MARKS / name).exists():
        assert time.monotonic() < deadline, f"{name} did not happen"
        time.sleep(0.02)


@dg.op
def first() -> int:
    mark("first")
    return 1


@dg.op
def left(number: int) -> int:
    print("left was here")
    mark("left")
    wait_for("right")
    return number + 1


@dg.op
def right(number: int) -> int:
    print("right was here")
    mark("right")
    wait_for("left")
    return number + 2


@dg.op
def both(one: int, other: int) -> None:
    mark("both")
    assert one + other == 5


@dg.job
def side_by_side():
    number = first()
    both(left(number), right(number))


@dg.op
def failing() -> int:
    raise ValueError("a bad thing happened")


@dg.op
def after(number: int) -> None:
    mark("after")


@dg.op
def independent() -> None:
    mark("independent")


@dg.job
def with_a_failing_step():
    after(failing())
    independent()


@dg.op(retry_policy=dg.RetryPolicy(max_retries=2, delay=0.5))
def failing_once(context: dg.OpExecutionContext) -> int:
    mark(f"attempt {context.retry_number}")
    if context.retry_number == 0:
        raise OSError("the storage did not answer")
    return 1


@dg.job
def with_a_retry():
    after(failing_once())


@dg.op
def killed() -> int:
    mark("killed")
    os.kill(os.getpid(), 9)
    return 1


@dg.op
def waits_for_the_killed() -> int:
    wait_for("killed")
    return 1


@dg.op
def needs(number: int) -> None:
    mark("needs")


@dg.job
def with_a_killed_worker():
    after(killed())
    needs(waits_for_the_killed())


@dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
def killed_once(context: dg.OpExecutionContext) -> int:
    mark(f"attempt {context.retry_number}")
    if context.retry_number == 0:
        os.kill(os.getpid(), 9)
    return 1


@dg.job
def with_a_worker_killed_once():
    after(killed_once())


@dg.op
def long() -> int:
    mark("long")
    time.sleep(LONG)
    mark("long is done")
    return 1


@dg.job
def long_work():
    after(long())


@dg.op(pool="narrow")
def alone(context: dg.OpExecutionContext) -> None:
    taken = MARKS / "taken"
    taken.mkdir()  # fails where somebody is there
    time.sleep(0.3)
    taken.rmdir()
    mark(f"done {context.op_handle}")
    if context.op_handle.name == "alone_2":
        raise ValueError("a bad thing happened")


@dg.job
def in_a_pool():
    for _ in range(3):
        alone()


@dg.op(pool="narrow")
def killed_in_a_pool() -> None:
    os.kill(os.getpid(), 9)


@dg.job
def killed_in_pool():
    killed_in_a_pool()


@dg.op(out=dg.Out(is_required=False))
def nothing():
    yield from ()


@dg.job
def with_a_skipped_step():
    after(nothing())
    independent()


@dg.resource
def broken() -> None:
    raise ValueError("the resource cannot be opened")


@dg.op(required_resource_keys={"broken"})
def using_the_broken() -> None: ...


@dg.job(resource_defs={"broken": broken})
def with_a_broken_resource():
    using_the_broken()


@dg.op
def short() -> None: ...


@dg.op
def begins_a_chain() -> int:
    return 1


@dg.op
def goes_on(number: int) -> int:
    return number


@dg.op(tags={"dagster/priority": "3"})
def urgent() -> None: ...


@dg.job
def of_different_lengths():
    short()
    goes_on(goes_on(begins_a_chain()))
    urgent()


@dg.success_hook
def noting(context: dg.HookContext) -> None:
    mark("hooked")


@dg.job(hooks={noting})
def with_a_hook():
    independent()


def made() -> dg.JobDefinition:
    """The job that is executed, with the executor of all of the project's jobs."""
    job = globals()[os.environ["JOB"]]
    return job.graph.to_job(
        job.name, resource_defs=job.resource_defs, hooks=job.hook_defs, executor_def=executor("auto")
    )


if __name__ == "__main__":
    home, choice, *more = sys.argv[1:]
    if "torch" in more:
        import torch  # noqa: F401 (its threads make a fork unsafe)
    workers = {"max_concurrent": 1 if "one at a time" in more else 2}
    with dg.DagsterInstance.local_temp(home) as instance:
        config = {"execution": {"config": {choice: workers if choice == "multiprocess" else {}}}}
        done = dg.execute_job(dg.reconstructable(made), instance, run_config=config)
    sys.exit(0 if done.success else 1)
