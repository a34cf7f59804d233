"""How a column's words were read is told by its table's profile, and kept for the rows that are predicted later."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from classification_assets import NeuralClassifier, load_classifier
from classification_assets.learning.artifacts.storage import load, save
from classification_assets.learning.models.predictions import check_file
from classification_assets.learning.preparation.checks import read_as_meant
from classification_assets.learning.preparation.folds import Folds
from classification_assets.learning.preparation.gates import Delivery, Gates, same_columns
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.preparation.profile import Profile
from classification_assets.learning.preparation.requirements import refuse_unfit
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import Roles, TableFile, UnlabelledFile
from classification_assets.learning.tables.table import Table

N = 200
NUMBER = np.arange(N) % 97


def frame(unit="kg"):
    """Rows in which a number has a unit, a date its month's name, and a word is missing here and there."""
    weight = [f"{number / 2} {unit}" if number % 5 else "n.a." for number in NUMBER]
    day = pd.date_range("2024-01-01", periods=N).strftime("%d %b %Y")
    return pd.DataFrame(
        {"weight": weight, "day": day, "label": np.where(np.arange(N) % 97 > 50, "high", "low")}
    )


def table(path="a.csv", **declared):
    return Table.of(TableFile(path=path, **declared))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame().to_csv("a.csv", index=False)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_profile_tells_how_words_were_read_and_how_many_cells_are_missing():
    profile = Profile.of(table())
    told = f"numbers in kg; {(NUMBER % 5 == 0).sum()} cells taken as missing ('n.a.')"
    assert profile.described().set_index("column")["read as"].to_dict() == {
        "weight": told,
        "day": "dates",
        "label": "",
    }
    assert read_as_meant(profile) == (True, f"read from words: weight ({told}), day (dates)")
    plain = Table.of_frame(pd.DataFrame({"x": range(9), "label": list("abc") * 3}))
    assert "read as" not in Profile.of(plain).described()


@pytest.mark.usefixtures("folder")
def test_a_column_that_cannot_be_decided_fails_a_check_until_it_is_declared():
    mixed = frame().assign(weight=[f"{number}" if number % 3 else "few" for number in NUMBER])
    mixed.to_csv("a.csv", index=False)
    passed, told = read_as_meant(Profile.of(table()))
    assert not passed
    assert "missing: [few]" in told
    assert "columns: {weight: categorical}" in told
    assert read_as_meant(Profile.of(table(columns={"weight": "categorical"})))[0]
    read = table(missing=["few"])
    assert read_as_meant(Profile.of(read))[0]
    assert read.kinds()["weight"] == "numeric"


@pytest.mark.usefixtures("folder")
def test_numbers_beside_another_word_are_not_refused_as_free_text():
    several = frame().assign(weight=[f"{row}.5" if row % 3 else "few" for row in range(N)])
    several.to_csv("a.csv", index=False)
    with pytest.raises(ValueError, match=r"other words in 67 of 200 cells \('few'\).*missing: \[few\].*drop"):
        refuse_unfit(table(), Folds())


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_rows_to_predict_are_read_as_those_that_were_learned_from(ending):
    learned = Split.of(table(), Folds())
    assert Preprocessing.model_validate_json(learned.preprocessing.model_dump_json()) == learned.preprocessing
    own = learned.preprocessing.encode(frame())
    np.testing.assert_array_equal(own, learned.X)
    numbers = frame().assign(
        weight=np.where(NUMBER % 5, NUMBER / 2, np.nan), day=pd.to_datetime(frame()["day"])
    )
    np.testing.assert_array_equal(learned.preprocessing.encode(numbers), learned.X)
    for rows in (frame(), frame("g")):
        new = rows.drop(columns="label")
        match ending:
            case "csv":
                new.to_csv("new.csv", index=False)
            case "parquet":
                new.to_parquet("new.parquet")
            case "jsonl":
                new.to_json("new.jsonl", orient="records", lines=True)
        if rows["weight"][1].endswith("kg"):
            assert check_file(learned, UnlabelledFile(path=f"new.{ending}")) == N
            continue
        with pytest.raises(
            ValueError,
            match=rf"new\.{ending}: column 'weight' holds numbers in kg, .* row 1: '0\.5 g' \(in g\)",
        ):
            check_file(learned, UnlabelledFile(path=f"new.{ending}"))


def test_a_stored_table_and_split_keep_how_words_were_read(folder):
    read = table()
    save(read, folder / "table.parquet")
    save(Split.of(read, Folds()), folder / "split.parquet")
    assert load(folder / "table.parquet").source == read.source
    assert load(folder / "split.parquet").preprocessing.readings == {
        name: found.reading for name, found in read.source.readings.items()
    }


@pytest.mark.usefixtures("folder")
def test_preprocessing_without_such_words_is_stored_as_before():
    numbers = pd.DataFrame({"x": np.arange(9.0), "label": list("abc") * 3})
    split = Split.of(Table.of_frame(numbers), Folds(validation=0.34, test=0.34))
    assert "reading" not in json.loads(split.preprocessing.model_dump_json())["columns"][0]


@pytest.mark.usefixtures("folder")
def test_another_unit_is_another_column_but_reading_words_at_last_is_none():
    before = table()
    frame("g").to_csv("a.csv", index=False)
    passed, told = same_columns(Delivery(Profile.of(table()), before, Gates()))
    assert not passed
    assert "weight (numbers in kg, now numbers in g)" in told
    # As an earlier version has stored it.
    unread = Table.of_frame(frame("g"), Roles(), before.source.replaced(readings={}))
    assert same_columns(Delivery(Profile.of(table()), unread, Gates()))[0]


def test_a_classifier_reads_the_words_of_a_frame_and_keeps_how(tmp_path):
    rows, labels = frame().drop(columns="label"), frame()["label"]
    numbers = rows.assign(weight=np.where(NUMBER % 5, NUMBER / 2, np.nan), day=pd.to_datetime(rows["day"]))
    options = {"members": 2, "max_epochs": 5, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of_words = NeuralClassifier("linear", **options).fit(rows, labels)
    kinds = of_words.fitted_.provenance.preprocessing.kinds
    assert kinds == {"weight": "numeric", "day": "date"}
    np.testing.assert_array_equal(of_words.predict_proba(numbers), of_words.predict_proba(rows))
    of_words.save(tmp_path / "words.safetensors")
    opened = load_classifier(tmp_path / "words.safetensors")
    np.testing.assert_array_equal(opened.predict_proba(rows), of_words.predict_proba(rows))


def test_a_classifier_warns_of_words_that_it_cannot_decide_on():
    rows = frame().drop(columns="label").assign(weight=[f"{n % 9} {'kg' if n % 2 else 'g'}" for n in NUMBER])
    with pytest.warns(UserWarning, match=r"'weight', of which categories are learned, .* several units"):
        NeuralClassifier("linear", members=2, max_epochs=2, random_state=0).fit(rows, frame()["label"])


def test_numbers_of_a_spreadsheet_have_gaps_where_a_word_says_so():
    sheet = pd.DataFrame({"x": [1, 2.5, ".", None, "n/a", *range(95)], "label": list("ab") * 50})
    found = Table.of_frame(sheet)
    assert found.kinds() == {"x": "numeric"}
    np.testing.assert_array_equal(found.rows.column("x")[:6].to_pylist(), [1, 2.5, None, None, None, 0])
    with pytest.raises(ValueError, match="column 'x' holds values of several types"):
        Table.of_frame(sheet.replace({"x": {".": "tall"}}))
