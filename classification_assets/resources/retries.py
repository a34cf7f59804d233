"""Retries with growing waits for what can pass, such as a busy disk or memory that another process has; none else."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from classification_assets.learning.artifacts.attempts import PERMANENT

ATTEMPTS = 3
"""Retries of a step, after the first attempt."""

FIRST_WAIT = 10.0
"""Seconds before the first retry; before each other one three times as many."""


def can_pass(error: BaseException) -> bool:
    """Whether the same work may succeed a little later: an error of input and output, or of memory."""
    if (
        isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    ):  # PyTorch's is no MemoryError
        return True
    return isinstance(error, OSError) and not isinstance(error, PERMANENT) and error.errno != errno.EROFS


@contextmanager
def retrying(attempts_before: int) -> Iterator[None]:
    """Ask Dagster for a retry of the step where an error can pass.

    Raises
    ------
    dagster.RetryRequested
        In place of such an error.
    """
    try:
        yield
    except Exception as error:
        if not can_pass(error):
            raise
        raise dg.RetryRequested(
            max_retries=ATTEMPTS, seconds_to_wait=FIRST_WAIT * 3**attempts_before
        ) from error


def attempts_of(context: dg.InputContext) -> int:
    """How often the step that reads was tried before."""
    try:
        return context.step_context.previous_attempt_count
    except dg.DagsterInvariantViolationError:
        return 0  # outside of a run
