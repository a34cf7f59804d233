"""The recipe for tables, fitted within a few steps."""

import pytest

from classification_assets.learning.models.tabular import recipe
from tests.learning.models.tabular.small_tables import drawn, fit


@pytest.fixture(scope="module", autouse=True)
def _short():
    """A few steps are enough to see what is promised."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "EPOCHS", (1, 2, 4))
        yield


@pytest.fixture(scope="module")
def split():
    return drawn()


@pytest.fixture(scope="module")
def fitted(split):
    return fit(split)
