"""Rows are known again by their values, however a file writes these and in whatever order they come."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.tables.row_keys import array_keys, combined, paired, row_keys, value_keys
from classification_assets.learning.tables.rows import MemoryRows

FRAME = pd.DataFrame(
    {
        "age": [31.0, None, 25.0, 31.0],
        "city": ["Bern", "Rome", None, "Bern"],
        "since": pd.to_datetime(["2024-01-01", "2024-02-29", "2024-01-01", "2024-01-01"]),
        "member": [True, False, True, True],
    }
)


def keys_of(frame, columns=None):
    return row_keys(MemoryRows.of(frame), columns or sorted(frame.columns))


def test_equal_rows_have_equal_keys_and_others_have_others():
    keys = keys_of(FRAME)
    assert keys[0] == keys[3]
    assert len(set(keys.tolist())) == 3


def test_the_order_of_rows_and_columns_has_no_influence():
    keys = keys_of(FRAME)
    np.testing.assert_array_equal(keys_of(FRAME[["member", "since", "city", "age"]]), keys)
    np.testing.assert_array_equal(keys_of(FRAME, ["city", "since", "age", "member"]), keys)
    np.testing.assert_array_equal(keys_of(FRAME.iloc[::-1].reset_index(drop=True)), keys[::-1])


def test_a_value_that_changes_places_with_another_columns_is_another_row():
    one, other = pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"a": [2], "b": [1]})
    assert keys_of(one) != keys_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([3, 4, None]), pa.array([3.0, 4.0, None])),
        (pa.array([3, 4, None]), pa.array(["3", "4.0", None])),
        (pa.array([3, 4, None], pa.int8()), pa.array([3, 4, None], pa.decimal128(5, 1))),
        (pa.array([0.0]), pa.array([-0.0])),
        (pa.array([np.nan]), pa.array([None], pa.float64())),
        (pa.array(["a", "b", "a"]), pa.array(["a", "b", "a"]).dictionary_encode()),
        (pa.array([True, False, None]), pa.array(["true", "False", None])),
        (pa.array(["2024-02-29"]), pa.array([pd.Timestamp("2024-02-29").date()])),
        (pa.array(["2024-02-29T12:00:00Z"]), pa.array([pd.Timestamp("2024-02-29T12:00", tz="UTC")])),
    ],
)
def test_a_value_is_the_same_whatever_type_a_file_gives_it(one, other):
    np.testing.assert_array_equal(value_keys(one), value_keys(other))


def test_a_day_that_there_is_not_is_a_word():
    assert value_keys(pa.array(["2023-02-29"])) != value_keys(pa.array(["2023-02-28"]))


def test_an_array_has_the_keys_of_a_table_of_numbers():
    X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    np.testing.assert_array_equal(array_keys(X, ["a", "b", "c"]), keys_of(frame))


def test_a_million_rows_of_normal_numbers_have_a_million_keys():
    X = np.random.default_rng(0).normal(size=(1_000_000, 2))
    assert len(np.unique(array_keys(X, ["a", "b"]))) == 1_000_000


@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.integers(0, 5), max_size=30))
@settings(max_examples=200, deadline=None)
def test_as_many_are_paired_as_both_sides_have(here, there):
    keys, others = np.array(here, np.uint64), np.array(there, np.uint64)
    index = paired(keys, others)
    found = index[index >= 0]
    assert len(set(found.tolist())) == len(found)
    np.testing.assert_array_equal(others[found], keys[index >= 0])
    for key in set(here):
        assert (keys[index >= 0] == key).sum() == min(here.count(key), there.count(key))


def test_pairs_of_keys_follow_their_order():
    a, b = np.array([1, 2], np.uint64), np.array([2, 1], np.uint64)
    assert not (combined(a, b) == combined(b, a)).any()
