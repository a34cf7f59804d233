import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from classification_assets.learning.figures.sweep.shape_map import ShapeScore, shape_map
from tests.learning.figures.shown_text import texts
from tests.learning.figures.sweep_examples import picture


def test_a_cell_says_whether_it_was_trained_dropped_failed_or_not_tried():
    scores = {
        (0, 0): ShapeScore(0.25, 0.9, 0, 2, 7),
        (0, 1): ShapeScore(0.5, 0.4, 5, 0, 3),
        (1, 0): ShapeScore(np.nan, 0.1, 0, 0, 4),
    }
    said = set(texts(shape_map(["1", "2"], ["8", "16"], scores, {}, metric="best log loss")).split("\n"))
    assert {"★ 0.250", "2/7", "0.500 at 5", "0/3", "all failed", "0/4", "not tried"} <= said


def test_where_no_network_can_be_there_is_no_cell():
    scores = {(0, 0): ShapeScore(0.7, 0.2, 0, 1, 1), (1, 1): ShapeScore(0.3, 0.8, 0, 1, 1)}
    said = texts(shape_map(["0", "1"], ["0", "8", "16"], scores, {}, metric="best log loss"))
    assert said.count("not tried") == 1  # one layer of 16


def test_where_all_failed_there_is_no_scale():
    said = texts(
        shape_map(["1"], ["8"], {(0, 0): ShapeScore(np.nan, 0.5, 0, 0, 3)}, {}, metric="best log loss")
    )
    assert "place of" not in said


def test_the_better_the_place_the_stronger_the_colour():
    scores = {(0, column): ShapeScore(0.3, place, 0, 1, 1) for column, place in enumerate((0.2, 0.6, 0.95))}
    figure = shape_map(["1"], ["4", "8", "16"], scores, {(0, 1): picture()}, metric="best log loss")
    fills = [
        np.sum(to_rgb(patch.get_facecolor()))
        for ax in figure.axes
        for patch in ax.patches
        if isinstance(patch, Rectangle) and patch is not ax.patch
    ]
    assert fills == sorted(fills, reverse=True)
    assert len(set(fills)) == 3
    assert "20 to 95" in texts(figure)


def test_a_map_without_shapes_is_refused():
    with pytest.raises(ValueError, match="got 0 and 2"):
        shape_map([], ["8", "16"], {}, {}, metric="best log loss")
