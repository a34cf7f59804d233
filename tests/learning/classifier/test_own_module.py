"""A person's own class of network with random layers follows `random_state`, in any thread."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.utils.estimator_checks import parametrize_with_checks

from classification_assets import NeuralClassifier
from tests.learning.two_moons import FRAME, classifier, y

OWN = {"kind": "module", "path": "tests.learning.classifier.own_network:Dropping"}


@pytest.fixture(scope="module")
def expected():
    return classifier(OWN).fit(FRAME, y).predict_proba(FRAME)


def test_random_state_decides_and_the_callers_generator_stays(expected):
    torch.manual_seed(5)
    untouched = torch.rand(1)
    torch.manual_seed(5)
    again = classifier(OWN).fit(FRAME, y).predict_proba(FRAME)
    assert torch.equal(torch.rand(1), untouched)
    np.testing.assert_array_equal(again, expected)
    assert (classifier(OWN, random_state=1).fit(FRAME, y).predict_proba(FRAME) != expected).any()


def test_fits_in_several_threads_are_the_same(expected):
    with ThreadPoolExecutor(4) as pool:
        fits = pool.map(lambda _: classifier(OWN).fit(FRAME, y).predict_proba(FRAME), range(4))
        for probabilities in fits:
            np.testing.assert_array_equal(probabilities, expected)


def test_it_is_predicted_from_several_threads(expected):
    model = classifier(OWN).fit(FRAME, y)
    with ThreadPoolExecutor(4) as pool:
        for probabilities in pool.map(lambda _: model.predict_proba(FRAME), range(12)):
            np.testing.assert_array_equal(probabilities, expected)


@pytest.mark.parametrize("state", [lambda: torch.device("meta"), torch.no_grad, torch.inference_mode])
def test_the_callers_torch_state_does_not_reach_it(state, expected):
    with state():
        np.testing.assert_array_equal(classifier(OWN).fit(FRAME, y).predict_proba(FRAME), expected)


@parametrize_with_checks([NeuralClassifier(OWN, members=3, max_epochs=40, batch_size=32, learning_rate=0.03)])
def test_it_passes_every_check_that_scikit_learn_has(estimator, check):
    check(estimator)
