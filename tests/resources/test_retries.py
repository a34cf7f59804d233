"""Retries: of what can pass, with growing waits, and of nothing else."""

import dagster as dg
import pytest
import torch

from classification_assets.resources import retries
from classification_assets.resources.retries import can_pass, retrying


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left"),
        TimeoutError(),
        ConnectionResetError(),
        MemoryError(),
        torch.OutOfMemoryError(),
    ],
)
def test_what_can_pass_is_tried_again_after_longer_and_longer_waits(error):
    waits = []
    for attempt in range(3):
        with pytest.raises(dg.RetryRequested) as asked, retrying(attempt):
            raise error
        waits.append(asked.value.seconds_to_wait)
    assert waits == [10, 30, 90]
    assert asked.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [ValueError("bad rows"), FileNotFoundError("rows.csv"), PermissionError(), KeyError("x"), RuntimeError()],
)
def test_bad_data_and_missing_files_are_not_tried_again(error):
    assert not can_pass(error)
    with pytest.raises(type(error)), retrying(0):
        raise error


def test_a_step_that_meets_a_busy_disk_succeeds_a_little_later(materialize, declared, monkeypatch):
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.01)
    from classification_assets.learning.tables.table import Table

    of, failures = Table.of, [OSError(5, "Input/output error"), MemoryError()]

    def flaky(*arguments):
        if failures:
            raise failures.pop()
        return of(*arguments)

    monkeypatch.setattr(Table, "of", flaky)
    result = materialize(declared(), selection='key:"small/dataset"')
    assert result.success
    assert sum(event.is_step_up_for_retry for event in result.all_events) == 2


def test_publication_that_meets_a_busy_disk_is_tried_again_too(materialize, declared, monkeypatch):
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.01)
    from classification_assets.learning.artifacts.storage import Staged

    publish, failures = Staged.publish, [OSError(28, "No space left on device")]

    def flaky(self):
        if failures:
            raise failures.pop()
        publish(self)

    monkeypatch.setattr(Staged, "publish", flaky)
    assert materialize(declared(), selection='key:"small/dataset"').success
