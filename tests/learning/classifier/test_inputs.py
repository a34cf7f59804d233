"""Rows that are sparse, or come as Arrow's batches or from a query, are taken as the table that they hold."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from classification_assets import NeuralClassifier
from classification_assets.learning.tables import rows as tables

QUICK = {"members": 2, "max_epochs": 20, "learning_rate": 0.1, "random_state": 0}


@pytest.fixture
def table():
    """Rows of several kinds of columns, and labels that depend on two of them."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 9, 90).round(1),
            "town": rng.choice(["Oslo", "Rome"], 90),
            "since": pd.date_range("2024-01-01", periods=90),
        }
    )
    return frame, np.where(frame["age"] + 9 * (frame["town"] == "Oslo") > 44, "high", "low")


def fitted(X, y):
    return NeuralClassifier("linear", **QUICK).fit(X, y)


@pytest.mark.parametrize("kind", ["batch", "reader", "relation"])
def test_batches_readers_and_relations_are_the_table_that_they_hold(table, kind):
    frame, y = table

    def given():
        match kind:
            case "batch":
                return pa.RecordBatch.from_pandas(frame)
            case "reader":
                return pa.Table.from_pandas(frame).to_reader(max_chunksize=7)
        return pytest.importorskip("duckdb").sql("select * from frame")

    expected = fitted(frame, y)
    classifier = fitted(given(), y)
    assert classifier.feature_names_in_.tolist() == list(frame)
    np.testing.assert_array_equal(classifier.predict_proba(given()), expected.predict_proba(frame))


def test_frames_that_are_still_to_be_computed_are_refused_by_what_computes_them(table):
    frame, y = table
    lazy = [
        (pl.from_pandas(frame).lazy(), "collect"),
        (pyarrow.dataset.dataset(pa.Table.from_pandas(frame)), "to_table"),
    ]
    classifier = fitted(frame, y)
    for X, call in lazy:
        for ask in (lambda X=X: fitted(X, y), lambda X=X: classifier.predict(X)):
            with pytest.raises(TypeError, match=rf"holds no rows yet; hand over what X\.{call}\(\) gives"):
                ask()


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_dask_frame_is_refused_by_what_computes_it(table):
    frame, y = table
    dask = pytest.importorskip("dask.dataframe")
    with pytest.raises(TypeError, match=r"holds no rows yet; hand over what X\.compute\(\) gives"):
        fitted(dask.from_pandas(frame, npartitions=2), y)


@pytest.mark.parametrize("subtype", ["float64", "int64", "bool", "uint8", "float32"])
def test_sparse_columns_of_pandas_are_what_they_are_dense(table, subtype):
    frame, y = table
    dummies = pd.get_dummies(frame["town"], dtype=subtype).assign(age=frame["age"])
    columns = dummies.astype({name: pd.SparseDtype(subtype) for name in ("Oslo", "Rome")})
    gaps = columns.assign(age=dummies["age"].where(dummies["age"] > 35).astype(pd.SparseDtype(float)))
    for X, same in (
        (columns, dummies),
        (gaps, dummies.assign(age=dummies["age"].where(dummies["age"] > 35))),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            classifier = fitted(X, y)
        np.testing.assert_array_equal(classifier.predict_proba(X), fitted(same, y).predict_proba(same))


@pytest.mark.parametrize("format", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.dok_matrix])
def test_a_sparse_matrix_is_what_it_is_dense(format):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 6)) * (rng.random((90, 6)) < 0.4)
    y = X[:, 0] > 0
    classifier = fitted(format(X), y)
    np.testing.assert_array_equal(classifier.predict_proba(format(X)), fitted(X, y).predict_proba(X))
    assert classifier.score(format(X), y) > 0.8


def test_pipelines_of_words_and_of_one_hot_columns_work(table):
    frame, y = table
    texts = [
        f"{town} {'old' if age > 40 else 'young'} {row}"
        for row, (age, town) in enumerate(zip(frame["age"], frame["town"], strict=True))
    ]
    for step, X in ((TfidfVectorizer(), texts), (OneHotEncoder(handle_unknown="ignore"), frame[["town"]])):
        pipeline = make_pipeline(step, NeuralClassifier("linear", **QUICK)).fit(X, y)
        assert sparse.issparse(step.fit_transform(X))
        assert pipeline.score(X, y) > 0.6


def test_what_is_too_large_with_its_zeros_is_refused_before_they_are_written(monkeypatch):
    monkeypatch.setattr(tables, "DENSE_BYTES", 2**20)
    words = r"a sparse table of 1,000 rows and 1,000 columns takes 0\.0 GiB with its zeros.*TruncatedSVD"
    with pytest.raises(ValueError, match=words):
        fitted(sparse.eye_array(1000, format="csr"), np.arange(1000) % 2)
    with pytest.raises(ValueError, match=words):
        fitted(pd.DataFrame.sparse.from_spmatrix(sparse.eye_array(1000, format="csr")), np.arange(1000) % 2)
    huge = sparse.csr_array((100_000, 1_000_000))
    with pytest.raises(ValueError, match=r"100,000 rows and 1,000,000 columns takes 372\.5 GiB"):
        fitted(huge, np.arange(100_000) % 2)


def test_a_number_that_float32_does_not_hold_is_refused_in_a_sparse_matrix_too():
    X = sparse.lil_array((20, 2))
    X[3, 1] = 1e300
    with pytest.raises(ValueError, match="finite number, got in column 'x2', row 3"):
        fitted(X, np.arange(20) % 2)
