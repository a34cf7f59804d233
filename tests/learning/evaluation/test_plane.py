import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from classification_assets.learning.evaluation.plane import Plane, planes, window
from classification_assets.learning.evaluation.view import View

values = st.floats(-1e4, 1e4, width=32)


def rows_of(n_features):
    return arrays(np.float32, st.tuples(st.integers(1, 40), st.just(n_features)), elements=values)


def names_of(n_features):
    return [f"feature {i}" for i in range(n_features)]


@given(X=rows_of(2))
@settings(max_examples=40, deadline=None)
def test_with_two_features_the_page_is_the_features_themselves(X):
    plane = Plane.of(X, ["width", "height"])
    assert plane.names == ("width", "height")
    assert plane.note == ""
    np.testing.assert_array_equal(plane.project(X), X)
    np.testing.assert_array_equal(plane.project(plane.grid(5)), plane.grid(5))


@given(n_features=st.sampled_from([1, 2, 3, 7]), data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_grid_is_finite_and_spans_a_window_of_some_size(n_features, data):
    X = data.draw(rows_of(n_features))
    plane = Plane.of(X, names_of(n_features))
    x0, x1, y0, y1 = plane.extent
    assert x0 < x1
    assert y0 < y1
    grid = plane.grid(4)
    assert grid.shape == (16, n_features)
    assert grid.dtype == np.float32
    some = np.array([15, 0, 6])
    np.testing.assert_array_equal(plane.grid(4, some), grid[some])
    assert np.isfinite(grid).all()


def test_the_grid_has_y_outside_and_ascending_and_reaches_the_edges_of_the_window():
    plane = Plane.of(np.array([[0.0, 10.0], [2.0, 50.0]]), ["x", "y"])
    grid = plane.grid(3).reshape(3, 3, 2)
    x0, x1, y0, y1 = plane.extent
    np.testing.assert_allclose(grid[0, 0], [x0, y0], rtol=1e-6)
    np.testing.assert_allclose(grid[0, -1], [x1, y0], rtol=1e-6)
    np.testing.assert_allclose(grid[-1, 0], [x0, y1], rtol=1e-6)


@pytest.mark.parametrize("n_features", [4, 64])
def test_with_many_features_a_point_of_the_plane_is_found_again_on_the_page(n_features):
    X = np.random.default_rng(1).normal(size=(200, n_features)) * np.arange(1, n_features + 1) + 7
    plane = Plane.of(X, names_of(n_features))
    x0, x1, y0, y1 = plane.extent
    x, y = np.meshgrid(np.linspace(x0, x1, 6), np.linspace(y0, y1, 6))
    page = plane.project(plane.grid(6))
    np.testing.assert_allclose(page, np.column_stack([x.ravel(), y.ravel()]), atol=1e-4)


def test_with_many_features_the_labels_say_how_much_of_the_variance_each_axis_shows():
    t = np.random.default_rng(0).normal(size=300)
    plane = Plane.of(np.column_stack([t, 2 * t, -t, 5 * t]), names_of(4))
    assert plane.names == ("PC 1 (100 % of variance)", "PC 2 (0 % of variance)")
    assert plane.note.startswith("plane of the first two principal components of 4 features")


def test_the_units_of_a_feature_do_not_change_the_plane():
    X = np.random.default_rng(0).normal(size=(100, 5)) @ np.random.default_rng(1).normal(size=(5, 5))
    units = np.array([1, 1000, 0.01, 60, 1e6])
    here, there = Plane.of(X, names_of(5)), Plane.of(X * units, names_of(5))
    np.testing.assert_allclose(here.project(X), there.project(X * units), atol=1e-6)


def test_the_same_rows_give_the_same_plane():
    X = np.random.default_rng(0).normal(size=(100, 6))
    one, other = Plane.of(X, names_of(6)), Plane.of(X.copy(), names_of(6))
    np.testing.assert_array_equal(one.grid(5), other.grid(5))


@pytest.mark.parametrize("n_features", [1, 2, 3, 8])
@pytest.mark.parametrize("constant", [0.0, 3.5, -1e7])
def test_a_constant_feature_stays_constant_on_a_plane_of_many_and_gets_a_window_otherwise(
    n_features, constant
):
    X = np.random.default_rng(0).normal(size=(50, n_features))
    X[:, 0] = constant
    plane = Plane.of(X, names_of(n_features))
    grid = plane.grid(3)
    if n_features > 2:
        np.testing.assert_allclose(grid[:, 0], constant, rtol=1e-6, atol=1e-6)
    else:
        assert len(np.unique(grid[:, 0])) == 3


def test_one_feature_is_drawn_against_a_height_without_a_name():
    X = np.linspace(0, 1, 50)[:, None]
    plane = Plane.of(X, ["length"])
    page = plane.project(X)
    assert plane.names == ("length", "")
    assert "means nothing" in plane.note
    np.testing.assert_array_equal(page[:, 0], X[:, 0])
    np.testing.assert_array_equal(page, plane.project(X))
    assert len(np.unique(page[:, 1])) == 50
    assert np.abs(page[:, 1]).max() < plane.extent[3]


def test_all_ordinary_rows_lie_inside_the_window():
    X = np.random.default_rng(0).normal(size=(2000, 2))
    x0, x1, y0, y1 = Plane.of(X, ["x", "y"]).extent
    assert (X.min(axis=0) > (x0, y0)).all()
    assert (X.max(axis=0) < (x1, y1)).all()


def test_one_far_outlier_does_not_shrink_the_others_to_a_dot():
    low, high = window(np.append(np.random.default_rng(0).uniform(0, 1, 999), 1e6))
    assert low == pytest.approx(-0.15, abs=0.3)
    assert high < 4


@pytest.mark.parametrize(
    ("middle", "spread"), [(1e6, 1.0), (1.7e9, 86_400.0), (-5e7, 40.0), (1e-12, 1e-13), (0.0, 1e-30)]
)
@pytest.mark.parametrize("n_features", [1, 2])
def test_a_narrow_column_far_from_zero_fills_its_window(middle, spread, n_features):
    own = (middle + spread * np.linspace(-1, 1, 201)).astype(np.float32)
    rows = np.column_stack([own, np.arange(201)])[:, :n_features]
    x0, x1, *_ = Plane.of(rows, names_of(n_features)).extent
    assert np.ptp(own.astype(float)) > 0.8 * (x1 - x0)
    assert x0 < own.min()
    assert x1 > own.max()


def test_two_neighbours_in_float32_are_told_apart_on_the_grid():
    one = np.float32(1e9)
    rows = np.array([[one, 0], [np.nextafter(one, np.float32(np.inf)), 1]])
    assert set(Plane.of(rows, ["x", "y"]).grid(20)[:, 0]) == set(rows[:, 0])


def test_a_feature_in_tiny_units_counts_like_any_other():
    X = np.random.default_rng(0).normal(size=(100, 3))
    plane = Plane.of(X, names_of(3))
    tiny = Plane.of(X * (1e-13, 1, 1), names_of(3))
    np.testing.assert_allclose(tiny.project(X * (1e-13, 1, 1)), plane.project(X), atol=1e-6)


def test_features_that_say_the_same_leave_all_rows_on_a_line_in_a_window_of_some_size():
    t = np.random.default_rng(0).normal(size=300).astype(np.float32)
    X = np.column_stack([t, 2 * t, 3 * t])
    plane = Plane.of(X, names_of(3))
    assert (plane.project(X)[:, 1] == 0).all()
    assert plane.extent[2:] == (-0.5, 0.5)
    assert np.ptp(plane.grid(5) @ [5, -1, -1]) > 0


def test_missing_values_are_refused_with_their_number():
    with pytest.raises(ValueError, match="1 missing"):
        Plane.of(np.array([[0.0, np.nan]]), ["x", "y"])


def test_names_that_do_not_fit_the_features_are_refused():
    with pytest.raises(ValueError, match="one name per feature"):
        Plane.of(np.zeros((3, 2)), ["x"])


def test_a_grid_of_one_point_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        Plane.of(np.eye(2), ["x", "y"]).grid(1)


def test_a_pair_of_many_features_is_seen_with_the_others_at_their_median():
    X = np.random.default_rng(0).normal(size=(101, 5)) + np.arange(5)
    plane = Plane.of_pair(X, names_of(5), (3, 1))
    grid = plane.grid(4)
    assert plane.names == ("feature 3", "feature 1")
    assert plane.note == "the other 3 features are at their median; rows are projected"
    np.testing.assert_allclose(
        grid[:, [0, 2, 4]], np.tile(np.median(X[:, [0, 2, 4]], axis=0), (16, 1)), rtol=1e-6
    )
    np.testing.assert_array_equal(plane.project(X), X[:, [3, 1]])
    np.testing.assert_allclose(plane.project(grid), grid[:, [3, 1]])


def test_the_median_of_codes_is_a_code():
    X = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [2.0, 3.0, 1.0], [5.0, 4.0, 1.0]])
    assert Plane.of_pair(X, names_of(3), (0, 1)).grid(2)[0, 2] == 0


