"""A timestamp, written any of the ways that have one meaning, comes back equal."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification_assets.learning.tables.date_words import date_word, day_comes_first

timestamps = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30)).map(
    lambda at: at.replace(microsecond=0)
)

FORMS = [
    *(
        "%Y/%m/%d %H:%M:%S",
        "%Y.%m.%d %H:%M:%S",
        "%d-%b-%Y %H:%M:%S",
        "%d %B %Y, %H:%M:%S",
        "%B %d, %Y %H:%M:%S",
    ),
    *(
        "%Y-%m-%d %H:%M:%S UTC",
        "%Y-%m-%dT%H:%M:%S.0000000",
        "%Y-%m-%d %I:%M:%S %p",
        "%a, %d %b %Y %H:%M:%S GMT",
    ),
    *("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S UTC %Y", "%d/%b/%Y:%H:%M:%S +0000", "%Y%m%dT%H%M%SZ"),
    *(
        "%Y-%m-%dT%H:%M:%S.000000000Z",
        "%Y:%m:%d %H:%M:%S",
        "%Y-%b-%d %H:%M:%S",
        "%Y-%m-%d %H:%M:%S +0000 UTC",
    ),
]


@pytest.mark.parametrize("form", FORMS)
@given(at=timestamps)
def test_every_form_of_one_meaning_comes_back(form, at):
    assert date_word(at.strftime(form)).timestamp(None) == at


@given(at=timestamps, day_first=st.booleans(), separator=st.sampled_from("/.-"))
def test_a_day_beside_its_month_needs_to_be_told(at, day_first, separator):
    order = ("%d", "%m") if day_first else ("%m", "%d")
    word = date_word(at.strftime(separator.join([*order, "%Y %H:%M:%S"])))
    assert word.timestamp(day_first) == at
    assert day_comes_first([word]) == (None if at.day <= 12 else day_first)
    assert word.timestamp(None) == (at if at.day == at.month else None)


@given(at=timestamps, minutes=st.integers(-14 * 60, 14 * 60))
def test_a_zone_is_turned_into_utc(at, minutes):
    sign, rest = "+-"[minutes < 0], abs(minutes)
    zoned = f"{at.replace(year=2024, day=1):%Y/%m/%d %H:%M:%S}{sign}{rest // 60:02}:{rest % 60:02}"
    found = date_word(zoned).timestamp(None)
    assert (at.replace(year=2024, day=1) - found).total_seconds() == 60 * minutes


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_none(text):
    found = date_word(text)
    assert found is None or found.timestamp(True) is None or isinstance(found.timestamp(True), datetime)


@pytest.mark.parametrize(
    "word",
    [
        "2024",
        "29-Feb-24",
        "24/02/29",
        "20240229",
        "2024-02-29 25:00",
        "2024-02-29 13:00 PM",
        "2024-02-29 10:00 EST",
        "10:00",
        "May",
        "may 5",
        "2024-Q1",
        "1,2,2024",
        "2024-02/29",
        "",
    ],
)
def test_other_words_are_no_dates(word):
    assert date_word(word) is None


def test_there_must_be_such_a_day():
    assert date_word("30 Feb 2024").timestamp(None) is None
    assert date_word("2/30/2024").timestamp(False) is None


def test_a_month_alone_is_its_first_day():
    words = ("2024-02", "Feb 2024", "February 2024", "Feb-2024")
    assert {date_word(word).timestamp(None) for word in words} == {datetime(2024, 2, 1)}


def test_eight_digits_are_a_date_where_one_is_declared():
    assert date_word("20240229", compact=True).timestamp(None) == datetime(2024, 2, 29)
    assert date_word("20240229101112", compact=True).timestamp(None) == datetime(2024, 2, 29, 10, 11, 12)
