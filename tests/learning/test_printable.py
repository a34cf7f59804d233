"""Texts out of data are printed, drawn and marked up as what they are."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification_assets.learning.check import Check
from classification_assets.learning.printable import (
    code_in_markdown,
    in_markdown,
    printable,
    without_control,
)


@given(st.text())
def test_what_is_printable_is_one_line_without_control_characters(text):
    shown = printable(text)
    assert not [letter for letter in shown if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")]
    assert printable(shown) == shown
    shown.encode()


def test_a_control_character_is_seen():
    assert printable("red\x1b[31m\r\nbell\x07 \x7f \u202eleft") == "red␛[31m bell␇ ␡ �left"
    assert without_control("two\nlines\x00") == "two\nlines␀"


@pytest.mark.parametrize("text", ["max_epochs", "[0.480, 0.693]", "0 to 0.5", "Größe – ü", "a-b", "50 %"])
def test_usual_texts_are_left_as_they_are(text):
    assert printable(text) == in_markdown(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>", "&lt;script&gt;"),
        ("a|b", "a\\|b"),
        ("`x`", "\\`x\\`"),
        ("$x^2$", "\\$x^2\\$"),
        ("**b** _i_", "\\*\\*b\\*\\* \\_i\\_"),
        ("[l](javascript:x)", "[l\\](javascript:x)"),
        ("![p](x)", "\\![p\\](x)"),
        ("&amp;", "&amp;amp;"),
        ("a\nb", "a b"),
        ("a\\", "a\\\\"),
    ],
)
def test_markup_is_shown_and_not_followed(text, shown):
    assert in_markdown(text) == shown


@given(st.text(alphabet="`ab |\n", max_size=12))
def test_code_ends_where_its_text_does(text):
    code = code_in_markdown(text)
    fence = re.match("`+", code)[0]
    inside = code[len(fence) : -len(fence)]
    assert code.endswith(fence)
    assert not re.search(f"(?<!`){fence}(?!`)", inside)
    assert "\n" not in code


def test_a_check_says_its_sentence_in_one_line():
    check = Check("name", "", lambda value: (False, f"the rarest class, {value}"))
    assert check.verdict("a\nb\x1b[2J") == (False, "the rarest class, a b␛[2J")
