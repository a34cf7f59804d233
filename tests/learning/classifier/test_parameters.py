"""Parameters of NeuralClassifier: what is ignored is told, what is wrong is named, an architecture has its own."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classification_assets import NeuralClassifier
from classification_assets.learning.models.architectures import MLP, Tabular
from tests.learning.two_moons import FRAME, X, classifier, y

# What is ignored


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"members": 2, "max_epochs": 10}, "max_epochs, members"),
        ({"validation_fraction": 0.3}, "validation_fraction"),
        ({"architecture": {"kind": "tabular", "training": {"patience": 3}}}, "patience"),
    ],
)
def test_options_that_tabular_has_no_use_for_are_told(options, named):
    with pytest.warns(UserWarning, match=f"has no use for {named}: ") as told:
        NeuralClassifier(**options, random_state=0).fit(X, y)
    assert len(told) == 1
    assert told[0].filename == __file__


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"learning_rate": 0.02, "mixup": 0.1, "weight_decay": 0.0},
        {"architecture": "linear", "members": 2},
    ],
)
def test_options_that_are_used_are_not_told(options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        NeuralClassifier(**options, random_state=0).fit(X, y)


# What is wrong


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": {"hiden": [8]}}, r"^hiden: there is no such field; did you mean 'hidden'\?"),
        (
            {"architecture": {"hidden": [0]}},
            r"^hidden\.0: Input should be greater than or equal to 1, got 0$",
        ),
        (
            {"architecture": 5},
            "^architecture: an architecture is a shipped one's name or a declaration, got 5$",
        ),
        (
            {"architecture": torch.nn.Linear(2, 2)},
            "^architecture: hand over the class, as in NeuralClassifier.Linear",
        ),
        ({"members": 0}, "^members: Input should be greater than or equal to 1, got 0$"),
        ({"mixup": (0.1, 0.2)}, "^mixup: must be one number, or 3 .*got 2 numbers$"),
        ({"device": 5}, "a device is auto, cpu, cuda, cuda:N or mps, got 5"),
        (
            {"class_weight": "even"},
            "^class_weight must be None, 'balanced' or weights of labels, .*got 'even'",
        ),
        ({"class_weight": {"sideways": 2}}, r"no class 'sideways'; the classes are \['down', 'up'\]"),
        ({"class_weight": {"up": 0}}, "^class_weight must be above 0 and finite, got 0 for class 'up'$"),
    ],
    ids=str,
)
def test_a_parameter_that_cannot_be_used_is_named_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as refused:
        classifier(**options).fit(X, y)
    assert "\n" not in str(refused.value)
    assert "validation error" not in str(refused.value)


@pytest.mark.parametrize("device", [torch.device("cpu"), torch.device("cpu", 0)])
def test_a_device_of_pytorch_is_taken(device):
    assert classifier(device=device, max_epochs=2).fit(X, y).score(X, y) > 0.4


@pytest.mark.parametrize(
    ("rows", "labels", "options"),
    [
        (np.hstack([X, X]), np.full(240, "up"), {}),
        (np.full((240, 3), np.inf), y, {}),
        (FRAME[["along"]], y, {"members": 0}),
        (FRAME[["along"]], y, {"device": "cuda:99"}),
    ],
)
def test_a_refused_fit_leaves_the_first_one_as_it_was(rows, labels, options):
    model = classifier(max_epochs=3).fit(FRAME, y)
    expected = model.predict_proba(FRAME)
    model.set_params(**options)
    with pytest.raises(ValueError, match=r".+"):
        model.fit(rows, labels)
    assert model.feature_names_in_.tolist() == ["across", "along"]
    assert model.n_features_in_ == 2
    np.testing.assert_array_equal(model.predict_proba(FRAME), expected)


# An architecture's own


@pytest.mark.parametrize("given", ["deep_relu", {"hidden": [8, 8]}, MLP(hidden=(8, 8))])
def test_fields_of_an_architecture_are_parameters(given):
    model = classifier(given).set_params(architecture__hidden=[5], architecture__activation="tanh")
    built = model.fit(X, y).fitted_.provenance.architecture
    assert (built.hidden, built.activation) == ((5,), "tanh")
    assert model.get_params()["architecture__activation"] == "tanh"
    assert clone(model).get_params() == model.get_params()


def test_what_was_given_stays_as_it_is():
    given = {"hidden": [8]}
    classifier(given).set_params(architecture__hidden=[5])
    assert given == {"hidden": [8]}


def test_the_default_has_fields_too():
    model = NeuralClassifier(random_state=0).set_params(architecture__width=4)
    built = model.fit(X, y).fitted_.provenance.architecture
    assert isinstance(built, Tabular)
    assert built.width == 4


def test_an_architecture_that_cannot_be_used_has_no_fields():
    assert not any(name.startswith("architecture__") for name in classifier("deep_rely").get_params())


def test_a_search_is_over_an_architectures_fields_in_a_pipeline():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), classifier()),
        {"neuralclassifier__architecture__hidden": [[], [8, 8]]},
        cv=2,
        error_score="raise",
    )
    assert search.fit(X, y).best_params_ == {"neuralclassifier__architecture__hidden": [8, 8]}


def test_there_is_no_partial_fit_and_a_sentence_says_why():
    assert not hasattr(classifier(), "partial_fit")
    with pytest.raises(AttributeError, match=r"no partial_fit: .*fit the old and the new rows together"):
        classifier().partial_fit(X, y)
    with pytest.raises(AttributeError, match="'NeuralClassifier' object has no attribute 'coef_'"):
        classifier().coef_  # noqa: B018
