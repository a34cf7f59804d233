"""Where the files of a test are."""

import pytest

from classification_assets.learning.tables.reading.location import ENVIRONMENT


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where this test's files are, and what relative paths start from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    return tmp_path
