"""Labels: which columns are classes, and what comes back of them."""

import datetime as dt
import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classification_assets.learning.artifacts.storage import load, save
from classification_assets.learning.preparation.checks import labels_complete, labels_differ
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.profile import Profile
from classification_assets.learning.preparation.requirements import refuse_unfit
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import TableFile
from classification_assets.learning.tables.labels import alike
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


FORMATS = pytest.mark.parametrize("path", ["a.csv", "a.tsv", "a.parquet", "a.jsonl"])


@FORMATS
@pytest.mark.parametrize("word", ["-", "None", "NA", "none", "null"])
def test_a_class_that_is_named_as_what_is_missing_is_one_in_every_format_and_told(path, word):
    frame = people().assign(label=["low", word, "high"] * 40)
    table = table_of(write(path, frame), id="id")
    assert table.labels()[0] == sorted(["high", "low", word])
    passed, sentence = labels_complete(Profile.of(table))
    assert not passed
    assert f"classes are named as what is missing: {word!r} (40 rows)" in sentence
    assert labels_complete(Profile.of(table_of(path, id="id", missing=[""])))[0]
    declared = table_of(path, id="id", missing=["", word])
    assert declared.labels()[0] == ["high", "low"]
    assert declared.source.without_label == 40


@pytest.mark.parametrize("path", ["a.csv", "a.tsv"])
def test_a_word_that_says_elsewhere_in_the_text_that_a_value_is_missing_is_no_class(path):
    frame = people().assign(label=["low", "NA", "high"] * 40)
    frame["town"] = frame["town"].fillna("NA")
    table = table_of(write(path, frame), id="id")
    assert table.labels()[0] == ["high", "low"]
    passed, sentence = labels_complete(Profile.of(table))
    assert not passed
    assert sentence.startswith("40 of 120 rows have no label and were left out; these words say that")
    assert "None none; if one is a class, list only the others in the YAML (missing: [''])" in sentence


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([0, 1], [0, 1]),
        ([1.5, 2.5], [1.5, 2.5]),
        (["true", "false"], [False, True]),
        (["2020-01-01", "2021-01-01"], [dt.date(2020, 1, 1), dt.date(2021, 1, 1)]),
    ],
)
def test_among_numbers_truth_values_and_dates_a_word_for_missing_is_no_class(labels, classes):
    frame = people().assign(label=[*labels, "NA"] * 40)
    table = table_of(write("a.csv", frame), id="id")
    assert table.labels()[0] == classes
    assert table.source.without_label == 40


def test_a_test_file_decides_with_the_table_what_a_class_is():
    frame = people().assign(label=["low", "none", "high"] * 40)
    write("a.csv", frame)
    write("b.csv", frame[:30])
    assert table_of("a.csv", id="id", test="b.csv").labels()[0] == ["high", "low", "none"]
    write("b.csv", frame[:30].assign(town="none"))
    with pytest.raises(ValueError, match="50 rows have no label; where the test fold has a file of its own"):
        table_of("a.csv", id="id", test="b.csv")


def test_rows_without_a_label_are_told_where_one_class_is_left():
    frame = people().assign(label=["low", None] * 60)
    with pytest.raises(ValueError, match=r"all 60 rows have the label 'low' \(and the 60 others have none\)"):
        split_of(write("a.csv", frame), id="id")


@FORMATS
def test_blanks_around_a_label_do_not_count_and_blanks_alone_are_none(path):
    frame = people().assign(label=["low", " low", "high\t", "high", "  ", ""] * 20)
    table = table_of(write(path, frame), id="id")
    assert table.labels()[0] == ["high", "low"]
    assert table.class_counts()["rows"].tolist() == [40, 40]
    assert table.source.without_label == 40
    assert Split.of(table, Folds()).classes == ["high", "low"]


def test_categories_of_a_frame_are_labels_by_the_same_rule():
    frame = people().assign(label=["low", "low ", "high"] * 40).astype({"label": "category"})
    table = table_of(write("a.parquet", frame), id="id")
    assert table.labels()[0] == ["high", "low"]


@FORMATS
@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["yes", "YES", "no"], "'YES' (40 rows) and 'yes' (40 rows)"),
        (["no go", "no  go", "go"], "'no  go' (40 rows) and 'no go' (40 rows)"),
        (["true", "1", "no"], "'1' (40 rows) and 'true' (40 rows)"),
        (["A", "b", "B"], "'B' (40 rows) and 'b' (40 rows)"),
        (["2", "2.0", "x"], "'2' (40 rows) and '2.0' (40 rows)"),
    ],
)
def test_labels_that_look_alike_fail_a_check_that_names_them(path, labels, words):
    table = table_of(write(path, people().assign(label=labels * 40)), id="id")
    passed, sentence = labels_differ(Profile.of(table))
    assert not passed
    assert sentence.startswith(f"classes look like one, written differently: {words}; if they are one")


@pytest.mark.parametrize(
    "labels",
    [
        ["yes", "no"],
        [0, 1],
        [1.0, 2.5],
        [True, False],
        ["01", "1"],
        ["1234567", "1234568"],
        ["-1", "1"],
        ["a", "á"],
    ],
)
def test_labels_that_differ_by_more_are_not_alike(labels):
    assert alike(labels) == []


def test_truth_values_and_numbers_in_one_column_of_json_lines_look_alike():
    frame = people().drop(columns="label")
    rows = [own | {"label": [True, 1, "no"][row % 3]} for row, own in enumerate(frame.to_dict("records"))]
    with open("a.jsonl", "w") as file:
        file.writelines(json.dumps(own, default=str) + "\n" for own in rows)
    passed, sentence = labels_differ(Profile.of(table_of("a.jsonl", id="id")))
    assert not passed
    assert "'1' (40 rows) and 'true' (40 rows)" in sentence


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
