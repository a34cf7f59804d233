"""Columns of every kind are encoded as numbers, and what was not seen in training is no error."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from classification_assets.learning.preparation.columns import ALL_ONE_HOT, ENOUGH, ONE_HOT
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.tables.rows import BATCH
from tests.learning.preparation.every_kind import FRAME, TOWNS, by_name, learned


def test_kinds_are_inferred_from_the_types():
    preprocessing, _ = learned(FRAME)
    assert [column.kind for column in preprocessing.columns] == ["numeric", "categorical", "boolean", "date"]


def test_encoded_rows_keep_numbers_in_their_units_and_gaps_as_nan():
    _, X = learned(FRAME)
    assert X.dtype == np.float32
    np.testing.assert_array_equal(X[:, 0], np.float32([30, 40, np.nan, 50, 60, 20]))
    np.testing.assert_array_equal(X[:, 2], np.float32([1, 0, np.nan, 1, 1, 0]))
    assert X[5, 3] == 0  # days since the first of January 2000
    assert X[0, 3] == 366


def test_a_category_is_its_rank_by_frequency():
    _, X = learned(FRAME)
    assert X[:, 1].tolist() == [0, 1, 0, 2, 0, 1]


def test_a_gap_in_a_column_that_had_none_in_training_is_no_error():
    preprocessing, _ = learned(FRAME)
    X = preprocessing.encode(FRAME.assign(town=None))
    assert np.isnan(X[:, 1]).all()
    assert np.isfinite(preprocessing.features(X)).all()


def test_an_unseen_category_is_none_of_the_known_ones():
    preprocessing, _ = learned(FRAME)
    X = preprocessing.encode(FRAME.assign(town="Atlantis"))
    features = by_name(preprocessing, X)
    assert {X[row, 1] for row in range(6)} == {3}
    assert not any(features[f"town = {town}"].any() for town in set(TOWNS))


def test_of_many_categories_the_frequent_ones_are_one_hot_and_all_tell_their_frequency():
    rng = np.random.default_rng(0)
    codes = np.minimum(rng.zipf(1.3, 4000), 500)
    frame = pd.DataFrame({"shop": [f"s{code}" for code in codes]})
    preprocessing, X = learned(frame)
    frequent = int((np.unique(codes, return_counts=True)[1] >= ENOUGH).sum())
    assert ONE_HOT < frequent < ALL_ONE_HOT
    assert preprocessing.width == frequent + 1
    assert set(np.unique(preprocessing.features(X)[:, :frequent])) == {0, 1}
    frequency = by_name(preprocessing, X)["frequency of shop"]
    assert frequency.mean() == pytest.approx(0, abs=1e-4)
    assert frequency.std() == pytest.approx(1, abs=1e-4)
    assert frequency[codes == 1].min() > frequency[codes == 2].max()
    unseen = preprocessing.features(preprocessing.encode(pd.DataFrame({"shop": ["new"]})))
    assert unseen[0, -1] < frequency.min()


def test_columns_of_many_categories_share_the_features_that_those_of_few_leave():
    rng = np.random.default_rng(0)
    sizes = {"few": 10, "some": 60, "many": 400, "more": 900}
    frame = pd.DataFrame({name: [f"v{i}" for i in rng.integers(n, size=20_000)] for name, n in sizes.items()})
    columns = learned(frame)[0].columns
    shown = {column.name: column.shown for column in columns}
    assert shown["few"] == 10
    assert shown["some"] == 60
    assert shown["many"] == shown["more"] == (ALL_ONE_HOT - 10 - 60) // 2


def test_however_many_columns_there_are_each_has_some_features():
    frame = pd.DataFrame(
        {f"c{c}": [f"v{i}" for i in np.random.default_rng(c).integers(50, size=2000)] for c in range(20)}
    )
    assert {column.shown for column in learned(frame)[0].columns} == {ONE_HOT}


@pytest.mark.parametrize(
    ("values", "others"),
    [
        ([1, 2, 1, 3], [1.0, 2.0, 1.0, 3.0]),
        ([True, False, True, True], ["true", "false", "true", "true"]),
        (["a", "b", "a", "c"], pd.Categorical(["a", "b", "a", "c"], categories=["c", "b", "a"])),
    ],
)
def test_a_category_is_the_same_in_every_type_that_may_hold_it(values, others):
    preprocessing, X = learned(pd.DataFrame({"x": values}), {"x": "categorical"})
    np.testing.assert_array_equal(preprocessing.encode(pd.DataFrame({"x": others})), X)


def test_declared_kinds_come_before_inferred_ones():
    frame = pd.DataFrame({"code": [3, 1, 3, 2], "flag": ["Yes", "no", "NO", "y"], "day": ["2020-02-29"] * 4})
    preprocessing, X = learned(frame, {"code": "categorical", "flag": "boolean", "day": "date"})
    assert [column.kind for column in preprocessing.columns] == ["categorical", "boolean", "date"]
    assert X[:, 1].tolist() == [1, 0, 0, 1]
    assert X[0, 2] == (dt.date(2020, 2, 29) - dt.date(2000, 1, 1)).days


def test_whole_numbers_as_categories_are_the_same_with_and_without_a_point():
    preprocessing, X = learned(pd.DataFrame({"x": ["1.0", "2.0", None, "1.0"]}), {"x": "categorical"})
    others = pd.DataFrame({"x": ["1", "2", None, "1.00"]})
    np.testing.assert_array_equal(preprocessing.encode(others), X)
    _, X = learned(pd.DataFrame({"x": ["1.0", "1", "1", "1.00"]}), {"x": "categorical"})
    assert sorted(X[:, 0]) == [0, 0, 1, 2]


def test_truth_values_may_be_numbers_with_a_point_as_a_column_with_gaps_is_written():
    _, X = learned(pd.DataFrame({"x": ["1.0", "0.0", None, "1"]}), {"x": "boolean"})
    np.testing.assert_array_equal(X[:, 0], np.float32([1, 0, np.nan, 1]))


def test_numbers_that_a_file_holds_as_words_are_numbers_where_that_is_declared():
    frame = pd.DataFrame({"x": [" 5", "+6.5", None, "1e3", "-.5"]})
    _, X = learned(frame, {"x": "numeric"})
    np.testing.assert_array_equal(X[:, 0], np.float32([5, 6.5, np.nan, 1000, -0.5]))


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        (["yes", "perhaps"], "boolean", r"column 'x' is boolean.*row 1: 'perhaps'"),
        (["2020-01-01", "yesterday"], "date", r"column 'x' is a date.*row 1: 'yesterday'"),
        (["5", "six"], "numeric", r"must be a number, got in column 'x', row 1: 'six'"),
        ([1.0, np.inf], None, r"finite number.*column 'x', row 1: inf"),
        ([[1], [2]], None, r"column 'x' holds list.*drop: \[x\]"),
    ],
)
def test_a_value_of_another_kind_is_named_with_column_and_row(values, kind, words):
    frame = pd.DataFrame({"x": values})
    with pytest.raises(ValueError, match=words):
        learned(frame, {"x": kind} if kind else None)


def test_a_row_is_named_by_its_number_in_the_whole_table():
    values = np.zeros(BATCH + 10)
    values[BATCH + 3] = np.inf
    with pytest.raises(ValueError, match=f"row {BATCH + 3}: inf"):
        learned(pd.DataFrame({"x": values}))


def test_a_column_that_names_the_rows_is_refused_with_advice():
    frame = pd.DataFrame({"name": [f"person {number}" for number in range(100)]})
    with pytest.raises(
        ValueError, match=r"looks like a name or free text: 100 different.*id: name.*categorical"
    ):
        learned(frame)
    assert learned(frame, {"name": "categorical"})[0].columns[0].kind == "categorical"


def test_a_column_without_any_value_serves_nothing_and_breaks_nothing():
    preprocessing, X = learned(pd.DataFrame({"x": [1.0, 2.0, 3.0], "empty": [None] * 3}))
    assert (preprocessing.features(X)[:, 1] == 0).all()
    assert np.isfinite(preprocessing.features(np.float32([[1, 5]]))).all()


def test_the_training_rows_alone_are_learned_from():
    training = [True, True, True, True, False, False]
    frame = FRAME.copy()
    frame.loc[4:, "age"] = 1e6
    frame.loc[4:, "town"] = "Atlantis"
    frame.loc[4:, "member"] = None
    assert learned(frame, training=training)[0] == learned(FRAME, training=training)[0]


def test_timestamps_in_any_zone_are_the_same_timestamp():
    utc = pd.to_datetime(["2020-01-01T12:00:00Z", "2020-06-01T12:00:00Z"], utc=True)
    preprocessing, X = learned(pd.DataFrame({"at": utc}))
    there = pd.DataFrame({"at": utc.tz_convert("Asia/Tokyo")})
    np.testing.assert_array_equal(preprocessing.encode(there), X)


def test_timestamps_with_and_without_a_zone_may_stand_in_one_column():
    words = ["2024-03-01T12:00:00Z", "2024-03-01 14:00:00+02:00", "2024-03-01T12:00:00", None, "2024-03-01"]
    _, X = learned(pd.DataFrame({"x": words}))
    np.testing.assert_array_equal(X[:, 0] - X[4, 0], np.float32([0.5, 0.5, 0.5, np.nan, 0]))


def test_the_whole_comes_back_from_json():
    preprocessing, X = learned(FRAME)
    again = Preprocessing.model_validate_json(preprocessing.model_dump_json())
    assert again == preprocessing
    np.testing.assert_array_equal(again.features(X), preprocessing.features(X))


def test_batches_and_frames_are_encoded_alike():
    preprocessing, X = learned(FRAME)
    batch = pa.Table.from_pandas(FRAME[["since", "town", "member", "age"]], preserve_index=False)
    np.testing.assert_array_equal(preprocessing.encode(batch), X)
    np.testing.assert_array_equal(preprocessing.encode(FRAME.to_numpy(object)), X)


def test_a_row_is_encoded_alike_alone_and_among_others():
    preprocessing, X = learned(FRAME)
    for row in range(len(FRAME)):
        np.testing.assert_array_equal(preprocessing.encode(FRAME.iloc[[row]]), X[[row]])


def test_a_text_that_is_too_long_to_be_a_category_is_named_with_its_row():
    frame = pd.DataFrame({"note": ["short", "x" * 2_000_000, "short", "short"]})
    with pytest.raises(
        ValueError, match=r"column 'note', row 1: a text of 2,000,000 bytes is no category.*drop"
    ):
        learned(frame, {"note": "categorical"})


def test_encoded_rows_can_be_read_again():
    preprocessing, _ = learned(FRAME)
    X = preprocessing.encode(FRAME.assign(town=[*TOWNS[:5], "Atlantis"]))
    frame = preprocessing.decode(X)
    assert frame["town"].tolist() == [*TOWNS[:5], "another"]
    assert frame["since"].tolist()[:2] == ["2001-01-01T00:00", "2002-07-01T00:00"]
    assert pd.isna(frame["since"][3])
    assert frame["member"].tolist()[:2] == [True, False]
    assert frame["age"].tolist()[:2] == [30, 40]
