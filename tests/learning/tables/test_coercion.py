"""Numbers with a decimal comma, which only a declaration tells from words: in every format."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter, ValidationError

from classification_assets.learning.tables import rows
from classification_assets.learning.tables.datasets import AnyDataset
from tests.learning.tables.people import people, split_of, table_of, write

pytestmark = pytest.mark.usefixtures("folder")

any_dataset = TypeAdapter(AnyDataset)


def test_numbers_may_have_a_decimal_comma_and_points_between_thousands(folder):
    words = ["1,5", "-2.000,25", "+1.234.567", "1234", ",5", "3,", "", "n/a"]
    numbers = [1.5, -2000.25, 1234567, 1234, 0.5, 3, np.nan, np.nan]
    texts = ["1.2.3", "a,b", "01.02.2024", "1.23", "1.234,", "x", "y", "z"]
    rows = [
        f"{word};{text};{'ja' if row % 2 else 'nein'}"
        for row, (word, text) in enumerate(zip(words, texts, strict=True))
    ]
    (folder / "a.csv").write_text("\n".join(["amount;text;label", *rows]))
    table = table_of("a.csv", separator=";", decimal=",", columns={"text": "categorical"})
    frame = table.rows.frame()
    np.testing.assert_array_equal(frame["amount"], numbers)
    assert frame["text"].tolist() == ["1.2.3", "a,b", "01.02.2024", "1.23", "1.234,", "x", "y", "z"]


def test_a_decimal_point_in_a_file_of_decimal_commas_is_no_number():
    frame = people().assign(height=[f"{row},5" for row in range(119)] + ["1.5"])
    frame.to_csv("a.csv", index=False, sep=";")
    with pytest.raises(ValueError, match=r"column 'height' holds numbers, but not in row 119: '1\.5'"):
        table_of("a.csv", id="id", separator=";", decimal=",")


def test_a_decimal_point_in_a_test_file_of_decimal_commas_is_named_as_it_stands():
    for name, last in (("a.csv", "7,5"), ("b.csv", "1.5")):
        people().assign(height=[f"{row},5" for row in range(119)] + [last]).to_csv(name, index=False, sep=";")
    with pytest.raises(ValueError, match=r"b\.csv: column 'height' .* not in row 119 here: '1\.5'"):
        table_of("a.csv", id="id", separator=";", decimal=",", test="b.csv")


def german(number):
    """A number as a German office writes it."""
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


def in_german(frame, **columns):
    """The frame with its amounts as German words, and other columns."""
    return frame.assign(amount=[german(1000 * row + 0.5) for row in range(len(frame))], **columns)


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "views.parquet"])
def test_words_of_json_lines_and_parquet_may_have_decimal_commas(name):
    frame = in_german(people(), children=[f"0{row % 3}12" for row in range(120)])
    frame.loc[[7, 8], "amount"] = [None, " 1,5 "]
    if name == "views.parquet":
        table = pa.Table.from_pandas(frame)
        index = table.schema.names.index("amount")
        views = table.column("amount").cast(pa.string_view())
        pq.write_table(table.set_column(index, "amount", views), name)
    else:
        write(name, frame)
    table = table_of(name, id="id", decimal=",")
    amounts = 1000.0 * np.arange(120) + 0.5
    amounts[[7, 8]] = np.nan, 1.5
    np.testing.assert_array_equal(table.frame["amount"], amounts)
    # Everything else is as it is without commas.
    for column in ("id", "age", "town", "member", "since", "children", "label"):
        assert table.frame[column].equals(table_of(name, id="id", drop=["amount"]).frame[column])


def test_parquet_whose_words_have_commas_is_told_how_to_say_so():
    with pytest.raises(
        ValueError, match=r"a\.parquet: column 'amount' .* such as '[0-9.]*,50'.*decimal: ','"
    ):
        split_of(write("a.parquet", in_german(people())), id="id")


@pytest.mark.parametrize(
    "declared", [{"kind": "python", "path": "own:table"}, {"kind": "sklearn", "name": "iris"}]
)
def test_what_is_no_file_has_no_decimal_commas(declared):
    with pytest.raises(ValidationError, match=r"decimal\n.*there is no such field; known are"):
        any_dataset.validate_python(declared | {"decimal": ","})


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_only_what_is_learned_from_becomes_a_number_where_words_have_decimal_commas(name):
    frame = in_german(people()).assign(own=[f"1.{row:03d}" for row in range(120)], label=["1,0", "2,0"] * 60)
    declared = {"drop": ["id"], "id": "own", "decimal": ","}
    table = table_of(write(name, frame), **declared)
    assert table.frame["own"].tolist() == frame["own"].tolist()
    assert table.labels()[0] == ["1,0", "2,0"]
    assert table.kinds()["amount"] == "numeric"
    table = table_of(name, **declared, columns={"amount": "categorical"})
    assert table.frame["amount"].tolist() == frame["amount"].tolist()


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
@pytest.mark.parametrize("columns", [{}, {"amount": "numeric"}])
def test_a_word_among_decimal_commas_is_named_with_its_row_in_json_lines_and_parquet(name, columns):
    frame = in_german(people())
    frame.loc[50, "amount"] = "1.5"
    with pytest.raises(
        ValueError, match=rf"{name}: column 'amount' holds numbers, but not in row 50: '1\.5'"
    ):
        table_of(write(name, frame), id="id", decimal=",", columns=columns)


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_among_decimal_commas_an_empty_word_is_missing_in_json_lines_and_parquet(name):
    frame = in_german(people())
    frame.loc[[4, 5], "amount"] = ["", " "]
    read = table_of(write(name, frame.assign(blank="")), id="id", decimal=",").frame
    assert np.flatnonzero(read["amount"].isna()).tolist() == [4, 5]
    assert (read["blank"] == "").all()


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_weights_may_have_decimal_commas_too(name):
    frame = in_german(people()).assign(importance=["0,5", "1,5"] * 60)
    if name == "a.csv":
        frame.to_csv(name, index=False, sep=";")
    else:
        write(name, frame)
    table = table_of(name, id="id", weight="importance", separator=";", decimal=",")
    assert table.weight().tolist() == [0.5, 1.5] * 60


@pytest.mark.parametrize(("main", "test"), [("jsonl", "jsonl"), ("parquet", "parquet"), ("csv", "jsonl")])
def test_a_test_file_of_decimal_commas_may_be_of_any_format(main, test):
    in_german(people()).to_csv("a.csv", index=False, sep=";", decimal=",")
    new = in_german(people(30, seed=1))
    path = "a.csv" if main == "csv" else write(f"a.{main}", in_german(people()))
    declared = {"path": path, "test": f"t.{test}", "id": "id", "separator": ";", "decimal": ","}
    write(f"t.{test}", new)
    found = table_of(**declared)
    assert found.frame["amount"].tolist() == [1000 * row + 0.5 for row in [*range(120), *range(30)]]
    new.loc[9, "amount"] = "old"
    write(f"t.{test}", new)
    with pytest.raises(
        ValueError, match=rf"t\.{test}: column 'amount' holds numbers, but not in row 9: 'old'"
    ):
        table_of(**declared)


def test_large_parquet_of_decimal_commas_needs_no_more_memory(monkeypatch):
    small = table_of(write("a.parquet", in_german(people())), id="id", decimal=",")
    monkeypatch.setattr(rows, "HELD_BYTES", 1000)
    monkeypatch.setattr(rows, "BATCH", 7)
    large = table_of("a.parquet", id="id", decimal=",")
    assert isinstance(large.rows, rows.ParquetRows)
    pd.testing.assert_frame_equal(large.frame, small.frame)


def test_a_comma_is_not_both_between_values_and_before_a_fraction():
    with pytest.raises(
        ValueError, match=r"a\.csv: a comma cannot stand between values and before a fraction"
    ):
        table_of(write("a.csv"), decimal=",")
