"""A table of every kind of column, as any kind of file, for the tests of this folder."""

import numpy as np
import pandas as pd

from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import TableFile
from classification_assets.learning.tables.table import Table


def people(n=120, seed=0):
    """Rows of every kind of column, with gaps, and words as labels."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": [f"p{number:03d}" for number in range(n)],
            "age": rng.normal(40, 9, n).round(1),
            "town": rng.choice(["Oslo", "Rome", "Zürich"], n),
            "member": rng.choice([True, False], n),
            "since": pd.date_range("2020-01-01", periods=n).astype(str),
            "children": rng.integers(0, 4, n),
        }
    )
    frame["label"] = np.where(frame["age"] + 9 * (frame["town"] == "Oslo") > 43, "high", "low")
    frame.loc[3, "age"] = np.nan
    frame.loc[5, "town"] = None
    return frame


def write(path, frame=None):
    frame = people() if frame is None else frame
    match path.split(".")[1]:
        case "csv":
            frame.to_csv(path, index=False)
        case "tsv":
            frame.to_csv(path, index=False, sep="\t")
        case "parquet":
            frame.to_parquet(path)
        case "jsonl":
            frame.to_json(path, orient="records", lines=True, force_ascii=False)
    return path


def table_of(path, **declared):
    return Table.of(TableFile(path=str(path), **declared))


def split_of(path, **declared):
    return Split.of(table_of(path, **declared), Folds())
