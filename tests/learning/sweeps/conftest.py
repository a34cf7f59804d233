"""Rows that sweeps are tried on."""

import pytest

from classification_assets.learning.sweeps.scored_rows import SweptRows


@pytest.fixture(scope="session")
def rows(split):
    """The moons' rows: the validation fold judges."""
    return SweptRows.of(split, 1, 0)


@pytest.fixture(scope="session")
def dealt_rows(split):
    """The moons' rows in three folds, of which each judges in turn."""
    return SweptRows.of(split, 3, 0)
