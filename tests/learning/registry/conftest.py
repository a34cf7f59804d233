"""A storage with a small experiment."""

import pytest

from tests.learning.registry.stored import Stored


@pytest.fixture
def stored(tmp_path) -> Stored:
    """A storage in which nothing was trained yet."""
    return Stored(tmp_path)