def view_of(X, y, **view):
    return planes(X, y, names_of(X.shape[1]), View(**view))


@pytest.mark.parametrize("n_features", [1, 2, 3, 10])
def test_a_view_shows_one_plane_but_for_a_matrix(n_features):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, n_features)), rng.integers(0, 3, 90)
    for view in ({}, {"plane": "pca"}):
        assert len(view_of(X, y, **view)) == 1
    for features in (2, 3, 4):
        chosen = min(features, n_features)
        expected = 1 if n_features < 3 else chosen * (chosen - 1) // 2
        assert len(view_of(X, y, plane="matrix", features=features)) == expected


def test_principal_components_of_two_features_are_shown_when_asked_for():
    X = np.random.default_rng(0).normal(size=(90, 2))
    (plane,) = view_of(X, np.zeros(90, int), plane="pca")
    assert plane.names[0].startswith("PC 1")


def test_a_pair_is_shown_in_the_order_in_which_it_is_named():
    X = np.random.default_rng(0).normal(size=(90, 6))
    (plane,) = view_of(X, np.zeros(90, int), plane=("feature 4", "feature 2"))
    assert plane.names == ("feature 4", "feature 2")
    with pytest.raises(ValueError, match="'feature 9'"):
        view_of(X, np.zeros(90, int), plane=("feature 4", "feature 9"))


