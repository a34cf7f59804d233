"""Roles of columns: what is learned from, what weighs, groups and orders rows, and what cannot."""

from decimal import Decimal

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.tables.datasets import AnyDataset
from tests.learning.tables.people import people, split_of, write

pytestmark = pytest.mark.usefixtures("folder")

any_dataset = TypeAdapter(AnyDataset)


def test_columns_with_a_role_are_no_features():
    frame = people().assign(w=1.5, clinic=np.arange(120) % 30, noise=0)
    split = split_of(write("a.csv", frame), id="id", weight="w", group="clinic", drop=["noise"])
    assert split.preprocessing.names == ("age", "town", "member", "since", "children")
    assert (split.weight == 1.5).all()
    clinic = frame["clinic"].to_numpy()
    assert not set(clinic[split.rows(Fold.TRAIN)]) & set(clinic[split.rows(Fold.TEST)])


def test_the_features_may_be_named():
    assert split_of(write("a.csv"), features=["town", "age"]).preprocessing.names == ("town", "age")


def test_the_newest_rows_test_where_a_column_holds_the_time():
    split = split_of(write("a.csv"), id="id", time="since")
    assert (np.diff(split.fold) >= 0).all()
    assert (np.diff(split.timestamp) >= 0).all()
    assert "since" not in split.preprocessing.names


def test_time_may_be_a_decimal_number():
    frame = people().assign(own=[Decimal(number) for number in range(120)])
    assert (np.diff(split_of(write("a.parquet", frame), id="id", time="own").fold) >= 0).all()


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (
            {"target": "lable"},
            r"a\.csv: target: there is no column 'lable'; did you mean 'label'\? there are: 'id'",
        ),
        ({"drop": ["x"]}, r"drop: there is no column 'x'"),
        ({"columns": {"towns": "categorical"}}, r"columns: there is no column 'towns'; did you mean 'town'"),
        ({"weight": "w"}, r"weight: there is no column 'w'"),
        (
            {"drop": ["id", "age", "town", "member", "since", "children"]},
            "no column is left to predict 'label'",
        ),
        ({}, r"column 'id' looks like a name or free text.*drop: \[id\]"),
        (
            {"id": "id", "weight": "children", "group": "since", "columns": {"town": "numeric"}},
            "'town' holds numbers",
        ),
        ({"id": "id", "group": "member"}, r"a\.csv: rows of a group stay together.* got 2"),
    ],
)
def test_a_role_that_does_not_fit_the_table_is_told(declared, words):
    write("a.csv")
    with pytest.raises(ValueError, match=words):
        split_of("a.csv", **declared)


@pytest.mark.parametrize(
    ("declared", "field", "words"),
    [
        ({"group": "a", "time": "b"}, "time", "by `group` or by `time`, not by both"),
        ({"id": "label"}, "target", "the column 'label' has two roles"),
        ({"features": ["label"]}, "features", "the column 'label' has another role"),
        ({"features": ["x", "x"]}, "features", "the column 'x' is named twice"),
        ({"drop": ["x", "label"]}, "drop", "'label' is the target"),
        ({"test": "a.csv"}, "test", "the test fold's file is the table's own"),
        ({"columns": {"x": "word"}}, "columns", "'numeric', 'categorical', 'boolean' or 'date'"),
        ({"encoding": "utf-9"}, "encoding", "no encoding 'utf-9'"),
        ({"pathh": 1}, "pathh", "did you mean 'path'"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(declared, field, words):
    with pytest.raises(ValidationError) as raised:
        any_dataset.validate_python({"kind": "table", "path": "a.csv"} | declared)
    (error,) = raised.value.errors()
    assert field in error["loc"]
    assert words in error["msg"]


@pytest.mark.parametrize(
    ("value", "words"), [(-1.0, "row 4: a weight is a number not below 0"), (None, "row 4")]
)
def test_a_weight_that_is_none_is_named_with_its_row(value, words):
    frame = people().assign(w=1.0)
    frame.loc[4, "w"] = value
    with pytest.raises(ValueError, match=f"column 'w', {words}"):
        split_of(write("a.parquet", frame), id="id", weight="w")


@pytest.mark.parametrize(
    ("value", "words"),
    [("heavy", "a number, got in column 'w', row 0: 'heavy'"), (np.inf, "a finite number")],
)
def test_what_is_no_weight_is_called_one(value, words):
    frame = people().assign(w=["1"] * 120 if value == "heavy" else 1.0)
    frame.loc[0, "w"] = value
    with pytest.raises(ValueError, match=f"a.parquet: every weight must be {words}") as refused:
        split_of(write("a.parquet", frame), id="id", weight="w")
    assert "leave it empty" not in str(refused.value)


@pytest.mark.parametrize("role", ["group", "time"])
def test_a_group_or_time_that_is_missing_is_named_with_its_row(role):
    frame = people().assign(own=np.arange(120.0))
    frame.loc[6, "own"] = None
    with pytest.raises(ValueError, match=rf"a\.parquet: column 'own', row 6 has no {role}"):
        split_of(write("a.parquet", frame), id="id", **{role: "own"})


def test_rows_are_named_as_the_table_counts_them_and_how_it_does_is_told():
    frame = people().astype({"children": float})
    frame.loc[20, "children"] = 1e39
    with pytest.raises(ValueError, match=r"row 80: 1e\+39 .*\(row 60 is the first of t\.csv\)"):
        split_of(write("a.csv", people(60)), id="id", test=write("t.csv", frame))
    frame.loc[:4, "label"] = None
    with pytest.raises(ValueError, match=r"row 15: 1e\+39 .*\(the 5 rows without a label are not counted\)"):
        split_of(write("a.csv", frame), id="id")
    with pytest.raises(ValueError, match="looks like a name") as refused:
        split_of(write("a.csv"))
    assert "counted" not in str(refused.value)
