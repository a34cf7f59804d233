"""Names in any script are read on a figure, as far as the machine's fonts go."""

import io
import logging
import warnings

import numpy as np
import pytest
from matplotlib.font_manager import fontManager
from matplotlib.text import Text
from PIL import Image

from classification_assets.learning.figures.animation import animation
from classification_assets.learning.figures.canvas.export import png, svg
from classification_assets.learning.figures.canvas.glyphs import LAST_RESORT, font_file
from classification_assets.learning.figures.canvas.legend import shortened
from classification_assets.learning.figures.confusion import confusion
from classification_assets.learning.figures.roc_pr import roc_pr

# DejaVu Sans has none of these. Matplotlib itself brings a font with the first; nobody has one with the second.
SOMEWHERE, NOWHERE = "\N{SCRIPT SMALL G}", "\U0010fffd"


def drawn(*names):
    return confusion(np.diag([9] * len(names)) + 1, list(names))


def families(figure, text):
    (found,) = {
        tuple(own.get_fontfamily())
        for own in figure.findobj(Text)
        if own.get_text() == text and own.get_visible()
    }
    return found


@pytest.fixture
def boxes(monkeypatch):
    """Letters that no font has are told as in a new process."""
    monkeypatch.setattr("classification_assets.learning.figures.canvas.glyphs._told", set())


def test_a_letter_that_the_usual_font_has_not_is_drawn_in_another_that_has_it(caplog):
    figure = drawn(f"{SOMEWHERE}amma", "beta")
    assert families(figure, "beta") == ("DejaVu Sans",)
    usual, other = families(figure, f"{SOMEWHERE}amma")
    assert usual == "DejaVu Sans"
    assert other not in (usual, LAST_RESORT)
    assert not caplog.records


def test_what_no_font_has_is_told_once_for_all_figures_and_instead_of_warnings(caplog, boxes):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for _ in range(2):
            figure = confusion(np.eye(3, dtype=int), [f"a {NOWHERE}", f"b {NOWHERE}", "c"], title=NOWHERE)
            assert png(figure)
            assert svg(figure)
    assert not warned
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert NOWHERE in record.getMessage()
    assert "apt-get install" in record.getMessage()


@pytest.mark.parametrize("name", ["正常", "カタカナ", "고양이"])
def test_of_east_asian_names_the_package_is_named_where_no_font_has_them(name, caplog, boxes):
    figure = drawn(name, "other")
    if LAST_RESORT in families(figure, name):
        assert "apt-get install fonts-noto-cjk" in caplog.text
        assert all(letter in caplog.text for letter in name)
    else:
        assert not caplog.records


def test_fonts_are_looked_for_only_where_a_letter_is_missing(monkeypatch):
    def never(*_):
        raise AssertionError("fonts were looked for")

    monkeypatch.setattr("classification_assets.learning.figures.canvas.glyphs._fonts", never)
    assert png(drawn("Größe", "naïve", "β → ★", "نظام", "до"))


def test_an_animation_is_written_in_these_fonts_too(snapshots, rows, extent, caplog, boxes):
    def first(*names):
        gif = animation(snapshots(2, 3), extent, classes=list(names), points=rows(2), title="moons")
        return np.asarray(Image.open(io.BytesIO(gif)).convert("RGB"))

    assert first(SOMEWHERE, "b").shape[0] == first("g", "b").shape[0]
    assert not caplog.records
    first(NOWHERE, "b")
    assert NOWHERE in caplog.text


def test_where_only_one_font_can_be_given_it_is_the_one_with_the_most_of_the_letters(monkeypatch):
    # It has brackets, and no letter of Latin.
    only = [font for font in fontManager.ttflist if font.name == "STIXSizeOneSym" and font.weight == 400]
    monkeypatch.setattr(
        "classification_assets.learning.figures.canvas.glyphs._family_with", lambda _: only[0].name
    )
    bracket = "\N{TOP SQUARE BRACKET}"
    assert font_file(bracket) == only[0].fname
    assert "DejaVuSans" in font_file(f"a kind {bracket}")


def test_a_wide_letter_counts_as_two():
    assert shortened("一二三四五六", 12) == "一二三四五六"
    assert shortened("一二三四五六七八九十", 12) == "一二三…九十"


def test_numbers_before_a_word_of_arabic_keep_their_places(predicted, texts):
    entry = next(text for text in texts(roc_pr(*predicted(2), classes=["نظام", "ab"])) if "نظام" in text)
    assert entry.startswith("\N{LEFT-TO-RIGHT MARK}")
