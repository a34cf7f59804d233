"""A number, written any of the ways in which people write numbers, comes back equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification_assets.learning.tables.number_words import MONEY, number_word

whole = st.integers(-(10**12), 10**12)
cents = whole.map(lambda number: number / 100)
spaces = st.sampled_from(["", " ", "\u00a0", "\u202f"])


@given(st.one_of(whole, cents), st.sampled_from([",", "'", "’", " ", "\u00a0", ""]))
def test_thousands_may_be_apart(number, between):
    assert number_word(f"{number:,}".replace(",", between)).value == number


@given(cents, st.sampled_from([".", ""]))
def test_a_decimal_comma_is_read_where_it_is_declared(number, between):
    german = f"{number:,.2f}".replace(",", "_").replace(".", ",").replace("_", between)
    assert number_word(german, decimal=",").value == number


@given(cents, st.sampled_from(MONEY), spaces, st.booleans())
def test_money_may_have_its_sign_at_either_side(number, sign, space, before):
    amount = f"{abs(number):,.2f}"
    word = f"{sign}{space}{amount}" if before else f"{amount}{space}{sign}"
    minus = "-" if number < 0 else ""
    assert number_word(minus + word).value == number
    assert number_word(word).unit == number_word(f"1 {sign}").unit
    if number < 0:
        assert number_word(f"({word})").value == number
        assert number_word(f"\u2212{word}").value == number
        assert number_word(f"{amount}-").value == number


@given(
    st.one_of(whole, cents, st.floats(-1e300, 1e300)),
    spaces,
    st.sampled_from(["%", "kg", "°C", "mg/dL", "h", "m²"]),
)
def test_a_unit_changes_no_number(number, space, unit):
    found = number_word(f"{number!r}{space}{unit}")
    assert (found.value, found.unit, found.bound) == (number, unit, False)


@given(whole, st.sampled_from(["<{}", "> {}", "<={}", "≥{}", "{}+", "~{}", "under {}", "{} or more"]))
def test_a_bound_is_its_number(number, form):
    found = number_word(form.format(number))
    assert found.bound
    assert found.value == number


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_none(text):
    found = number_word(text)
    assert found is None or isinstance(found.value, float)


@pytest.mark.parametrize(
    "word",
    [
        "007",
        "A12",
        "12-14",
        "3/4",
        "1.2.3",
        "1,23",
        "1,2345",
        "12:30",
        "(5",
        "5)",
        "-(5)",
        "--5",
        "5 to 6",
        "$",
        "%",
        "room 5",
        "5b7",
        "1 23",
        "+-5",
        "1e",
        "nan",
        "5 & 6",
        "10.0.0.1",
        "12 Main St 5",
        "",
        "½",
    ],
)
def test_other_words_are_no_numbers(word):
    assert number_word(word) is None


def test_a_unit_is_one_whether_there_is_one_of_it_or_several_but_milli_is_not_mega():
    assert number_word("1 year").unit == number_word("10+ years").unit == number_word("3 Years").unit
    assert number_word("1 mW").unit != number_word("1 MW").unit


def test_a_comma_is_surely_between_thousands_if_there_are_two_or_a_point():
    words = {
        "1,234": "perhaps",
        "1,234,567": "surely",
        "1,234.5": "surely",
        "12,34,567": "surely",
        "1234": "none",
    }
    assert {word: number_word(word).comma for word in words} == words
