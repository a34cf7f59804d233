"""Made-up sweeps, as in `tests/learning/sweeps`."""

import pytest

from tests.learning.sweeps.made_up import made_up


@pytest.fixture(scope="session")
def sweep():
    """Makes a sweep of which it is known what decides."""
    return made_up


@pytest.fixture(scope="session")
def halved():
    """Two hundred configurations in three rungs."""
    return made_up(200)
