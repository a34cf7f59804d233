"""An instance for runs of small jobs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.execution.runs import Runs, in_an_instance


@pytest.fixture
def runs(tmp_path) -> Iterator[Runs]:
    """An empty instance; of a run's processes none is left afterwards."""
    with in_an_instance(tmp_path) as runs:
        yield runs
