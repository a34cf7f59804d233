"""Made-up sweeps of which it is known what decides."""

import pytest

from tests.learning.sweeps.made_up import made_up


@pytest.fixture(scope="session")
def sweep():
    """Makes a sweep: see `made_up`."""
    return made_up


@pytest.fixture(scope="session")
def halved():
    """Two hundred configurations in three rungs, whose log loss follows from the learning rate and the activation."""
    return made_up(200)
