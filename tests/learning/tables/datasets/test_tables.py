"""Tables of scikit-learn's and of a person's own function."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pydantic import TypeAdapter, ValidationError

from classification_assets.learning.artifacts.storage import load, save
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import AnyDataset, ShippedTable, TableFunction
from classification_assets.learning.tables.table import Table
from tests.learning.tables.people import people, split_of, write

pytestmark = pytest.mark.usefixtures("folder")

any_dataset = TypeAdapter(AnyDataset)


def test_a_table_knows_no_truth():
    split = split_of(write("a.csv"), id="id")
    assert split.posterior(split.X) is None


@pytest.mark.parametrize(
    ("name", "rows", "classes"),
    [
        ("iris", 150, ["setosa", "versicolor", "virginica"]),
        ("wine", 178, ["class_0", "class_1", "class_2"]),
        ("breast_cancer", 569, ["benign", "malignant"]),
        ("digits", 1797, list(range(10))),
    ],
)
def test_scikit_learns_tables_have_their_labels(name, rows, classes):
    split = Split.of(Table.of(any_dataset.validate_python({"kind": "sklearn", "name": name})), Folds())
    assert len(split.y) == rows
    assert split.classes == classes
    assert isinstance(ShippedTable(name=name).sample(), pd.DataFrame)


def make(n=90, kind="pandas"):
    frame = people(n).drop(columns="id").rename(columns={"label": "outcome"})
    if kind == "categories of polars":
        return pl.from_pandas(frame).cast({"town": pl.Categorical, "outcome": pl.Enum(["low", "high"])})
    kinds = {
        "pandas": lambda: frame,
        "sparse": lambda: frame.astype({"children": pd.SparseDtype(int), "age": pd.SparseDtype(float)}),
        "polars": lambda: pl.from_pandas(frame),
        "arrow": lambda: pa.Table.from_pandas(frame),
        "batch": lambda: pa.RecordBatch.from_pandas(frame),
        "reader": lambda: pa.Table.from_pandas(frame).to_reader(max_chunksize=7),
    }
    return kinds[kind]()


def gaps_among_the_categories():
    codes = pa.array([0, 1, 2] * 30, pa.int8())
    town = pa.DictionaryArray.from_arrays(codes, pa.array(["Oslo", None, "Rome"]))
    return pa.table({"town": town, "age": np.arange(90.0), "label": town.take(codes)})


def lazy():
    return make(kind="polars").lazy()


def one_number():
    return 1


def one_column():
    return pl.Series([1, 2])


def complex_numbers():
    return pd.DataFrame({"x": [1j, 2j], "label": ["a", "b"]})


def intervals():
    return pd.DataFrame({"x": pd.cut(np.arange(60.0), 4), "label": ["a", "b"] * 30})


@pytest.fixture
def importable(folder, monkeypatch):
    """A module of a person's own, which makes what this file's functions make."""
    monkeypatch.setitem(__import__("sys").modules, "own_tables", __import__("types").ModuleType("own_tables"))
    module = __import__("own_tables")
    module.make, module.one_number, module.nothing, module.lazy = make, one_number, 3, lazy
    module.gaps_among_the_categories = gaps_among_the_categories
    module.one_column, module.complex_numbers, module.intervals = one_column, complex_numbers, intervals


@pytest.mark.parametrize(
    "kind", ["pandas", "sparse", "polars", "categories of polars", "arrow", "batch", "reader"]
)
def test_a_function_may_return_any_frame(kind, importable):
    declared = TableFunction(path="own_tables:make", target="outcome", arguments={"n": 80, "kind": kind})
    split = Split.of(Table.of(declared), Folds())
    assert split.X.shape == (80, 5)
    assert split.classes == ["high", "low"]


def test_a_value_may_be_missing_within_a_dictionary(importable, folder):
    table = Table.of(TableFunction(path="own_tables:gaps_among_the_categories"))
    assert table.source.without_label == 30
    assert table.rows.column("town").null_count == 0
    whole = Table.of(TableFunction(path="own_tables:gaps_among_the_categories", target="age"))
    assert whole.rows.column("town").null_count == 30
    save(whole, folder / "dataset.parquet")
    assert load(folder / "dataset.parquet").rows.column("town").null_count == 30


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("own_tables:one_number", "a pandas or polars frame or an Arrow table is needed, got int"),
        (
            "own_tables:lazy",
            r"got LazyFrame; it holds no rows yet: return what its collect\(\) or compute\(\)",
        ),
        ("own_tables:one_column", "a Series does not become a table"),
        (
            "own_tables:complex_numbers",
            "column 'x' holds values of several types, or of one that no table holds",
        ),
        ("own_tables:intervals", "own_tables:intervals: column 'x' holds extension<pandas.interval"),
        ("own_tables:nothing", "names 3, which cannot be called"),
        ("own_tables:lost", "names nothing"),
        ("no_such_module:make", "No module named 'no_such_module'"),
    ],
)
def test_a_function_that_gives_no_frame_is_named(path, words, importable):
    with pytest.raises(ValueError, match=words):
        Table.of(TableFunction(path=path)).kinds()


def test_an_import_path_that_is_none_is_refused():
    with pytest.raises(ValidationError, match=r"package\.module:name, got 'make'"):
        TableFunction(path="make")
