import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import multivariate_normal

from classification_assets.learning.tables.datasets import Blobs

CORNERS = [[0, 0], [3, 0], [0, 3]]


def test_the_posterior_is_that_of_the_gaussians():
    # 10 rows of 3 classes: the priors are 0.4, 0.3 and 0.3.
    blobs = Blobs(centers=CORNERS, noise=1.5, n_samples=10)
    X = np.random.default_rng(0).uniform(-5, 8, size=(50, 2))
    joint = np.column_stack(
        [
            prior * multivariate_normal(center, 1.5**2).pdf(X)
            for prior, center in zip([0.4, 0.3, 0.3], CORNERS, strict=True)
        ]
    )
    np.testing.assert_allclose(blobs.posterior(X), joint / joint.sum(axis=1, keepdims=True), rtol=1e-10)


def test_centres_far_from_the_origin_lose_no_digits():
    X = np.random.default_rng(0).uniform(-5, 8, size=(50, 2))
    shifted = Blobs(centers=np.add(CORNERS, 2.0**30).tolist())
    np.testing.assert_allclose(
        shifted.posterior(X + 2.0**30), Blobs(centers=CORNERS).posterior(X), rtol=1e-5, atol=1e-12
    )


def test_given_centres_are_where_the_rows_are():
    frame = Blobs(centers=CORNERS, noise=0.1).sample()
    np.testing.assert_allclose(frame.groupby("label").mean(), CORNERS, atol=0.03)


def test_given_centres_decide_the_numbers_of_classes_and_features():
    blobs = Blobs(centers=[[0, 0, 1], [1, 1, 1]])
    assert (blobs.n_classes, blobs.n_features) == (2, 3)


def test_the_same_numbers_may_be_declared_beside_the_centres():
    assert Blobs(centers=CORNERS, n_classes=3, n_features=2) == Blobs(centers=CORNERS)


def test_replaced_centres_decide_the_numbers_again():
    assert Blobs(centers=CORNERS).replaced(centers=[[0], [1]]).n_features == 1


def test_drawn_centres_lie_in_their_box():
    centers = Blobs(n_classes=100, n_features=3, center_box=(2, 5), n_samples=100).class_centers
    assert centers.shape == (100, 3)
    assert centers.min() > 2
    assert centers.max() < 5


def test_another_centers_seed_is_another_problem():
    assert not np.isin(Blobs(centers_seed=1).class_centers, Blobs(centers_seed=2).class_centers).any()


@pytest.mark.parametrize(
    ("declared", "where", "message"),
    [
        ({"centers": [[0, 0]]}, ("centers",), "at least 2 centres"),
        ({"centers": [[], []]}, ("centers",), "at least 1 coordinate"),
        ({"centers": [[0, 0], [1]]}, ("centers",), r"as the first \(2\), but centre 2 is \[1.0\]"),
        ({"centers": [[0, 0], [1, "a"]]}, ("centers", 1, 1), "valid number"),
        ({"centers": [[0, 0], [1, float("nan")]]}, ("centers", 1, 1), "finite"),
        ({"centers": 3}, ("centers",), "valid tuple"),
        ({"centers": CORNERS, "n_classes": 4}, ("n_classes",), "must be 3 or left out"),
        ({"centers": CORNERS, "n_features": 3}, ("n_features",), "must be 2 or left out"),
        ({"n_classes": 1}, ("n_classes",), "greater than or equal to 2"),
        ({"n_features": 0}, ("n_features",), "greater than or equal to 1"),
        ({"n_samples": 4}, ("n_samples",), "fewer rows than classes: there are 5"),
        ({"center_box": [1, 1]}, ("center_box",), "must be below the second"),
        ({"center_box": [1]}, ("center_box", 1), "required"),
    ],
)
def test_a_contradiction_is_reported_once_where_it_is(declared, where, message):
    with pytest.raises(ValidationError, match=message) as raised:
        Blobs.model_validate(declared)
    assert [error["loc"] for error in raised.value.errors()] == [where]
