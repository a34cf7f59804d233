"""Labels: which columns are classes, and what comes back of them."""

import datetime as dt
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classification_assets.learning.artifacts.storage import load, save
from classification_assets.learning.preparation.checks import labels_complete
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.profile import Profile
from classification_assets.learning.preparation.requirements import refuse_unfit
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import TableFile
from classification_assets.learning.tables.table import Table
from tests.learning.tables.people import people, split_of, table_of, write
from tests.learning.tables.small_files import good, lines, refused, written

pytestmark = pytest.mark.usefixtures("folder")


def labelled(labels):
    return written(good(len(labels)).assign(label=labels).to_csv(index=False))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            ["a"] * 60,
            r"a\.csv: column 'label': two classes or more are needed, but all 60 rows have the label",
        ),
        (np.arange(60), "60 different numbers in 60 rows .*rather a quantity than classes"),
        ([f"c{row}" for row in range(60)], "every row has a label of its own"),
        (np.linspace(0, 1, 60), "Estimate it by regression"),
        ([f"c{row // 2}" for row in range(20_000)], "there are 10,000 classes, and at most 1,000"),
        (
            [f"c{row // 2}" for row in range(60)],
            "the validation fold would have 12 of 60 rows, fewer than the 30",
        ),
        ([None] * 60, "all 60 rows are without a label"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels, words):
    refused(labelled(labels), words)


@pytest.mark.parametrize("path", ["a.csv", "a.parquet"])
def test_many_numbers_may_be_declared_to_be_classes(path):
    frame = good(160).assign(label=np.arange(160) % 40)
    frame.to_parquet("a.parquet")
    frame.to_csv("a.csv", index=False)
    refused(path, r"rather a quantity than classes.*columns: \{<the target>: categorical\}")
    table = Table.of(TableFile(path=path, columns={"label": "categorical"}))
    refuse_unfit(table, Folds(validation=0.25, test=0.25))


@pytest.mark.parametrize("label", [np.inf, np.uint64(2**64 - 1)])
def test_a_number_that_could_not_be_stored_is_no_label(label):
    good().assign(label=np.array([1, label], type(label)).repeat(30)).to_parquet("a.parquet")
    refused("a.parquet", r"a.parquet: column 'label': a number that is a label is finite and below 2\^63")


@pytest.mark.parametrize("role", ["label", "pairs"])
def test_a_column_of_what_is_no_value_is_named(role):
    frame = good().assign(pairs=[[1, 2]] * 60)
    frame = frame if role == "pairs" else frame.assign(label=frame["pairs"]).drop(columns="pairs")
    frame.to_parquet("a.parquet")
    refused("a.parquet", f"a.parquet: column '{role}' holds list<")


def test_a_target_that_is_not_there_is_told_with_what_is():
    refused(
        written("\n".join(lines())),
        "target: there is no column 'Label'; did you mean 'label'",
        target="Label",
    )


@pytest.mark.parametrize(
    "labels",
    [
        ["no", "yes"],
        [3, 7],
        [False, True],
        [1.0, 2.0],
        [dt.date(2020, 1, 1), dt.date(2021, 5, 4)],
        [dt.datetime(2020, 1, 1, 12), dt.datetime(2021, 5, 4, 6, 30)],
    ],
)
def test_labels_come_back_as_they_were_after_storing_too(labels, tmp_path):
    column = [labels[row % 2] for row in range(60)]
    pq.write_table(pa.table({"x": np.arange(60.0), "label": column}), "a.parquet")
    split = split_of("a.parquet")
    save(split, tmp_path / "split.parquet")
    again = load(tmp_path / "split.parquet")
    for classes in (split.classes, again.classes):
        assert classes == labels
        assert [type(label) for label in classes] == [type(label) for label in labels]
    assert [split.classes[code] for code in split.y] == column


def test_rows_without_a_label_are_left_out_and_counted():
    frame = people()
    frame.loc[[2, 9], "label"] = None
    for name in ("a.csv", "a.parquet"):
        table = table_of(write(name, frame), id="id")
        assert table.rows.n_rows == 118
        assert table.source.without_label == 2
        assert "p002" not in table.frame["id"].tolist()
        assert Split.of(table, Folds()).X.shape == (118, 5)


def test_a_class_whose_name_says_that_it_is_missing_is_told_and_can_be_kept():
    frame = people().assign(label=["low", "none", "high"] * 40)
    table = table_of(write("a.csv", frame), id="id")
    passed, sentence = labels_complete(Profile.of(table))
    assert not passed
    assert sentence.startswith("40 of 120 rows have no label and were left out; these words say that")
    assert "None none; if one is a class, list only the others in the YAML (missing: [''])" in sentence
    assert table_of("a.csv", id="id", missing=[""]).labels()[0] == ["high", "low", "none"]
    frame.loc[frame["label"] == "none", "label"] = None
    assert labels_complete(Profile.of(table_of(write("a.parquet", frame), id="id")))[1].endswith(
        "were left out"
    )


@pytest.mark.parametrize("name", ["a.csv.parquet", "parts.csv"])
def test_words_for_missing_are_told_where_the_file_has_some_whatever_its_name(name, folder):
    frame = people()
    frame.loc[2, "label"] = None
    os.rename(write("b.csv", frame), "a.data")
    assert "these words say" in labels_complete(Profile.of(table_of("a.data", id="id", format="csv")))[1]
    if name == "parts.csv":
        (folder / name).mkdir()
        frame.to_parquet(folder / name / "1.parquet")
    else:
        frame.to_parquet(name)
    assert (
        labels_complete(Profile.of(table_of(name, id="id")))[1]
        == "1 of 120 rows have no label and were left out"
    )
