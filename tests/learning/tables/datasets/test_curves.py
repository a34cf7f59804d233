"""Posteriors on curves against ways to compute them that share nothing with ours."""

import numpy as np
import pytest
from scipy.special import i0e, softmax
from scipy.stats import kstest
from sklearn.datasets import make_circles, make_moons

from classification_assets.learning.tables.datasets import Circles, Moons, Spirals
from classification_assets.learning.tables.datasets.curves import arm, quadrature


def around(points, noise):
    """A grid over the points and four noises beyond them."""
    axes = np.linspace(points.min(axis=0) - 4 * noise, points.max(axis=0) + 4 * noise, 15)
    return np.stack(np.meshgrid(*axes.T), axis=-1).reshape(-1, 2)


def by_brute_force(X, curves, noise):
    """Posterior (N, C) of equal classes, each the many points that lie densely on its curve."""
    log_density = []
    for points in curves:
        exponent = -((X[:, None] - points) ** 2).sum(axis=2) / (2 * noise**2)
        log_density.append(np.logaddexp.reduce(exponent, axis=1) - np.log(len(points)))
    return softmax(np.column_stack(log_density), axis=1)


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.25, 1])
def test_moons_are_the_points_that_make_moons_places(noise):
    points, label = make_moons(8001 * 2, shuffle=False)
    X = around(points, noise)
    expected = by_brute_force(X, [points[label == 0], points[label == 1]], noise)
    # The evenly spaced points include both ends: they weigh those too much, by half a step.
    np.testing.assert_allclose(Moons(noise=noise).posterior(X), expected, atol=3e-3)


@pytest.mark.parametrize("noise", [0.02, 0.12, 0.5, 3])
@pytest.mark.parametrize("factor", [0, 0.5, 0.95])
def test_circles_agree_with_the_closed_form(noise, factor):
    X = around(make_circles(100)[0], noise)
    radius = np.linalg.norm(X, axis=1)[:, None]
    circle = np.array([1, factor])
    # A uniform angle integrates to a Bessel function; i0e(z) is exp(-z) I0(z).
    log_density = np.log(i0e(radius * circle / noise**2)) - (radius - circle) ** 2 / (2 * noise**2)
    posterior = Circles(noise=noise, factor=factor).posterior(X)
    np.testing.assert_allclose(posterior, softmax(log_density, axis=1), atol=1e-6)


@pytest.mark.parametrize("noise", [0.02, 0.04, 0.2, 1])
@pytest.mark.parametrize("turns", [0, 1.5])
def test_spirals_agree_with_a_sum_over_many_points(noise, turns):
    t = (np.arange(10_000) + 0.5) / 10_000
    arms = [arm(turns, label / 3, t) for label in range(3)]
    X = around(np.concatenate(arms), noise)
    posterior = Spirals(noise=noise, turns=turns).posterior(X)
    np.testing.assert_allclose(posterior, by_brute_force(X, arms, noise), atol=1e-4)


def test_rows_of_spirals_lie_evenly_on_their_arms():
    frame = Spirals(noise=1e-12, n_samples=30_000).sample()
    for label, rows in frame.groupby("label"):
        X = rows[["x1", "x2"]].to_numpy()
        t = ((X**2).sum(axis=1) - 0.01) / 0.99
        assert kstest(t, "uniform").pvalue > 0.001
        np.testing.assert_allclose(arm(1.5, label / 3, t), X, atol=1e-9)


@pytest.mark.parametrize("noise", [1e-9, 1e-3, 0.1, 10, 1e9])
def test_nodes_are_close_where_it_matters_and_bounded_in_number(noise):
    nodes, weights = quadrature(lambda t: np.column_stack([t, t]), noise)
    assert len(nodes) <= 5000
    assert np.diff(nodes[:, 0]).max() < max(noise, 1e-3)
    assert weights.sum() == pytest.approx(1)
