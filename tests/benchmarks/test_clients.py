"""What a fit and a figure cost beside scikit-learn's own: small fits, linear candidates, a boundary of many points."""

import time

import matplotlib as mpl
import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, make_moons
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from classification_assets.learning.classifier import NeuralClassifier
from classification_assets.learning.models.tabular.linear_fits import STRENGTHS, linear_fits
from tests.benchmarks.measure import Contender, Reach, Row, duration

X, y = make_moons(300, noise=0.2, random_state=0)


@pytest.fixture(scope="module", autouse=True)
def _threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("units", "epochs"), [(8, 10), (16, 50), (100, 200)])
def test_a_small_fit_costs_no_more_than_twice_that_of_scikit_learn(race, units, epochs):
    race(
        f"one network 2-{units}-2, {epochs} epochs of 300 rows",
        Contender(
            lambda: (
                NeuralClassifier(
                    {"hidden": [units]}, members=1, max_epochs=epochs, early_stopping=False, random_state=0
                ).fit(X, y)
                and None
            )
        ),
        "MLPClassifier",
        Contender(
            lambda: (
                MLPClassifier(
                    (units,), batch_size=64, max_iter=epochs, n_iter_no_change=epochs, tol=0, random_state=0
                ).fit(X, y)
                and None
            )
        ),
        Reach(most=2),
        rounds=9,
    )


def test_linear_candidates_cost_less_than_the_estimator_that_they_are_the_solutions_of(race):
    rows, labels = load_breast_cancer(return_X_y=True)
    rows = StandardScaler().fit_transform(rows).astype(np.float32)
    seen = [(np.arange(len(rows)) % 5 != fold).astype(float) for fold in range(5)]

    def by_the_estimator():
        with threadpool_limits(1):
            for weight in seen:
                model = LogisticRegression(warm_start=True, tol=1e-3)
                for C in STRENGTHS:
                    model.set_params(C=C).fit(rows, labels, weight)

    race(
        "logistic regressions, 5 folds × 4 penalties of 569 × 30",
        Contender(lambda: linear_fits(rows, labels, seen, 2) and None),
        "LogisticRegression",
        Contender(by_the_estimator),
        Reach(most=1),
        rounds=7,
    )


def test_a_boundary_of_the_default_recipe_is_drawn_within_a_second(report):
    mpl.use("Agg")
    classifier = NeuralClassifier(random_state=0, device="cpu", verbose=False).fit(X, y)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        DecisionBoundaryDisplay.from_estimator(classifier, X, grid_resolution=400)
        seconds.append(time.perf_counter() - started)
    best = min(seconds)
    report(
        Row(
            "DecisionBoundaryDisplay, 400 × 400, two threads",
            "a second",
            duration(best),
            "1 s",
            best,
            Reach(most=1),
        )
    )
