from itertools import combinations

import numpy as np
import pytest

from classification_assets.learning.figures.boundary_matrix import boundary_matrix
from classification_assets.learning.figures.canvas.legend import Key
from classification_assets.learning.figures.gallery import Cell


@pytest.fixture
def cells(sectors, rows, extent):
    def make(F, C=3, **options):
        cell = Cell(sectors(C, R=20), extent, [], **{"points": rows(C)} | options)
        return dict.fromkeys(combinations(range(F), 2), cell)

    return make


@pytest.mark.parametrize("F", [2, 3, 4])
def test_every_pair_of_features_has_its_panel_and_each_feature_its_axis(F, cells, names):
    features = [f"feature {index}" for index in range(F)]
    figure = boundary_matrix(features, cells(F), classes=names(3))
    panels = [ax for ax in figure.axes if ax.axison]
    assert len(panels) == F * (F - 1) // 2
    assert [ax.get_xlabel() for ax in panels if ax.get_xlabel()] == features[:-1]
    assert [ax.get_ylabel() for ax in panels if ax.get_ylabel()] == features[1:]


@pytest.mark.parametrize("C", [2, 20])
def test_the_legend_stands_beside_the_panels_and_names_every_class(C, cells, names, texts):
    figure = boundary_matrix(["a", "b", "c"], cells(3, C), classes=names(C))
    (legend,) = [artist for ax in figure.axes for artist in ax.artists if isinstance(artist, Key)]
    assert set(names(C)) <= set(texts(legend))
    right = max(ax.get_window_extent().x1 for ax in figure.axes if ax.axison)
    assert legend.get_window_extent(figure._get_renderer()).x0 >= right - 1


def test_what_is_drawn_in_any_panel_is_explained(cells, names, sectors, texts):
    bare = texts(boundary_matrix(["a", "b"], cells(2, points=None), classes=names(3)))
    options = {"truth": sectors(3, R=9), "disagreement": np.full((9, 9), 0.5)}
    full = texts(boundary_matrix(["a", "b"], cells(2, **options), classes=names(3)))
    for words in ("Bayes optimal", "members disagree", "test", "misclassified test"):
        assert (words in full, words in bare) == (True, False)


def test_thinning_is_announced(cells, rows, names, texts):
    shown = texts(boundary_matrix(["a", "b", "c"], cells(3, points=rows(3, N=20_000)), classes=names(3)))
    assert any("at most 687 rows are drawn in each picture" in text for text in shown)


def test_pairs_that_are_missing_and_too_many_features_are_refused(cells, names):
    with pytest.raises(ValueError, match=r"got 3 features and the pairs \[\(0, 1\)\]"):
        boundary_matrix(["a", "b", "c"], cells(2), classes=names(3))
    with pytest.raises(ValueError, match="2 to 4 features, got 5"):
        boundary_matrix(list("abcde"), cells(5), classes=names(3))
