import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.evaluation.plane import Plane
from classification_assets.learning.evaluation.surface import LEAST, interpolated, surface
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.models.fit import fit
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split

R = 201


class Asked:
    """Answers from a function of x and y in [0, 1], and how many points were asked."""

    def __init__(self, scores, resolution=R):
        self.scores, self.resolution, self.points = scores, resolution, []

    def __call__(self, points):
        self.points.extend(points.tolist())
        y, x = np.divmod(points, self.resolution)
        scores = self.scores(x / (self.resolution - 1), y / (self.resolution - 1))
        p = np.exp(scores - scores.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        return p.astype(np.float32), 1 - p.max(1).astype(np.float32)

    def everywhere(self):
        p, disagreement = Asked(self.scores, self.resolution)(np.arange(self.resolution**2))
        shape = self.resolution, self.resolution
        return p.reshape(*shape, -1), disagreement.reshape(shape)


def kinks(weights, C):
    """Scores (N, C) as a wide ReLU network has them: flat pieces that meet in creases."""
    inner, bias, outer = weights

    def scores(x, y):
        hidden = np.maximum(0, np.stack([x, y], 1) @ inner + bias)
        return hidden @ outer[:, :C]

    return scores


def random_weights(seed, width=24):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, width)) * 6, rng.uniform(-5, 5, width), rng.normal(size=(width, 5)) * 0.7


@st.composite
def networks(draw):
    return Asked(kinks(random_weights(draw(st.integers(0, 10_000))), draw(st.integers(2, 5))))


@given(networks())
@settings(max_examples=40, deadline=None)
def test_what_is_interpolated_can_hardly_be_told_from_what_is_asked(asked):
    """The winner is another only where two classes are as good as equal."""
    p, disagreement = interpolated(asked, R)
    expected, expected_disagreement = asked.everywhere()
    error = np.abs(p - expected).max(2)
    assert np.quantile(error, 0.99) < 1 / 128
    assert error.max() < 1 / 20
    assert np.abs(disagreement - expected_disagreement).max() < 1 / 16
    best = np.sort(expected, 2)
    other = p.argmax(2) != expected.argmax(2)
    assert (best[other][:, -1] - best[other][:, -2] < 1 / 20).all()
    assert other.mean() < 0.002


@given(x=st.floats(0, 1), y=st.floats(0, 1), wide=st.floats(1.5 / LEAST, 0.2))
@settings(max_examples=60, deadline=None)
def test_an_island_wider_than_a_step_of_the_coarsest_grid_is_found(x, y, wide):
    asked = Asked(lambda u, v: np.stack([0 * u, 40 * (wide**2 - (u - x) ** 2 - (v - y) ** 2) / wide**2], 1))
    p, _ = interpolated(asked, R)
    expected, _ = asked.everywhere()
    islands = expected.argmax(2).sum()
    assert p.argmax(2).sum() == pytest.approx(islands, abs=max(4, 0.05 * islands))


def test_most_of_a_smooth_surface_is_not_asked_and_no_point_twice():
    asked = Asked(lambda x, y: np.stack([0 * x, 8 * (y - 0.5 - 0.2 * np.sin(6 * x))], 1))
    interpolated(asked, R)
    assert len(asked.points) == len(set(asked.points))
    assert len(asked.points) < 0.1 * R**2


@pytest.mark.parametrize("resolution", [2, 3, LEAST + 1, 2 * LEAST - 1])
def test_few_points_are_all_asked(resolution):
    asked = Asked(lambda x, y: np.stack([3 * x, 3 * y], 1), resolution)
    interpolated(asked, resolution)
    assert len(asked.points) == resolution**2


@pytest.mark.parametrize("resolution", [2, 3, 50, 100, 101, 128, 400])
def test_any_resolution_is_covered_to_its_edges(resolution):
    asked = Asked(lambda x, y: np.stack([3 * x, 3 * y, 0 * x + 1], 1), resolution)
    p, disagreement = interpolated(asked, resolution)
    expected, expected_disagreement = asked.everywhere()
    assert p.dtype == disagreement.dtype == np.float32
    np.testing.assert_allclose(p, expected, atol=1 / 256)
    np.testing.assert_allclose(disagreement, expected_disagreement, atol=1 / 64)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_of_trained_networks_it_agrees_with_all_that_they_say(activation):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2)).astype(np.float32)
    y = (np.hypot(*X.T) > 1).astype(int)
    split = Split.of_arrays(X, y, np.full(400, Fold.TRAIN, np.int8), names=["a", "b"])
    training = Training(members=4, max_epochs=30, batch_size=32, early_stopping=False)
    fitted = fit(MLP(hidden=(32, 32), activation=activation), split, training, "cpu")
    plane = Plane.of(X, ["a", "b"])
    p, disagreement = surface(fitted, split, plane, R)
    expected, expected_disagreement, _ = fitted.member_predictions(plane.grid(R))
    error = np.abs(p.reshape(-1, 2) - expected).max(1)
    assert error.max() < 1 / 40
    assert np.quantile(error, 0.99) < 1 / 200
    assert np.abs(disagreement.ravel() - expected_disagreement).max() < 1 / 30
    again, _ = surface(fitted, split, plane, R)
    assert again.tobytes() == p.tobytes()
