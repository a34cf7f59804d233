"""Linear models of inner folds: where the optimum is, and that no member knows of a row that it must not see."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info, threadpool_limits

from classification_assets.learning.models.tabular.linear_fits import STRENGTHS, linear_fits


def drawn(n_classes, n_rows=90, n_features=4):
    rng = np.random.default_rng(0)
    y = np.arange(n_rows) % n_classes
    X = rng.normal(size=(n_rows, n_features)) + rng.normal(size=(n_classes, n_features))[y]
    folds = rng.permutation(n_rows) % 3
    return X.astype(np.float32), y, [(folds != fold).astype(float) for fold in range(3)]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_each_member_is_the_logistic_regression_of_the_rows_it_sees(n_classes):
    X, y, weights = drawn(n_classes)
    coefficients, bias = linear_fits(X, y, weights, n_classes)
    assert coefficients.shape == (len(STRENGTHS), 3, 4, n_classes)
    for strength, C in enumerate(STRENGTHS[:3]):
        for member, weight in enumerate(weights):
            seen = weight > 0
            alone = LogisticRegression(C=C, tol=1e-6).fit(X[seen], y[seen]).predict_proba(X)
            z = X @ coefficients[strength, member].numpy() + bias[strength, member].numpy()
            p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
            np.testing.assert_allclose(p, alone, atol=0.01)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_labels_of_rows_that_count_nothing_change_no_bit(n_classes):
    X, y, weights = drawn(n_classes)
    coefficients, bias = linear_fits(X, y, weights, n_classes)
    for member, weight in enumerate(weights):
        changed = linear_fits(X, np.where(weight > 0, y, (y + 1) % n_classes), weights, n_classes)
        assert np.array_equal(changed[0][:, member], coefficients[:, member])
        assert np.array_equal(changed[1][:, member], bias[:, member])


def test_a_class_without_rows_has_no_weights_and_one_without_seen_rows_is_unlikely():
    X, y, weights = drawn(3)
    unseen = [weight * (y != 2) for weight in weights]
    coefficients, bias = linear_fits(X, y, unseen, 5)
    assert coefficients.isfinite().all()
    assert not coefficients[..., 3:].any()
    assert (bias[2:, :, 2] < bias[2:, :, :2].amin(2)).all()


def test_a_row_of_weight_2_is_as_two_rows():
    X, y, _ = drawn(2)
    twice = np.arange(len(y)) % 2 == 0
    one = linear_fits(X, y, [1.0 + twice], 2)
    rows = np.r_[np.arange(len(y)), np.flatnonzero(twice)]
    other = linear_fits(X[rows], y[rows], [np.ones(len(rows))], 2)
    np.testing.assert_allclose(one[0], other[0], atol=0.02)


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_it_is_what_scikit_learn_solves_from_penalty_to_penalty(n_classes):
    X, y, weights = drawn(n_classes)
    weights = [weight * np.random.default_rng(1).random(len(y)) for weight in weights]
    coefficients, bias = linear_fits(X, y, weights, n_classes)
    for member, weight in enumerate(weights):
        model = LogisticRegression(warm_start=True, tol=1e-3)
        for strength, C in enumerate(STRENGTHS):
            z = X @ coefficients[strength, member].numpy() + bias[strength, member].numpy()
            p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
            known = model.set_params(C=C).fit(X.astype(float), y, weight).predict_proba(X)
            np.testing.assert_allclose(p, known, atol=1e-6)


def test_no_estimator_of_scikit_learn_is_fitted_that_others_might_instrument(monkeypatch):
    made = []
    monkeypatch.setattr(BaseEstimator, "__setattr__", lambda self, *_: made.append(self), raising=False)
    LogisticRegression()
    assert made.pop(), "an estimator that is made is seen"
    made.clear()
    X, y, weights = drawn(3)
    linear_fits(X, y, weights, 3)
    assert made == []


def test_fits_in_several_threads_leave_the_threads_of_blas_as_they_were():
    X, y, weights = drawn(2, n_rows=30)
    with threadpool_limits(2, user_api="blas"), ThreadPoolExecutor(4) as pool:
        before = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
        list(pool.map(lambda _: linear_fits(X, y, weights, 3), range(4)))
        after = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
    assert before == after
