"""Copies of a row are one row of their summed weight, wherever they stand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from classification_assets.learning.preparation.duplicates import copy_numbers, learned_rows
from classification_assets.learning.tables.frames import given, numbered

few_values = st.tuples(st.integers(2, 30), st.just(2)).flatmap(
    lambda shape: st.tuples(
        arrays(np.float32, shape, elements=st.sampled_from([0.0, -0.0, 1.0, np.nan, 2.5])),
        arrays(np.int64, shape[0], elements=st.integers(0, 2)),
        arrays(np.int64, shape[0], elements=st.integers(0, 3)),
        st.permutations(range(shape[0])),
    )
)


def learned(X, y, weight=None):
    """The rows that are learned from, with their labels and weights."""
    names = numbered(X.shape[1])
    rows, summed = learned_rows(given(X, names), names, y, weight)
    return np.asarray(X)[rows], y[rows], summed


@drawn(few_values)
@settings(max_examples=200, deadline=None)
def test_copies_are_the_same_as_whole_weights_in_any_order(case):
    X, y, weight, order = case
    if not weight.any():
        return
    rows = np.repeat(np.asarray(order), weight[order])
    weighted, copied = learned(X, y, weight), learned(X[rows], y[rows])
    for one, other in zip(weighted, copied, strict=True):
        np.testing.assert_array_equal(one, other)


@drawn(few_values)
@settings(max_examples=100, deadline=None)
def test_no_weight_is_lost_or_won(case):
    X, y, weight, _ = case
    if not weight.any():
        return
    _, labels, summed = learned(X, y, weight)
    in_all = np.bincount(labels, summed if summed is not None else np.ones(len(labels)), minlength=3)
    expected = np.bincount(y, weight, minlength=3)
    np.testing.assert_allclose(in_all / in_all.sum(), expected / expected.sum(), rtol=1e-6)


def test_copies_of_one_class_become_one_row_of_their_weight():
    X, y = np.array([[1.0], [2.0], [1.0], [1.0], [3.0]]), np.array([0, 1, 0, 0, 1])
    rows, labels, weight = learned(X, y)
    assert sorted(zip(rows[:, 0], labels, weight, strict=True)) == [(1, 0, 3), (2, 1, 1), (3, 1, 1)]


def test_many_who_are_alike_stay_many():
    X, y = np.array([[1.0], [1.0], [1.0], [2.0]]), np.array([0, 1, 0, 1])
    rows, _, weight = learned(X, y)
    assert sorted(rows[:, 0]) == [1, 1, 1, 2]
    assert weight is None


def test_a_table_that_is_there_twice_is_learned_from_once():
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    twice = learned(np.vstack([X, X]), np.append(y, y))
    for one, other in zip(twice, learned(X, y), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_that_are_no_counts_stay_weights():
    X, y = np.array([[1.0], [1.0], [2.0]]), np.array([0, 1, 1])
    rows, _, weight = learned(X, y, np.array([0.5, 2.25, 0.0]))
    assert rows[:, 0].tolist() == [1, 1]
    assert sorted(weight) == [0.5, 2.25]


def test_weights_of_too_many_rows_stay_weights():
    X, y = np.array([[1.0], [1.0], [2.0]]), np.array([0, 1, 1])
    rows, _, weight = learned(X, y, np.array([1e9, 1.0, 2.0]))
    assert len(rows) == 3
    assert weight.max() == 1e9


@pytest.mark.parametrize("kind", [object, "str", "category"])
def test_words_are_compared_as_words(kind):
    frame = pd.DataFrame({"city": ["Rome", None, "Oslo", "Rome", None]}).astype(kind)
    frame["age"] = [1, 2, 3, 1, 2]
    rows, weight = learned_rows(
        given(frame, ["city", "age"]), ["city", "age"], np.array([0, 1, 1, 0, 1]), None
    )
    assert sorted(rows) == [0, 1, 2]
    assert sorted(weight) == [1, 2, 2]


@drawn(few_values)
@settings(max_examples=200, deadline=None)
def test_rows_of_one_number_are_those_that_become_one(case):
    X, y, _, _ = case
    numbers = copy_numbers(X, y, np.arange(len(y)))
    rows, _ = learned_rows(X, numbered(X.shape[1]), y, None)
    if numbers is None:
        assert len(rows) == len(y)
    else:
        assert len(rows) == len(np.unique(np.column_stack([numbers, y]), axis=0))


def test_rows_that_are_not_asked_for_have_no_number():
    X, y = np.array([[1.0], [2.0], [1.0], [1.0]]), np.array([0, 1, 0, 0])
    assert copy_numbers(X, y, np.array([0, 1, 3])).tolist() == [0, 1, -1, 0]
    assert copy_numbers(X, y, np.array([0, 1])) is None
