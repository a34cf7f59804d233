"""What users of scikit-learn's classifiers of this kind expect to find."""

import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib.externals.loky import get_reusable_executor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate

from classification_assets import NeuralClassifier, load_classifier
from tests.learning.classifier.own_network import Dropping
from tests.learning.two_moons import CODES, FRAME, X, classifier, y


@pytest.fixture(scope="module", params=["shallow_relu", "tabular"])
def model(request):
    return classifier(request.param).fit(FRAME, y)


def test_logarithms_of_probabilities(model):
    np.testing.assert_array_equal(model.predict_log_proba(FRAME), np.log(model.predict_proba(FRAME)))


def test_the_loss_after_each_epoch(model):
    history = model.fitted_.history["train_loss"]
    assert model.n_iter_ == len(model.loss_curve_) == len(history)
    assert model.loss_curve_[0] == pytest.approx(np.nanmean(history[0]))
    assert model.loss_curve_[-1] < model.loss_curve_[0]


@pytest.mark.parametrize("name", ["n_iter_", "loss_curve_"])
def test_before_a_fit_there_are_no_such_attributes(name):
    assert not hasattr(classifier(), name)


def test_before_a_fit_there_is_nothing_to_encode_with():
    with pytest.raises(NotFittedError):
        classifier().encode(FRAME)


# Weights of classes


@pytest.mark.parametrize("architecture", ["shallow_relu", "tabular"])
@pytest.mark.parametrize("class_weight", ["balanced", {"up": 4.0}, {"up": 2, "down": 0.5}])
def test_a_class_weight_is_a_weight_of_its_rows(architecture, class_weight):
    rows = np.r_[np.flatnonzero(CODES == 0), np.flatnonzero(CODES == 1)[:30]]
    factor = {"up": 4.0} if class_weight == "balanced" else class_weight
    if class_weight == "balanced":
        factor = {"down": 150 / (2 * 120), "up": 150 / (2 * 30)}
    weight = np.array([factor.get(label, 1.0) for label in y[rows]])
    named = classifier(architecture, class_weight=class_weight).fit(X[rows], y[rows])
    weighted = classifier(architecture).fit(X[rows], y[rows], sample_weight=weight)
    np.testing.assert_array_equal(named.predict_proba(X), weighted.predict_proba(X))


def test_balanced_counts_rows_by_their_weights():
    weight = np.where(CODES == 1, 3.0, 1.0)
    twice = classifier(class_weight="balanced").fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(
        twice.predict_proba(X), classifier(class_weight="balanced").fit(X, y).predict_proba(X), atol=1e-5
    )


@pytest.mark.parametrize(
    ("labels", "class_weight"), [(y, "balanced"), (CODES == 1, {True: 2.0}), (CODES, {0: 3})]
)
def test_an_opened_classifier_knows_its_class_weights(labels, class_weight, tmp_path):
    model = classifier(max_epochs=3, class_weight=class_weight).fit(X, labels)
    model.save(tmp_path / "first.safetensors")
    opened = load_classifier(tmp_path / "first.safetensors")
    assert opened.class_weight == class_weight
    opened.fit(X, labels).save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "first.safetensors").read_bytes()


# A class of networks as architecture


@pytest.mark.parametrize(
    "network", [Dropping, partial(Dropping, width=8), lambda D, C: Dropping(D, C, width=8)]
)
def test_a_class_of_networks_is_an_architecture(network):
    model = classifier(network, max_epochs=40).fit(FRAME, y)
    assert model.score(FRAME, y) > 0.8


def test_a_class_is_the_same_as_its_declaration(tmp_path):
    declared = {
        "kind": "module",
        "path": "tests.learning.classifier.own_network:Dropping",
        "arguments": {"width": 8},
    }
    expected = classifier(declared).fit(FRAME, y)
    model = classifier(Dropping).set_params(architecture__width=8).fit(FRAME, y)
    np.testing.assert_array_equal(model.predict_proba(FRAME), expected.predict_proba(FRAME))
    assert model.fitted_.provenance.architecture.path == declared["path"]
    model.save(tmp_path / "model.safetensors")
    opened = load_classifier(tmp_path / "model.safetensors", module=Dropping)
    np.testing.assert_array_equal(opened.predict_proba(FRAME), expected.predict_proba(FRAME))


@pytest.fixture
def importable(monkeypatch):
    """New processes of joblib find the tests' own modules, as they would a person's."""
    monkeypatch.syspath_prepend(Path(__file__).parents[3])
    get_reusable_executor().shutdown()
    yield
    get_reusable_executor().shutdown()


def test_a_class_survives_other_processes(importable):
    search = GridSearchCV(
        classifier(Dropping, max_epochs=3),
        {"architecture__width": [2, 8]},
        cv=2,
        n_jobs=2,
        error_score="raise",
    )
    assert search.fit(X, y).predict_proba(X).shape == (240, 2)
    fits = cross_validate(
        classifier(Dropping, max_epochs=3), X, y, cv=2, n_jobs=2, return_estimator=True, error_score="raise"
    )
    again = pickle.loads(pickle.dumps(fits["estimator"][0]))
    np.testing.assert_array_equal(again.predict_proba(X), fits["estimator"][0].predict_proba(X))


def test_a_page_shows_estimator_and_model(model):
    assert "NeuralClassifier" in model._repr_html_()
    html = (
        classifier({"hidden": [4]}, max_epochs=2)
        .fit(pd.DataFrame(X, columns=["<b>", "&"]), y)
        .fitted_._repr_html_()
    )
    assert "<table" in html
    assert "hidden" in html


def test_the_parameters_of_the_default_are_those_of_the_documentation():
    assert NeuralClassifier().get_params(deep=False)["class_weight"] is None
