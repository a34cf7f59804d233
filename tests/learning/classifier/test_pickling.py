"""A pickled classifier holds its model once, as a file of ours has it, and is the same before and after it predicts."""

import copy
import pickle

import joblib
import numpy as np
import pytest

from classification_assets import load_classifier
from classification_assets.learning.models.architectures import MLP
from tests.frozen.own_network import OwnNetwork
from tests.learning.two_moons import FRAME, classifier, y

OWN = {"kind": "module", "path": "tests.frozen.own_network:OwnNetwork"}
ARCHITECTURES = ["shallow_relu", "tabular", OWN, MLP(hidden=(4,), normalization="batch")]


EACH = {"params": ARCHITECTURES, "ids": ["name", "tabular", "module", "object"]}


@pytest.fixture(**EACH)
def model(request):
    """A classifier that has predicted nothing yet."""
    return classifier(request.param, max_epochs=3).fit(FRAME, y)


@pytest.fixture(scope="module", **EACH)
def shared(request):
    """The same for tests that only look at it: none of them predicts, which may leave something in it."""
    return classifier(request.param, max_epochs=3).fit(FRAME, y)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_what_comes_back_is_the_same_classifier(model, again):
    other = again(model)
    np.testing.assert_array_equal(other.predict_proba(FRAME), model.predict_proba(FRAME))
    assert other.get_params() == model.get_params()
    assert list(other.fitted_.checkpoints) == list(model.fitted_.checkpoints)


def test_a_prediction_changes_neither_hash_nor_bytes(model):
    before = joblib.hash(model), pickle.dumps(model)
    model.predict(FRAME)
    assert (joblib.hash(model), pickle.dumps(model)) == before


def test_the_same_fit_has_the_same_hash():
    one, other = (classifier(max_epochs=3).fit(FRAME, y) for _ in range(2))
    assert joblib.hash(one) == joblib.hash(other) != joblib.hash(classifier(max_epochs=2).fit(FRAME, y))


def test_a_pickle_is_hardly_larger_than_the_models_file(model, tmp_path):
    model.predict(FRAME)
    model.save(tmp_path / "model.safetensors")
    assert len(pickle.dumps(model)) < (tmp_path / "model.safetensors").stat().st_size + 2_000


def test_a_pickle_of_the_model_alone_does_not_hold_its_networks_twice(model):
    before = len(pickle.dumps(model.fitted_))
    model.predict(FRAME)
    assert len(pickle.dumps(model.fitted_)) == before


def test_an_opened_classifier_is_pickled_with_its_snapshots(shared, tmp_path):
    shared.save(tmp_path / "model.safetensors")
    opened = load_classifier(tmp_path / "model.safetensors", module=OwnNetwork)
    again = pickle.loads(pickle.dumps(opened))
    for step, state in shared.fitted_.checkpoints.items():
        assert all((again.fitted_.checkpoints[step][name] == tensor).all() for name, tensor in state.items())


def test_a_classifier_that_is_not_fitted_is_pickled_too():
    assert pickle.loads(pickle.dumps(classifier())).get_params() == classifier().get_params()


def test_a_state_that_an_earlier_version_has_pickled_is_taken_as_it_is(model):
    state = model.__dict__ | {"_sklearn_version": "1.6.0"}
    other = classifier()
    other.__setstate__(state)
    np.testing.assert_array_equal(other.predict_proba(FRAME), model.predict_proba(FRAME))


def test_the_class_is_named_where_it_is_public(shared):
    assert b"classification_assets.learning.classifier\x94" in pickle.dumps(shared)


def test_a_model_says_in_one_line_what_it_is(shared):
    text = repr(shared.fitted_)
    assert text.startswith("FittedModel(")
    assert "2 columns, 2 classes" in text
    assert len(text) < 120
