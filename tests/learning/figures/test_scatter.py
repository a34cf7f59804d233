from dataclasses import replace

import numpy as np
import pytest

from classification_assets.learning.figures import Points, scatter


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


def test_of_a_note_no_word_stands_alone(rows, names):
    note = "plane of the first two principal components of 64 features; rows are projected onto it and " * 2
    lines = scatter(rows(2), classes=names(2), note=note).texts[-1].get_text().splitlines()
    lengths = [len(line) for line in lines]
    assert len(lines) > 1
    assert min(lengths) > 0.7 * max(lengths)


def test_long_names_that_begin_alike_are_told_apart(rows, texts):
    figure = scatter(rows(3), classes=[f"a name of a class as long as that of {place}" for place in "abc"])
    assert sum(text.startswith("a name") for text in set(texts(figure))) == 3
