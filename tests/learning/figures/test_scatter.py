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
