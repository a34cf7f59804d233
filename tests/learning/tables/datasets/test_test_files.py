"""A test fold in a file of its own: it has the first file's types, whatever its own format has made of them."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from classification_assets.learning.preparation.checks import classes_trained
from classification_assets.learning.preparation.folds import Fold
from tests.learning.tables.people import people, split_of, table_of, write

pytestmark = pytest.mark.usefixtures("folder")


def test_a_test_file_is_the_test_fold_and_has_the_types_of_the_other():
    for main, test in (("a.csv", "t.csv"), ("a.parquet", "t.parquet"), ("a.csv", "t.parquet")):
        frame = people(30, seed=1).assign(children=2)
        split = split_of(write(main), id="id", test=write(test, frame))
        assert split.X.shape == (150, 5)
        assert (split.fold[120:] == Fold.TEST).all()
        assert (split.fold[:120] != Fold.TEST).all()


@pytest.mark.parametrize("names", [("a.csv", "t.parquet"), ("a.parquet", "t.parquet"), ("a.jsonl", "t.csv")])
def test_numbers_of_a_test_file_may_be_of_another_type(names):
    main, test = names
    new = people(30, seed=1).assign(children=1.5)
    table = table_of(write(main), id="id", test=write(test, new))
    assert table.rows.schema.field("children").type == pa.float64()
    assert table.frame["children"].tolist() == [*people()["children"], *new["children"]]


def test_whole_numbers_beside_others_may_be_of_more_than_53_bits():
    wide = 1_700_000_000_000_000_001
    main, new = people().assign(children=wide), people(30, seed=1).assign(children=1.5)
    split = split_of(write("a.parquet", main), id="id", test=write("t.parquet", new))
    assert split.X[[0, 120], 4].tolist() == [np.float32(wide), 1.5]


def test_the_file_whose_value_is_too_large_for_the_others_type_is_named_with_the_other():
    main = people().assign(children=np.uint64(2**63))
    with pytest.raises(
        ValueError, match=r"a\.parquet: column 'children' holds uint64, and int64 in t\.parquet, which row 0"
    ):
        split_of(write("a.parquet", main), id="id", test=write("t.parquet", people(30, seed=1)))


def test_a_test_file_may_have_more_categories_than_the_other():
    towns = [f"town {number % 200}" for number in range(600)]
    new = people(600, seed=1).assign(town=towns)
    main = people().astype({"town": "category"})
    for other in (new, new.astype({"town": "category"})):
        table = table_of(write("a.parquet", main), id="id", test=write("t.parquet", other))
        assert table.frame["town"].tolist()[120:] == towns
        assert table.kinds()["town"] == "categorical"


def test_timestamps_of_a_test_file_keep_their_time_where_the_other_has_days():
    noon = pd.Timestamp("2021-03-04 12:00:00.000000001")
    main = people().assign(since=dt.date(2021, 3, 4))
    new = people(30, seed=1).assign(since=noon)
    for files in (("a.parquet", main, "t.parquet", new), ("a.parquet", new, "t.parquet", main)):
        path, own, test, other = files
        table = table_of(write(path, own), id="id", test=write(test, other))
        timestamps = set(table.frame["since"])
        assert timestamps == {noon.floor("us"), noon.floor("D")}


def test_the_index_of_a_frame_needs_not_be_in_the_test_file_too():
    main = people().sample(frac=1, random_state=0)
    table = table_of(write("a.parquet", main), id="id", test=write("t.parquet", people(30, seed=1)))
    assert table.frame["id"].tolist() == [*main["id"], *people(30, seed=1)["id"]]
    with pytest.raises(ValueError, match=r"t\.parquet: there is no column '__index_level_0__', which a\.par"):
        table_of("a.parquet", id="__index_level_0__", test="t.parquet")


def test_a_value_of_a_test_file_that_does_not_become_the_others_type_is_named():
    new = people(30, seed=1).assign(age="old", children=np.arange(30, dtype=np.int8))
    with pytest.raises(
        ValueError,
        match=r"t\.parquet: column 'age' holds .*string, and double in a\.csv, which row 0 .*'old'",
    ):
        split_of(write("a.csv"), id="id", test=write("t.parquet", new))


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_truth_values_of_a_test_file_may_be_0_and_1_and_nothing_else(suffix):
    new = people(30, seed=1)
    new = new.assign(member=new["member"].astype(int))
    table = table_of(write("a.parquet"), id="id", test=write(f"t.{suffix}", new))
    assert table.frame["member"].tolist() == [*people()["member"], *people(30, seed=1)["member"]]
    new.loc[7, "member"] = 5
    with pytest.raises(
        ValueError, match=rf"t\.{suffix}: column 'member' holds int64, and bool in .* row 7 .*'5'"
    ):
        split_of("a.parquet", id="id", test=write(f"t.{suffix}", new))


def test_truth_values_that_a_csv_test_file_writes_otherwise_are_named_and_may_be_declared():
    new = people(30, seed=1)
    new = new.assign(member=new["member"].map({True: "yes", False: "no"}))
    files = {"path": write("a.csv"), "test": write("t.csv", new), "id": "id"}
    with pytest.raises(
        ValueError,
        match=r"t\.csv: column 'member' holds true or false in a\.csv.* row 0 .*\{member: boolean\}",
    ):
        table_of(**files)
    split = split_of(**files, columns={"member": "boolean"})
    assert split.X[120:, 2].tolist() == people(30, seed=1)["member"].tolist()


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize("rows", [[20], range(30)])
def test_words_where_the_other_file_has_numbers_are_named_with_file_and_row(suffix, rows):
    new = people(30, seed=1).astype({"age": object})
    new.loc[rows, "age"] = "old"
    with pytest.raises(
        ValueError, match=rf"t\.{suffix}: column 'age' holds .*a\.{suffix}.* row {rows[0]}.*'old'"
    ):
        table_of(write(f"a.{suffix}"), id="id", test=write(f"t.{suffix}", new))
    if suffix == "csv":
        columns = {"age": "categorical"}
        assert table_of("a.csv", id="id", test="t.csv", columns=columns).kinds()["age"] == "categorical"


@pytest.mark.parametrize("by", ["test", "time"])
def test_a_class_that_only_the_test_fold_has_fails_a_check(by):
    new = people(60, seed=1).assign(label="q", since=people(180)["since"][120:].to_numpy())
    if by == "test":
        split = split_of(write("a.csv"), id="id", test=write("t.csv", new))
    else:
        split = split_of(write("a.csv", pd.concat([people(), new])), id="id", time="since")
    passed, sentence = classes_trained(split)
    assert not passed
    assert sentence.startswith("class q has no training row: no network can learn it (")
