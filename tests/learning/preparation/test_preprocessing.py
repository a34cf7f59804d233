"""Means and deviations of the training rows are applied to all rows, and a value that is no number is named."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from classification_assets.learning.preparation.folds import Fold, Folds
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.table import Table

NAMES = ["height", "width", "depth"]
rows = arrays(np.float32, st.tuples(st.integers(2, 40), st.just(3)), elements=st.floats(-1e4, 1e4, width=32))


def fitted(X=None):
    X = np.random.default_rng(0).normal(5, 3, (50, 3)) if X is None else X
    return Preprocessing.fit(np.asarray(X, np.float32), NAMES)


@given(rows)
@settings(max_examples=60, deadline=None)
def test_training_rows_without_outliers_get_a_mean_of_0_and_a_deviation_of_1(X):
    features = fitted(X).features(X).astype(np.float64)
    varies = X.astype(np.float64).std(0) > 1e-2
    inner = np.sort(X.astype(np.float64), 0)[1:-1]
    low, high = (inner[0], inner[-1]) if len(inner) else (X.min(0), X.max(0))
    reach = 3 * (high - low)
    near = (np.clip(X, low - reach, high + reach) == X).all(0) | (reach == 0)
    np.testing.assert_allclose(features.mean(0)[near], 0, atol=1e-3)
    np.testing.assert_allclose(features.std(0)[near & varies], 1, rtol=1e-3)


def test_a_constant_column_becomes_0_and_divides_by_nothing():
    X = np.column_stack([np.full(20, 7.0), np.arange(20), np.zeros(20)])
    features = fitted(X).features(X.astype(np.float32))
    assert (features[:, [0, 2]] == 0).all()
    assert np.isfinite(features).all()


def test_features_are_float32():
    assert fitted().features(np.ones((2, 3), np.float32)).dtype == np.float32


def test_the_training_fold_alone_is_learned_from(table):
    split = Split.of(table, Folds())
    changed = table.frame.copy()
    changed.loc[split.fold != Fold.TRAIN, ["x1", "x2"]] = 1e6
    other = Split.of(Table.of_frame(changed), Folds())
    assert other.preprocessing == split.preprocessing
    assert (other.X != split.X).any()


def test_a_preprocessing_survives_json():
    learned = fitted()
    assert Preprocessing.model_validate_json(learned.model_dump_json()) == learned


@given(st.permutations(NAMES))
@settings(max_examples=10, deadline=None)
def test_columns_of_a_frame_are_found_by_name(order):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(5, 3)), columns=NAMES)
    np.testing.assert_array_equal(fitted().encode(frame[order]), frame.to_numpy(np.float32))


def test_columns_that_are_not_needed_are_ignored():
    frame = pd.DataFrame({"colour": ["red"], "depth": [3], "width": [2], "height": [1]})
    assert fitted().encode(frame).tolist() == [[1.0, 2.0, 3.0]]


def test_columns_named_by_numbers_are_found():
    learned = Preprocessing.fit(np.zeros((2, 2), np.float32), ["0", "1"])
    assert learned.encode(pd.DataFrame([[1.0, 2.0]])).tolist() == [[1.0, 2.0]]


def test_an_array_is_taken_as_it_is():
    assert fitted().encode([[1, 2, 3]]).dtype == np.float32


def test_missing_columns_are_named_with_those_that_are_expected():
    with pytest.raises(ValueError, match="missing columns: height, depth; expected are height, width, depth"):
        fitted().encode(pd.DataFrame({"width": [1.0]}))


@pytest.mark.parametrize("shape", [(3,), (4, 2), (2, 3, 1)])
def test_rows_of_another_shape_are_refused_with_their_shape(shape):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (the whole message is compared)
        fitted().encode(np.zeros(shape))
    assert str(raised.value) == f"expected rows of shape (N, 3), got {shape}"


@pytest.mark.parametrize(("value", "shown"), [(np.inf, "inf"), (-np.inf, "-inf"), (1e39, "1e+39")])
def test_a_value_that_is_not_finite_is_named_with_column_and_row(value, shown):
    X = np.zeros((4, 3))
    X[2, 1] = value
    expected = f"every feature must be a finite number, got in column 'width', row 2: {shown} (up to 3e38;"
    with pytest.raises(ValueError, match=re.escape(expected)):
        fitted().encode(X)


def test_a_value_that_is_no_number_is_named_with_its_column_and_row():
    frame = pd.DataFrame({"height": [1.0], "width": [2.0], "depth": ["tall"]})
    with pytest.raises(ValueError, match=r"must be a number, got in column 'depth', row 0: 'tall'"):
        fitted().encode(frame)


@pytest.mark.parametrize("value", [np.nan, None, pd.NA])
def test_a_missing_value_is_no_error_at_prediction(value):
    frame = pd.DataFrame({"height": [1.0], "width": [2.0], "depth": pd.array([value], dtype=object)})
    assert np.isnan(fitted().encode(frame)[0, 2])


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(ValidationError, match="different names, but 'width' is there more than once"):
        Preprocessing.fit(np.zeros((2, 3), np.float32), ["height", "width", "width"])
