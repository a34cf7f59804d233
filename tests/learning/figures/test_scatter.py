from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from classification_assets.learning.figures.canvas.points import Points
from classification_assets.learning.figures.scatter import scatter


@pytest.mark.parametrize("C", [1, 2, 20])
def test_the_legend_names_every_class(C, rows, names, saved, texts):
    figure = scatter(rows(C, N=200), classes=names(C))
    assert set(names(C)) <= set(texts(figure))
    assert saved(figure).startswith(b"\x89PNG")


def test_folds_get_markers_and_names_only_when_there_is_more_than_one(rows, names, texts):
    points = rows(2)
    whole = Points(points.xy, points.label, np.zeros(len(points)), points.wrong)
    assert {"train", "validation", "test"} <= set(texts(scatter(points, classes=names(2))))
    assert "train" not in texts(scatter(whole, classes=names(2)))


def test_thinning_is_announced(rows, names, texts):
    figure = scatter(rows(2, N=5000), classes=names(2), note="moons")
    assert "moons · 3,000 of 5,000 rows are drawn" in texts(figure)


def test_no_rows_and_constant_columns_are_drawn_all_the_same(names, saved):
    none = Points(np.zeros((0, 2)), np.zeros(0, int), np.zeros(0, int), np.zeros(0, bool))
    constant = Points(np.full((5, 2), 3.0), np.arange(5) % 2, np.zeros(5, int), np.zeros(5, bool))
    for points in (none, constant):
        assert saved(scatter(points, classes=names(2)))


def test_an_axis_without_a_name_has_no_ticks(rows, names):
    figure = scatter(rows(2), classes=names(2), names=("length", ""))
    assert len(figure.axes[0].get_yticks()) == 0


def test_what_labels_of_ticks_are_multiplied_by_stands_with_the_name_of_the_axis(rows, names):
    far = rows(2)
    figure = scatter(replace(far, xy=far.xy * (1e8, 1)), classes=names(2), names=("rest mass", "charge"))
    ax = figure.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("rest mass\n× 1e8", "charge")
    assert not ax.xaxis.offsetText.get_visible()


@pytest.mark.parametrize(
    ("middle", "spread", "told"),
    [
        (1e6, 1, "+ 1,000,000"),
        (1.7e9, 86_400, "+ 1,700,000,000"),
        (-5e7, 40, "− 50,000,000"),
        (1e12, 1e7, "× 1e7 + 1,000,000,000,000"),
        (1e-12, 1e-13, "× 1e−12"),
        (2021, 2, ""),
    ],
)
def test_what_all_labels_of_ticks_have_in_common_stands_with_the_name_of_the_axis(
    middle, spread, told, rows, names
):
    points = rows(2)
    points = replace(points, xy=np.column_stack([middle + spread * points.xy[:, 0], points.xy[:, 1]]))
    ax = scatter(points, classes=names(2), names=("mass", "charge")).axes[0]
    assert ax.get_xlabel() == f"mass\n{told}".strip()
    assert max(len(label.get_text()) for label in ax.get_xticklabels()) <= 7


@pytest.mark.parametrize(
    ("first", "hours", "one"),
    [
        (8830.4, 0.2, "09:40\nday 8830"),
        (8830.4, 5, "12:00\nday 8830"),
        (8829.8, 30, "day 8830"),
        (8829, 24 * 40, "day 8840"),
    ],
)
def test_ticks_at_dates_are_hours_and_minutes_where_days_are_too_few(first, hours, one, rows, names):
    def word(code):
        day, minute = divmod(round(code * 1440), 1440)
        return f"day {day}" if minute == 0 else f"{minute // 60:02}:{minute % 60:02}\nday {day}"

    points = rows(2)
    for axis in (0, 1):
        xy = points.xy.copy()
        xy[:, axis] = first + hours / 24 * np.linspace(0, 1, len(xy))
        named = tuple("at" if axis == own else "mass" for own in (0, 1))
        figure = scatter(replace(points, xy=xy), classes=names(2), names=named, words={"at": word})
        ax = figure.axes[0]
        labels = (ax.get_xticklabels(), ax.get_yticklabels())[axis]
        assert one in [text.get_text() for text in labels]
        boxes = [text.get_window_extent() for text in labels]
        assert not any(box.overlaps(other) for box, other in pairwise(boxes))


def test_of_a_category_alone_there_is_one_tick(rows, names):
    points = rows(2)
    points = replace(points, xy=points.xy * (0, 1))
    words = {"town": lambda code: f"town {round(code)}"}
    ax = scatter(points, classes=names(2), names=("town", "y"), words=words).axes[0]
    low, high = ax.get_xlim()
    assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [0]


def test_of_a_note_no_word_stands_alone(rows, names):
    note = "plane of the first two principal components of 64 features; rows are projected onto it and " * 2
    lines = scatter(rows(2), classes=names(2), note=note).texts[-1].get_text().splitlines()
    lengths = [len(line) for line in lines]
    assert len(lines) > 1
    assert min(lengths) > 0.7 * max(lengths)


def test_long_names_that_begin_alike_are_told_apart(rows, texts):
    figure = scatter(rows(3), classes=[f"a name of a class as long as that of {letter}" for letter in "abc"])
    assert sum(text.startswith("a name") for text in set(texts(figure))) == 3