def test_a_matrix_pairs_features_that_tell_classes_apart_also_only_together():
    X = np.random.default_rng(0).uniform(-1, 1, size=(3000, 8))
    y = (X[:, 2] * X[:, 5] > 0).astype(int)
    first, *_ = view_of(X, y, plane="matrix", features=3)
    assert set(first.names) == {"feature 2", "feature 5"}


def test_a_matrix_is_the_same_each_time():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 6)), rng.integers(0, 2, 200)
    one, other = (view_of(X, y, plane="matrix") for _ in range(2))
    assert [plane.names for plane in one] == [plane.names for plane in other]


def test_what_is_held_stays_at_a_value_that_there_is():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(200, 2)), rng.integers(0, 3, 200)])
    plane = Plane.of(X, ["a", "b", "town"], held=[2])
    assert set(plane.grid(5)[:, 2]) == {np.quantile(X[:, 2], 0.5, method="lower")}
    moved = X + np.array([0, 0, 7])
    np.testing.assert_allclose(plane.project(moved), plane.project(X))


def test_what_is_held_spans_the_plane_where_nothing_else_is_left():
    X = np.random.default_rng(0).integers(0, 3, (200, 3)) * 1.0
    assert np.ptp(Plane.of(X, ["a", "b", "c"], held=[1, 2]).grid(5), axis=0).min() > 0
