import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import ExtraTreeRegressor

from classification_assets.learning.sweeps.forest import grown


def drawn(n, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.random((n, 4), np.float32)
    X[:, 3] = rng.integers(0, 2, n)
    y = np.where(X[:, 0] > 0.5, X[:, 1], X[:, 3]) + rng.normal(0, 0.1, n)
    return X, y


def resamples(n, trees, seed=0):
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), trees)


def leaves(forest, X, tree):
    """Rows of each leaf of a tree that has been asked for rows X, by what it answers."""
    answers = forest.answers(X, np.full(len(X), tree))
    return [np.flatnonzero(answers == answer) for answer in np.unique(answers)]


@settings(max_examples=40, deadline=None)
@given(n=st.integers(6, 60), leaf=st.integers(1, 4), seed=st.integers(0, 999))
def test_each_leaf_answers_the_mean_of_its_rows_and_has_enough_of_them(n, leaf, seed):
    X, y = drawn(n, seed)
    counts = resamples(n, 3, seed)
    forest = grown(X, y, counts, leaf, np.random.default_rng(seed))
    for tree, count in enumerate(counts):
        there = np.flatnonzero(count)
        for rows in leaves(forest, X[there], tree):
            own = there[rows]
            assert count[own].sum() >= leaf
            answer = forest.answers(X[own[:1]], np.array([tree]))
            np.testing.assert_allclose(answer, np.average(y[own], weights=count[own]))


def test_trees_of_single_rows_know_them_all():
    X, y = drawn(100)
    forest = grown(X, y, np.ones((2, 100), int), 1, np.random.default_rng(0))
    for tree in range(2):
        np.testing.assert_allclose(forest.answers(X, np.full(100, tree)), y)


def test_trees_are_grown_apart():
    X, _ = drawn(80)
    counts = np.stack([np.repeat([1, 0], 40), np.repeat([0, 1], 40)])
    forest = grown(X, np.repeat([0.0, 1.0], 40), counts, 3, np.random.default_rng(0))
    np.testing.assert_array_equal(forest.answers(X, np.repeat([0, 1], 40)), np.repeat([0.0, 1.0], 40))


@pytest.mark.parametrize("n", [60, 400])
def test_they_are_as_good_as_those_of_scikit_learn(n):
    X, y = drawn(n)
    new, truth = drawn(2_000, 1)
    counts = resamples(n, 60)
    forest = grown(X, y, counts, 3, np.random.default_rng(0))
    ours = [np.mean((forest.answers(new, np.full(2_000, tree)) - truth) ** 2) for tree in range(60)]
    theirs = []
    for seed, count in enumerate(counts):
        rows = np.repeat(np.arange(n), count)
        tree = ExtraTreeRegressor(min_samples_leaf=3, random_state=seed).fit(X[rows], y[rows])
        theirs.append(np.mean((tree.predict(new) - truth) ** 2))
    error = np.hypot(np.std(ours), np.std(theirs)) / np.sqrt(60)
    assert abs(np.mean(ours) - np.mean(theirs)) < 4 * error
    assert np.mean(ours) < 0.6 * np.var(truth)


@pytest.mark.parametrize("X", [np.ones((20, 2), np.float32), np.zeros((20, 1), np.float32)])
def test_rows_that_are_all_equal_make_one_leaf(X):
    forest = grown(X, np.arange(20.0), np.ones((1, 20), int), 1, np.random.default_rng(0))
    assert len(forest.value) == 1
    np.testing.assert_allclose(forest.answers(X, np.zeros(20, int)), 9.5)
