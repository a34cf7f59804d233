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


def keys_of(frame, columns=None, **options):
    return row_keys(MemoryRows.of(frame), columns or sorted(frame.columns), **options)


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
    np.testing.assert_array_equal(array_keys(X, ["a", "b", "c"]), keys_of(frame, rounded=True))


LONG = 1_700_000_000_000_000_000


@pytest.mark.parametrize(
    "values",
    [
        pa.array(LONG + np.arange(300)),
        pa.array([str(LONG + index) for index in range(300)]),
        pa.array([f"{LONG}{index}" for index in range(300)]),
        pa.array([f"{index}e567" for index in range(1, 301)]),
        pa.array([f"{index}e-567" for index in range(1, 301)]),
        pa.array(LONG + np.arange(300), pa.timestamp("ns")),
        pa.array(np.arange(2**64 - 300, 2**64, dtype=np.uint64)),
        pa.array([f"w{index}" for index in range(128)])
        .dictionary_encode()
        .cast(pa.dictionary(pa.int8(), pa.string())),
    ],
    ids=[
        "integers",
        "words",
        "longer words",
        "large",
        "small",
        "nanoseconds",
        "unsigned",
        "short dictionary",
    ],
)
def test_long_names_of_rows_are_told_apart(values):
    assert len(np.unique(value_keys(values))) == len(values)


def test_a_long_number_is_the_same_as_a_word():
    np.testing.assert_array_equal(
        value_keys(pa.array([LONG + 1, 7])), value_keys(pa.array([str(LONG + 1), "7"]))
    )


def test_spaces_around_a_word_do_not_count():
    np.testing.assert_array_equal(value_keys(pa.array([" 3", "a "])), value_keys(pa.array(["3", "a"])))


def test_features_are_known_by_what_networks_see_of_them():
    exact = pd.DataFrame({"a": np.round(np.random.default_rng(0).normal(size=50), 3)})
    np.testing.assert_array_equal(
        keys_of(exact, rounded=True), keys_of(exact.astype("float32"), rounded=True)
    )
    assert (keys_of(exact) != keys_of(exact.astype("float32"))).any()


@pytest.mark.parametrize(
    "values",
    [pa.array([[1], [2]]), pa.array([{"a": 1}, {"a": 2}])],
    ids=["lists", "structs"],
)
def test_a_column_by_which_no_row_is_known_is_named(values):
    with pytest.raises(
        ValueError, match=r"column 'v' holds .*, by which no row can be known again; .*drop: \[v\]"
    ):
        row_keys(MemoryRows(pa.table({"v": values})), ["v"])


@pytest.mark.parametrize("values", [pa.array([1, 2], pa.time64("us")), pa.array([1, 2], pa.duration("s"))])
def test_times_of_day_and_durations_have_keys(values):
    assert len(set(value_keys(values).tolist())) == 2


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
