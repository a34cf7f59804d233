"""A classifier comes back from its file as it was; code of a person's own is passed in, never loaded."""

import copy
import json
import sys

import numpy as np
import pytest
import torch
from safetensors import safe_open

from classification_assets.learning.artifacts import model_file
from classification_assets.learning.artifacts.files import HEADER
from classification_assets.learning.artifacts.storage import load, save
from classification_assets.learning.models.architectures import MLP, Module

OWN_NETWORK = """
import pathlib
import torch

pathlib.Path(__file__).with_name("imported").touch()


class Own(torch.nn.Module):
    def __init__(self, n_features, n_classes, width=3):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(n_features, width), torch.nn.Linear(width, n_classes))

    def forward(self, x):
        return self.layers(x)
"""


@pytest.mark.parametrize("kind", ["fitted", "with_checkpoints"])
def test_a_fitted_classifier_comes_back(stored, kind):
    value, path = stored(kind)
    again = load(path)
    assert again.provenance == value.provenance
    assert again.state.keys() == value.state.keys()
    assert all(torch.equal(again.state[name], tensor) for name, tensor in value.state.items())
    for name, array in value.history.items():
        np.testing.assert_array_equal(again.history[name], array)
    np.testing.assert_array_equal(again.best_step, value.best_step)
    np.testing.assert_array_equal(again.validation_probabilities, value.validation_probabilities)
    assert again.checkpoints.keys() == value.checkpoints.keys()
    for step, state in value.checkpoints.items():
        assert all(torch.equal(again.checkpoints[step][name], tensor) for name, tensor in state.items())


def test_a_classifiers_snapshots_are_read_only_when_asked_for(fitted, split, tmp_path, monkeypatch):
    read = []

    class Watched:
        def __init__(self, *arguments, **options):
            self.opened = safe_open(*arguments, **options)

        def __getattr__(self, name):
            return getattr(self.opened, name)

        def get_tensor(self, name):
            read.append(name)
            return self.opened.get_tensor(name)

    save(fitted, tmp_path / "model.safetensors")
    monkeypatch.setattr(model_file, "safe_open", Watched)
    again = load(tmp_path / "model.safetensors")
    again.predict_proba(split.X)
    first, last, *_ = again.checkpoints
    assert not any(name.startswith("checkpoints/") for name in read)
    np.testing.assert_array_equal(
        again.probabilities_at(last, split.X), fitted.probabilities_at(last, split.X)
    )
    assert any(name.startswith(f"checkpoints/{last}/") for name in read)
    assert not any(name.startswith(f"checkpoints/{first}/") for name in read)


def test_a_classifiers_snapshots_are_those_it_was_loaded_with_when_its_file_is_replaced(
    fit, fitted, split, tmp_path
):
    path = tmp_path / "model.safetensors"
    save(fitted, path)
    again = load(path)
    save(fit(seed=9), path)
    step = list(again.checkpoints)[2]
    np.testing.assert_array_equal(
        again.probabilities_at(step, split.X), fitted.probabilities_at(step, split.X)
    )


def test_a_loaded_classifier_can_be_copied(stored):
    value, path = stored("with_checkpoints")
    again = copy.deepcopy(load(path))
    assert all(
        torch.equal(again.checkpoints[step][name], tensor)
        for step, state in value.checkpoints.items()
        for name, tensor in state.items()
    )


def test_a_fitted_classifier_predicts_the_same_when_it_comes_back(stored, split):
    value, path = stored("fitted")
    np.testing.assert_array_equal(load(path).predict_proba(split.X), value.predict_proba(split.X))


def test_a_fitted_classifier_that_a_member_failed_in_predicts_the_same_when_it_comes_back(
    fit, split, tmp_path
):
    architecture = MLP(hidden=(6,), dropout=(0.0, 0.2, 0.0))
    value = fit(architecture, learning_rate=(0.03, 1e38, 0.02))
    save(value, tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict_proba(split.X), value.predict_proba(split.X))


def test_own_training_options_of_an_architecture_come_back_as_they_were_set(fit, tmp_path):
    value = fit(MLP(hidden=(6,), training={"learning_rate": (0.1, 0.02, 0.03)}))
    save(value, tmp_path / "model.safetensors")
    own = load(tmp_path / "model.safetensors").provenance.architecture.training
    assert own.model_fields_set == {"learning_rate"}
    assert own.learning_rate == (0.1, 0.02, 0.03)


@pytest.fixture
def own_model(fit, tmp_path, monkeypatch):
    """A stored model of a person's own class, forgotten by Python; and the class."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "theirs_on_disk.py").write_text(OWN_NETWORK)
    monkeypatch.syspath_prepend(code)
    value = fit(Module(kind="module", name="own", path="theirs_on_disk:Own", arguments={"width": 5}))
    save(value, tmp_path / "own.safetensors")
    network = sys.modules.pop("theirs_on_disk").Own
    (code / "imported").unlink()
    yield tmp_path / "own.safetensors", value, network
    sys.modules.pop("theirs_on_disk", None)


def test_loading_a_model_of_a_persons_own_class_imports_nothing(own_model):
    path, _, _ = own_model
    load(path)
    assert "theirs_on_disk" not in sys.modules
    assert not (path.parent / "code" / "imported").exists()


def test_a_persons_own_class_is_passed_in(own_model, split):
    path, value, network = own_model
    again = load(path, module=network)
    np.testing.assert_array_equal(again.predict_proba(split.X), value.predict_proba(split.X))


def test_without_a_persons_own_class_the_error_names_it_and_says_how_it_is_passed(own_model, split):
    path, _, _ = own_model
    with pytest.raises(ValueError, match="architecture 'own'") as raised:
        load(path).predict_proba(split.X)
    assert "theirs_on_disk:Own" in str(raised.value)
    assert "load_classifier(path, module=...)" in str(raised.value)


def test_a_class_that_has_changed_since_is_told_where_its_model_is_used(own_model, split):
    path, _, network = own_model
    with pytest.raises(ValueError, match=r"weights of own do not fit .*train it again") as raised:
        load(path, module=lambda *given, width: network(*given, width=width + 1)).predict_proba(split.X)
    assert "size mismatch" in str(raised.value)


def test_a_model_can_use_the_class_that_a_declaration_names(own_model, split):
    path, value, _ = own_model
    again = load(path).using(value.provenance.architecture)
    np.testing.assert_array_equal(again.predict_proba(split.X), value.predict_proba(split.X))


def test_a_model_is_described_by_its_file_without_this_project(stored):
    value, path = stored("fitted")
    with safe_open(path, framework="np") as opened:
        header = json.loads(opened.metadata()[HEADER])
    assert header["provenance"]["architecture"]["activation"] == "tanh"
    assert header["provenance"]["versions"]["torch"] == torch.__version__
    assert header["provenance"]["packs"] == [
        {"kind": "networks", "seeds": list(value.provenance.training.seeds)}
    ]
