"""Numbers and dates among words are read as what they are, and alike whatever holds them; what is not sure is told."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification_assets.learning.tables.recognition import Spelling, doubt, in_yaml, recognized
from classification_assets.learning.tables.word_values import read_words
from tests.learning.tables.people import people, split_of, table_of, write

FRAME = Spelling()
TEXT = Spelling(source="text")


def read(words, spelling=TEXT, declared=None):
    """The values of some words, None if they are left as they are."""
    column = pa.array(words, pa.string())
    found = recognized(column, spelling, declared)
    return None if found is None else read_words(column, found.reading, "a").to_pylist()


def doubted(words, spelling=TEXT):
    """Why words are not read."""
    return doubt(pd.Series(words).value_counts().to_dict(), "a", spelling)


@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=3, unique=True),
    st.sampled_from(["{}%", "{} %", "{} kg", "${:,}", "{:,} €", "{}°C", "{} apples"]),
    st.sampled_from([".", "n.a.", "Unknown", "--", "", "NULL"]),
)
def test_numbers_come_back_with_gaps_for_the_words_that_say_so(numbers, form, gap):
    pointed = numbers if "," not in form or "$" in form else [*numbers, 1234567]
    assert read([gap, *map(form.format, pointed), gap]) == [None, *pointed, None]


def test_brackets_are_negative_where_some_are_not_in_brackets():
    assert read(["(5)", "7", "(1,200,000)"]) == [-5, 7, -1200000]
    assert read(["(212)", "(213)", "(646)"]) is None


def test_bounds_are_their_number_unless_they_are_all_there_is():
    assert read(["<5", "7", "8", "9", "90+", "."]) == [5, 7, 8, 9, 90, None]
    assert read(["<10", "10", ">10"]) is None
    assert read(["0-17", "18-64", "65+"]) is None


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["5 kg", "6 g", "7 kg"], r"several units \('g', 'kg'\): write all in one"),
        (["5%", "0.5", "7%"], r"several units \(none, '%'\)"),
        (["$5", "6 €", "7 €"], r"several units"),
        (["5", "6", "7", "few"], r"other words in 1 of 4 cells \('few'\).*missing: \[few\]\)"),
        (["5", "6", "7", "it's"], r"missing: \['it''s'\]"),
        (["1,500", "2,250", "3,125"], "comma or point may stand between thousands or before a fraction"),
        (
            ["01/02/2024", "03/04/2024", "05/06/2024"],
            "do not tell whether the day comes first: say so .day_first: true",
        ),
        (
            ["2024/1/1", "2024/1/2", "2024/1/3", "soon"],
            r"holds dates such as '2024/1/1', but other words in 1 of 4 cells",
        ),
    ],
)
def test_what_cannot_be_decided_is_told_with_what_to_declare(words, why):
    assert read(words) is None
    told = doubted(words)
    pd.testing.assert_series_equal(pd.Series([told]).str.contains(why), pd.Series([True]))
    assert "columns: {a: categorical}" in told


def test_advice_on_a_frame_is_no_yaml_of_files():
    assert "make them missing" in doubted([*map(str, range(40)), "few"], FRAME)
    assert "missing: [" not in doubted([*map(str, range(40)), "few"], FRAME)


@pytest.mark.parametrize(
    "words",
    [
        ["Oslo", "Rome", "-"],
        ["A1", "A2", "7"],
        ["007", "012"],
        ["1x2", "3x4", "5x6"],
        ["1-2", "3-4", "5-6"],
        ["5/7", "6/7", "4/7"],
        ["v1.2.3"],
        ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
        ["555-0001", "555-0002", "555-0003"],
        ["2024-01-01", "2024-01-02"],
        ["."],
        [],
    ],
)
def test_other_words_are_left_as_they_are_without_a_doubt(words):
    assert read(words) is None
    assert doubted(words) == ""


def test_words_of_a_format_that_knows_numbers_are_codes_if_they_are_few_or_whole():
    codes, many, halves = map(str, range(5)), map(str, range(100)), [f"{number}.5" for number in range(100)]
    codes, many = list(codes), list(many)
    assert read([*codes, "unknown"]) == [*range(5), None]
    assert read([*codes, "unknown"], FRAME) is None
    assert doubted([*codes, "unknown", "few"], FRAME) == ""
    assert read(many, FRAME) is None
    assert "columns: {a: numeric}" in doubted(many, FRAME)
    assert read(many, FRAME, "numeric") == list(range(100))
    assert read([*many, "."], FRAME) == [*range(100), None]
    assert read(halves, FRAME) == [number + 0.5 for number in range(100)]


def test_several_scales_are_multiplied_and_one_is_a_unit():
    assert read(["$900k", "$1.2M", "$7", "0"]) == [900e3, 1.2e6, 7, 0]
    assert read(["9.5k", "1.5 k", "7k"]) == [9.5, 1.5, 7]


def test_thousands_are_told_from_fractions_by_the_other_numbers():
    assert read(["1,500", "7", "12"]) == [1500, 7, 12]
    assert read(["1,505", "7", "12"]) is None
    assert read(["1,505", "7.25"]) == [1505, 7.25]
    assert read(["1,505", "2500", "7", "8"]) is None
    assert read(["1.505", "7", "8"], Spelling(decimal=",", source="text")) == [1505, 7, 8]


def test_a_word_that_is_declared_missing_is_so_in_every_format():
    spelling = Spelling(missing=("few",), source="typed")
    assert read([*(f"{number} kg" for number in range(9)), "few"], spelling) == [*range(9), None]


@given(st.text(max_size=20))
def test_words_stand_in_yaml_as_they_are(word):
    yaml = pytest.importorskip("yaml")
    if word.isprintable():
        assert yaml.safe_load(f"[{in_yaml(word)}]") == [word]


FORMS = {
    "percent": lambda n: [f"{number}.5%" for number in range(n)],
    "money": lambda n: [f"${1000 * number:,}" for number in range(n)],
    "gaps": lambda n: ["." if number % 3 == 0 else f"{number}.25" for number in range(n)],
    "day": lambda n: list(pd.date_range("2024-01-01", periods=n).strftime("%m/%d/%Y")),
    "at": lambda n: list(pd.date_range("2024-01-01", periods=n, freq="h").strftime("%d %b %Y %I:%M %p")),
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("test", [None, "t.csv", "t.parquet"])
def test_every_format_reads_words_alike(form, test):
    frame = people().assign(value=FORMS[form](120))
    later = people(30, seed=1).assign(value=FORMS[form](30))
    found = {}
    for name in ("a.csv", "a.parquet", "a.jsonl"):
        table = table_of(write(name, frame), id="id", test=test and write(test, later))
        assert list(table.source.readings) == ["value"]
        found[name] = table.frame["value"]
    assert found["a.csv"].dtype.kind in "fM"
    assert (
        found["a.csv"].notna().sum() == (100 if test else 80)
        if form == "gaps"
        else found["a.csv"].notna().all()
    )
    pd.testing.assert_series_equal(found["a.parquet"], found["a.csv"])
    pd.testing.assert_series_equal(found["a.jsonl"], found["a.csv"])


@pytest.mark.usefixtures("folder")
def test_a_column_declared_to_be_a_date_is_read_in_every_spelling():
    frame = people().assign(day=pd.date_range("2024-01-01", periods=120).strftime("%Y%m%d"))
    split = split_of(write("a.csv", frame), id="id", columns={"day": "date"})
    assert split.preprocessing.kinds["day"] == "date"
    assert np.ptp(split.X[:, -1]) == 119


@pytest.mark.usefixtures("folder")
def test_time_and_weight_may_be_words_too():
    days = pd.date_range("2024-01-01", periods=120).strftime("%d.%m.%Y")
    frame = people().assign(day=days, importance=[f"{1 + row % 3} kg" for row in range(120)])
    table = table_of(write("a.csv", frame), id="id", time="day", weight="importance")
    assert np.all(np.diff(table.time()) > 0)
    assert table.weight().tolist() == [1 + row % 3 for row in range(120)]
