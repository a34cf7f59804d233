"""A small table as text, and how the dataset asset takes a file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.requirements import refuse_unfit
from classification_assets.learning.tables.datasets import TableFile
from classification_assets.learning.tables.table import Table


def good(n=60):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.normal(40, 9, n).round(1),
            "town": rng.choice(["Oslo", "Rome"], n),
            "label": np.arange(n) % 2,
        }
    )


def lines(n=60):
    return good(n).to_csv(index=False).splitlines()


def written(content, path="a.csv"):
    data = content.encode() if isinstance(content, str) else content
    Path(path).write_bytes(data)
    return path


def used(path, **declared):
    """The table, as the data-set asset takes it."""
    table = Table.of(TableFile(path=path, **declared))
    refuse_unfit(table, Folds())
    return table


def refused(path, words, **declared):
    with pytest.raises(ValueError, match=words):
        used(path, **declared)
