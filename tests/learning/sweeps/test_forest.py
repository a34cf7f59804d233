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


@settings(max_examples=40, deadline=None)
@given(n=st.integers(6, 60), leaf=st.integers(1, 4), levels=st.integers(1, 6), seed=st.integers(0, 999))
def test_each_last_node_answers_the_mean_of_its_rows_and_has_enough_of_them(n, leaf, levels, seed):
    X, y = drawn(n, seed)
    counts = resamples(n, 3, seed)
    forest = grown(X, y, counts, leaf, levels, np.random.default_rng(seed))
    for count, answers in zip(counts, forest.answers(X, np.arange(3)), strict=True):
        there = np.flatnonzero(count)
        for answer in np.unique(answers[there]):
            own = there[answers[there] == answer]
            assert count[own].sum() >= leaf
            np.testing.assert_allclose(answer, np.average(y[own], weights=count[own]))


def test_every_row_that_a_tree_has_not_seen_comes_to_some_it_has():
    X, y = drawn(60)
    forest = grown(X, y, resamples(60, 4), 3, 6, np.random.default_rng(0))
    assert np.isfinite(forest.answers(drawn(500, 1)[0], np.arange(4))).all()


def test_trees_are_grown_apart():
    X, _ = drawn(80)
    counts = np.stack([np.repeat([1, 0], 40), np.repeat([0, 1], 40)])
    forest = grown(X, np.repeat([0.0, 1.0], 40), counts, 3, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(forest.answers(X, np.array([1, 0])), [np.ones(80), np.zeros(80)])


@pytest.mark.parametrize(("n", "levels"), [(60, 5), (400, 7)])
def test_they_are_as_good_as_those_of_scikit_learn(n, levels):
    X, y = drawn(n)
    new, truth = drawn(2_000, 1)
    counts = resamples(n, 60)
    forest = grown(X, y, counts, 3, levels, np.random.default_rng(0))
    ours = ((forest.answers(new, np.arange(60)) - truth) ** 2).mean(axis=1)
    theirs = []
    for seed, count in enumerate(counts):
        rows = np.repeat(np.arange(n), count)
        tree = ExtraTreeRegressor(min_samples_leaf=3, random_state=seed).fit(X[rows], y[rows])
        theirs.append(np.mean((tree.predict(new) - truth) ** 2))
    error = np.hypot(np.std(ours), np.std(theirs)) / np.sqrt(60)
    assert np.mean(ours) < np.mean(theirs) + 3 * error
    assert np.mean(ours) < 0.6 * np.var(truth)


@pytest.mark.parametrize("X", [np.ones((20, 2), np.float32), np.zeros((20, 1), np.float32)])
def test_rows_that_are_all_equal_stay_together(X):
    forest = grown(X, np.arange(20.0), np.ones((1, 20), int), 1, 3, np.random.default_rng(0))
    np.testing.assert_allclose(forest.answers(X, np.zeros(1, int)), 9.5)
