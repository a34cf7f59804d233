"""Probabilities of NeuralClassifier are numbers that other libraries take: float64, and their sum is 1."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.learning.two_moons import FRAME, classifier, y


@pytest.fixture(scope="module", params=["shallow_relu", "tabular"])
def probabilities(request):
    return classifier(request.param).fit(FRAME, y).predict_proba(FRAME)


def test_they_are_float64_and_each_row_sums_to_1(probabilities):
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=0, atol=4e-16)


def test_numpy_draws_by_them(probabilities):
    rng = np.random.default_rng(0)
    assert {rng.choice(2, p=row.tolist()) for row in probabilities} == {0, 1}


def test_they_are_json(probabilities):
    assert json.loads(json.dumps({"p": probabilities[0, 1]}))["p"] == probabilities[0, 1]


def test_float64_is_written_into_a_series_of_them(probabilities):
    series = pd.Series(probabilities[:, 1])
    series[series > 0.5] = np.pi / 4
    assert series.max() == np.pi / 4
