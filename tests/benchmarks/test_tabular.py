"""The recipe for tables has a budget of seconds: to fit, to predict, and for many rows."""

import math
import time

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from classification_assets.learning.classifier import NeuralClassifier
from tests.benchmarks.measure import WHOLE, Reach, Row, duration

PREDICTED = 100_000
FEW, MANY = 2_000, 1_000_000 if WHOLE else 32_000


def rows(n_rows, n_features=64):
    """Two classes that a product of two features tells apart, with noise."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_features), np.float32)
    return X, (X[:, 0] * X[:, 1] + X[:, 2] + 0.5 * rng.standard_normal(n_rows) > 0).astype(int)


def seconds_of(work):
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def fitted(X, y):
    with threadpool_limits(1):
        torch.set_num_threads(1)
        return seconds_of(lambda: NeuralClassifier(random_state=0, device="cpu", verbose=False).fit(X, y))


@pytest.fixture(scope="module", autouse=True)
def _threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("n_features", [20, 64])
def test_a_fit_and_a_prediction_keep_to_their_seconds(report, n_features):
    seconds, classifier = fitted(*rows(FEW, n_features))
    torch.set_num_threads(2)
    new, _ = rows(PREDICTED, n_features)
    predicted = [seconds_of(lambda: classifier.predict_proba(new)) for _ in range(4)]
    assert predicted[0][1].shape == (PREDICTED, 2)
    report(
        _row(f"tabular, fit {FEW:,} × {n_features}, one thread", seconds, 3),
        _row(
            f"tabular, predict {PREDICTED:,} × {n_features}, two threads",
            min(own for own, _ in predicted),
            1,
        ),
    )


def test_seconds_grow_no_faster_than_rows(report):
    few, _ = fitted(*rows(FEW, 20))
    many, _ = fitted(*rows(MANY, 20))
    slope = math.log(many / few) / math.log(MANY / FEW)
    report(
        Row(
            f"tabular, fit {MANY:,} × 20",
            f"{FEW:,} rows; ratio: slope in log-log",
            duration(many),
            duration(few),
            slope,
            Reach(most=1.1),
        )
    )


def _row(work, seconds, allowed):
    return Row(
        work, "what is allowed", duration(seconds), duration(allowed), seconds / allowed, Reach(most=1)
    )
