"""Rows of a panel are named and told in the order in which they are given."""

import pytest
from matplotlib.text import Annotation

from classification_assets.learning.figures.canvas.rows import name_rows, rule_rows, tell_rows
from classification_assets.learning.figures.canvas.style import sheet

NAMES = ["first", "second", "of a name of fifty letters the ends are shown, not all"]


@pytest.fixture
def rows():
    with sheet("light") as figure:
        ax = figure.panel(0, 0, 3, 1)
        name_rows(ax, NAMES, [False, True, False], figure.theme, mark="★ ", least=5)
        tell_rows(ax, ["1", "2", "3"], figure.theme)
        rule_rows(ax, 3, figure.theme)
    return ax


def test_each_row_has_its_name_and_those_in_bold_have_the_mark(rows):
    labels = rows.get_yticklabels()
    assert [label.get_text() for label in labels][:2] == ["first", "★ second"]
    assert "…" in labels[2].get_text()
    assert [label.get_fontweight() for label in labels] == ["normal", "bold", "normal"]


def test_what_is_told_stands_beside_the_row_that_it_is_told_of(rows):
    told = {part.get_text(): part.xy[1] for part in rows.get_children() if isinstance(part, Annotation)}
    assert told == {"1": 0, "2": 1, "3": 2}
    assert [round(place) for place in rows.get_yticks()] == [0, 1, 2]


def test_the_first_row_is_on_top_and_there_is_room_for_as_many_as_asked(rows):
    assert rows.get_ylim() == (4.5, -0.5)


def test_each_row_needs_to_be_told_whether_it_is_bold():
    with sheet("light") as figure, pytest.raises(ValueError, match="shorter"):
        name_rows(figure.panel(0, 0, 1, 1), ["one", "two"], [True], figure.theme)
