"""A stored split hands on which row was in which fold, gone rows and groups included; features are not read for it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.artifacts.files import ArtifactError
from classification_assets.learning.artifacts.storage import load, load_memory, save
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.roles import Roles
from classification_assets.learning.tables.table import Table

FROZEN = Path(__file__).parents[2] / "frozen"


def split_of(n, roles, before=None):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    frame = pd.DataFrame(
        {"a": X[:, 0], "b": X[:, 1], "group": np.arange(200) % 40, "label": np.arange(200) % 2}
    )
    return Split.of(Table.of_frame(frame[:n], roles), Folds(), before)


@pytest.mark.parametrize("roles", [Roles(drop=("group",)), Roles(group="group")], ids=["rows", "groups"])
def test_memory_that_was_stored_is_the_memory(roles, tmp_path):
    split = split_of(150, roles, split_of(200, roles).memory())
    assert split.gone is not None
    save(split, tmp_path / "split.parquet")
    for found in (load_memory(tmp_path / "split.parquet"), load(tmp_path / "split.parquet").memory()):
        expected = split.memory()
        assert (found.folds, found.identity) == (expected.folds, expected.identity)
        assert len(found.keys) == 200
        for name in ("keys", "labels", "fold", "groups"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    again = split_of(200, roles, load_memory(tmp_path / "split.parquet"))
    np.testing.assert_array_equal(again.fold, split_of(200, roles).fold)


def test_a_split_of_an_earlier_version_remembers_nothing():
    assert load_memory(FROZEN / "moons_split.parquet") is None


def test_what_is_damaged_is_named(tmp_path):
    (tmp_path / "split.parquet").write_bytes(b"half a file")
    with pytest.raises(ArtifactError, match=r"split\.parquet is damaged"):
        load_memory(tmp_path / "split.parquet")
