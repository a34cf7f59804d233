import numpy as np
import pytest

from classification_assets.learning.figures.canvas.points import Points


def test_thinning_keeps_the_same_rows_each_time_and_never_more_than_asked(rows):
    many = rows(3, N=5000)
    np.testing.assert_array_equal(many.thinned(100).xy, many.thinned(100).xy)
    assert len(many.thinned(100)) == 100
    assert len(rows(3, N=50).thinned(100)) == 50


def test_thinning_takes_rows_of_all_folds_of_a_split_drawn_with_seed_0():
    N = 10_000
    fold = np.zeros(N, dtype=int)
    fold[np.random.default_rng(0).permutation(N)[:2500]] = 2
    some = Points(np.zeros((N, 2)), fold, fold, fold == 1).thinned(1000)
    assert np.mean(some.fold == 2) == pytest.approx(0.25, abs=0.05)


def test_rows_on_the_edge_of_the_window_are_inside():
    points = Points(
        np.array([[0.0, 0.0], [1.0, 2.0], [1.1, 0.0], [0.5, -0.1]]), np.zeros(4), np.zeros(4), np.zeros(4)
    )
    np.testing.assert_array_equal(points.inside((0, 1, 0, 2)).xy, [[0, 0], [1, 2]])


def test_columns_of_different_lengths_are_refused_by_name():
    with pytest.raises(ValueError, match=r"fold must have shape \(3,\), got \(2,\)"):
        Points(np.zeros((3, 2)), np.zeros(3), np.zeros(2), np.zeros(3))
