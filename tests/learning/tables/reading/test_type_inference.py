"""All values of a column decide its type, and a word among numbers is named with its row."""

import numpy as np
import pytest

from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.profile import Profile
from classification_assets.learning.preparation.split import Split
from tests.learning.tables.people import table_of
from tests.learning.tables.small_files import good, lines, refused, used, written

pytestmark = pytest.mark.usefixtures("folder")


def test_a_column_without_any_value_serves_nothing_and_is_told():
    table = used(
        written("\n".join(f"{row}," if row != "age,town,label" else f"{row},none" for row in lines()))
    )
    split = Split.of(table, Folds())
    assert np.isnan(split.X[:, 2]).all()
    assert np.isfinite(split.preprocessing.features(split.X)).all()
    assert Profile.of(table).constant == ["none"]


@pytest.mark.parametrize("value", ["inf", "-Infinity", "1e999"])
def test_an_infinite_value_is_named_with_column_and_row(value):
    rows = lines()
    rows[6] = f"{value},{rows[6].partition(',')[2]}"
    refused(
        written("\n".join(rows)),
        r"a\.csv: every feature must be a finite number, got in column 'age', row 5: -?inf .*leave it empty",
    )


def test_a_word_among_numbers_is_named_and_may_be_declared_missing():
    rows = lines()
    rows[6] = f"old,{rows[6].partition(',')[2]}"
    refused(
        written("\n".join(rows)),
        r"column 'age' holds numbers, but not in row 5: 'old'.*empty.*missing: \[old\]",
    )
    assert used("a.csv", missing=["old"]).frame["age"].isna().sum() == 1


def test_an_empty_word_is_missing_whatever_else_is():
    rows = lines()
    rows[6], rows[7] = (
        f"{word},{row.partition(',')[2]}" for word, row in zip(["", "old"], rows[6:8], strict=True)
    )
    table = used(written("\n".join(rows)), missing=["old"])
    assert table.kinds()["age"] == "numeric"
    assert table.frame["age"].isna().sum() == 2


@pytest.mark.parametrize("number", ["{},5", "1,{}00", "-1.{}00,25"])
def test_numbers_with_a_comma_are_not_taken_for_words(number):
    frame = good().assign(width=[number.format(1 + row % 9) for row in range(60)])
    frame.loc[3, "width"] = "7"
    path = written(frame.to_csv(index=False))
    refused(path, "column 'width' holds numbers with a comma, such as .*columns: {width: categorical}")
    refused(
        path, "column 'width' holds numbers with a comma, such as .*thousands$", columns={"width": "numeric"}
    )
    assert used(path, columns={"width": "categorical"}).kinds()["width"] == "categorical"


@pytest.mark.parametrize("day", ["{:02}.02.2024", "2/{}/2024 12:30", "{}-2-2024"])
def test_dates_whose_day_may_be_the_month_are_not_taken_for_words(day):
    frame = good().assign(since=[day.format(1 + row % 12) for row in range(60)])
    path = written(frame.to_csv(index=False))
    refused(
        path,
        f"column 'since' holds dates such as '{day.format(1)}'; write the year first.*day_first: true.*"
        "since: categorical",
    )
    assert used(path, columns={"since": "categorical"}).kinds()["since"] == "categorical"
    for day_first in (True, False):
        read = used(path, day_first=day_first).frame["since"]
        assert read[0].month == (2 if day_first != day.startswith("2") else 1)


def test_words_with_a_comma_in_some_are_words():
    frame = good().assign(rooms=["none", "12,14", "attic"] * 20)
    assert used(written(frame.to_csv(index=False))).kinds()["rooms"] == "categorical"


def test_what_words_mean():
    with open("a.csv", "w") as opened:
        opened.write("zip, n,x,flag,day,at,word,label\n")
        for row in range(40):
            opened.write(
                f"0{row % 3}12, +{row},{row}.5e1,{'TRUE' if row % 2 else 'false'},2024-02-0{1 + row % 9},"
                f"2024-02-29T12:30:00Z, x{row % 2} ,{'01' if row % 2 else '02'}\n"
            )
    types = {field.name: str(field.type) for field in table_of("a.csv").rows.schema}
    assert types == {
        "zip": "string",
        "n": "int64",
        "x": "double",
        "flag": "bool",
        "day": "date32[day]",
        "at": "timestamp[us]",
        "word": "string",
        "label": "string",
    }
    frame = table_of("a.csv").frame
    assert frame["zip"][0] == "0012"
    assert frame["word"].unique().tolist() == ["x0", "x1"]
    assert frame["label"].unique().tolist() == ["02", "01"]
