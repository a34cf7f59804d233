"""Made-up sweeps of which it is known what decides, and rows that sweeps are tried on."""

import pytest

from classification_assets.learning.sweeps.scored_rows import SweptRows
from tests.learning.sweeps.made_up import made_up


@pytest.fixture(scope="session")
def sweep():
    """Makes a sweep: see `made_up`."""
    return made_up


@pytest.fixture(scope="session")
def halved():
    """Two hundred configurations in three rungs, whose log loss follows from the learning rate and the activation."""
    return made_up(200)


@pytest.fixture(scope="session")
def rows(split):
    """The moons' rows: the validation fold judges."""
    return SweptRows.of(split, 1, 0)


@pytest.fixture(scope="session")
def dealt_rows(split):
    """The moons' rows in three folds, of which each judges in turn."""
    return SweptRows.of(split, 3, 0)
