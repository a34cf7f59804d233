"""Architectures as they are declared, and what is said of those that may not be."""

import sys
import types

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from torch import nn

from classification_assets.learning.models.architectures import (
    MLP,
    NAMED,
    SHIPPED,
    AnyArchitecture,
    Architecture,
    ArchitectureChoice,
    Module,
    Tabular,
)
from classification_assets.learning.packed.options import Training

choice = TypeAdapter(ArchitectureChoice)

declaration = TypeAdapter(AnyArchitecture)


def only_error(raised):
    (error,) = raised.value.errors()
    return error


# Architectures


def test_the_shipped_architectures_have_the_names_of_the_readme():
    assert list(SHIPPED) == ["linear", "shallow_relu", "deep_relu", "deep_tanh", "regularized"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_architecture_is_chosen_by_its_name(name):
    assert choice.validate_python(name).name == name


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_architecture_maps_rows_to_logits_for_every_member(name):
    network = SHIPPED[name].build(4, 3, [0, 1])
    assert network(torch.zeros(2, 7, 4)).shape == (2, 7, 3)


def test_the_recipe_for_tables_has_a_name_but_is_tried_only_when_it_is_named():
    assert choice.validate_python("tabular") == Tabular(name="tabular", kind="tabular")
    assert "tabular" not in SHIPPED


def test_only_the_recipe_for_tables_learns_from_the_validation_fold():
    learns = {name: architecture.learns_from_validation for name, architecture in NAMED.items()}
    assert [name for name, own in learns.items() if own] == ["tabular"]


def test_an_architecture_is_declared_without_saying_its_kind():
    declared = {"name": "wide", "hidden": [128, 128], "activation": "gelu", "dropout": 0.1}
    assert choice.validate_python(declared) == MLP(
        name="wide", hidden=(128, 128), activation="gelu", dropout=0.1
    )


@pytest.mark.parametrize("architecture", [*NAMED.values(), MLP(dropout=(0.1, 0.2), residual=True)])
def test_an_architecture_survives_json(architecture):
    again = declaration.validate_json(declaration.dump_json(architecture))
    assert again == architecture
    assert again.training.model_fields_set == architecture.training.model_fields_set


def test_an_unknown_name_is_answered_with_the_shipped_ones():
    with pytest.raises(ValidationError) as raised:
        choice.validate_python("deep_rely")
    assert "unknown architecture 'deep_rely'; shipped are linear, shallow_relu, deep_relu" in str(
        raised.value
    )
    assert "{name: ..., hidden: [...], activation: ...}" in str(raised.value)


@pytest.mark.parametrize("value", [5, None, ["linear"]])
def test_what_is_neither_a_name_nor_a_declaration_is_shown(value):
    with pytest.raises(ValidationError) as raised:
        choice.validate_python(value)
    assert f"shipped one's name or a declaration, got {value!r}" in only_error(raised)["msg"]


def test_an_unknown_kind_is_answered_with_the_kinds_there_are():
    with pytest.raises(ValidationError, match=r"'cnn' .* expected tags: 'mlp', 'module'"):
        choice.validate_python({"kind": "cnn"})


def test_an_unknown_activation_is_answered_with_the_activations_there_are():
    with pytest.raises(ValidationError) as raised:
        choice.validate_python({"activation": "softplus"})
    error = only_error(raised)
    assert error["loc"][-1] == "activation"
    assert error["input"] == "softplus"
    assert error["msg"] == "Input should be 'relu', 'leaky_relu', 'gelu', 'silu' or 'tanh'"


def test_an_unknown_normalization_is_answered_with_the_normalizations_there_are():
    with pytest.raises(ValidationError, match="Input should be 'none', 'batch' or 'layer'"):
        MLP(normalization="group")


def test_a_misspelt_field_is_answered_with_the_field_that_is_meant():
    with pytest.raises(ValidationError, match="did you mean 'hidden'") as raised:
        choice.validate_python({"hiden": [8]})
    assert only_error(raised)["input"] == [8]


@pytest.mark.parametrize("size", [0, -3, 65537, 2.5])
def test_a_hidden_layer_of_no_possible_size_is_refused_with_its_place(size):
    with pytest.raises(ValidationError) as raised:
        MLP(hidden=(8, size))
    error = only_error(raised)
    assert error["loc"] == ("hidden", 1)
    assert error["input"] == size


@given(st.lists(st.integers(1, 64), min_size=2, max_size=4))
def test_residual_layers_must_be_of_one_width(hidden):
    if len(set(hidden)) == 1:
        assert MLP(hidden=hidden, residual=True).residual
    else:
        with pytest.raises(ValidationError) as raised:
            MLP(hidden=hidden, residual=True)
        assert only_error(raised)["loc"] == ("hidden",)
        assert f"residual needs hidden layers of one width, got {hidden}" in only_error(raised)["msg"]


@pytest.mark.parametrize("rate", [-0.1, 1.0, (0.1, 1.5)])
def test_a_dropout_rate_is_at_least_0_and_below_1(rate):
    wrong = rate[1] if isinstance(rate, tuple) else rate
    with pytest.raises(ValidationError, match=f"must be at least 0 and below 1, got {wrong}"):
        MLP(dropout=rate)


@pytest.mark.parametrize("name", ["", "Deep", "a-b", "a/b", "x" * 61, "über"])
def test_a_name_that_fits_no_asset_key_is_refused_with_the_rule(name):
    with pytest.raises(ValidationError, match=r"1 to 60 lower-case letters, digits and underscores.*got"):
        MLP(name=name)


def test_a_device_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(ValidationError, match="auto, cpu, cuda, cuda:N or mps, got 'gpu'"):
        MLP(device="gpu")


def test_a_declaration_does_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        MLP().hidden = (3,)


def test_a_replaced_field_is_checked_like_a_declared_one():
    with pytest.raises(ValidationError, match="residual needs"):
        MLP(hidden=(4, 4), residual=True).replaced(hidden=(4, 5))


def test_every_field_is_described():
    for kind in (MLP, Module, Training):
        undescribed = [
            name for name, field in kind.model_fields.items() if name != "kind" and not field.description
        ]
        assert undescribed == []


def test_a_kind_that_cannot_be_built_says_so():
    with pytest.raises(NotImplementedError, match="Architecture must say how it is built"):
        Architecture().build(2, 2, [0])


# An architecture's own training options


def test_an_architectures_own_options_win_over_the_experiments():
    own = MLP(training=Training(learning_rate=0.5, patience=3))
    used = own.trained_with(Training(learning_rate=0.1, max_epochs=7))
    assert (used.learning_rate, used.patience, used.max_epochs) == (0.5, 3, 7)


def test_options_that_an_architecture_leaves_open_are_the_experiments():
    experiment = Training(members=3, schedule="constant", seed=9)
    assert MLP().trained_with(experiment) == experiment


def test_an_own_option_that_equals_the_default_still_wins():
    default = Training().learning_rate
    own = MLP(training={"learning_rate": default})
    assert own.trained_with(Training(learning_rate=0.5)).learning_rate == default


def test_own_options_come_back_from_json_as_they_were_set():
    own = MLP(training=Training(learning_rate=(0.1, 0.2)))
    again = declaration.validate_json(declaration.dump_json(own))
    used = again.trained_with(Training(members=2, max_epochs=7))
    assert (used.learning_rate, used.max_epochs) == ((0.1, 0.2), 7)


def test_own_numbers_that_do_not_fit_the_experiments_members_are_refused():
    own = MLP(training=Training(learning_rate=(0.1, 0.2)))
    with pytest.raises(ValidationError, match=r"or 3 \(one a member\), got 2 numbers"):
        own.trained_with(Training(members=3))


def test_dropout_rates_that_do_not_fit_the_experiments_members_are_refused():
    with pytest.raises(ValidationError, match=r"or 3 \(one a member\), got 2 numbers") as raised:
        MLP(dropout=(0.1, 0.2)).trained_with(Training(members=3))
    assert only_error(raised)["loc"] == ("dropout",)


# A person's own module


class Own(nn.Module):
    def __init__(self, n_features, n_classes, width=4):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_features, width), nn.ReLU(), nn.Linear(width, n_classes))

    def forward(self, x):
        return self.layers(x)


@pytest.fixture
def theirs(monkeypatch):
    """A module of a person's own, with a network class `Own` in it."""
    module = types.ModuleType("theirs")
    module.Own = Own
    monkeypatch.setitem(sys.modules, "theirs", module)
    return module


def test_a_persons_own_module_is_declared_by_its_path_and_arguments(theirs):
    declared = {"kind": "module", "name": "own", "path": "theirs:Own", "arguments": {"width": 9}}
    network = choice.validate_python(declared).build(4, 3, [0, 1])
    assert network(torch.zeros(2, 7, 4)).shape == (2, 7, 3)
    assert sum(parameter[0].numel() for parameter in network.parameters()) == 4 * 9 + 9 + 9 * 3 + 3


def test_a_persons_own_module_is_made_under_its_members_seed(theirs):
    own = Module(kind="module", path="theirs:Own")
    one, other = own.build(4, 3, [5, 6]), own.build(4, 3, [6])
    x = torch.randn(1, 7, 4)
    np.testing.assert_allclose(one(x.expand(2, -1, -1))[1].detach(), other(x)[0].detach(), rtol=1e-5)


@pytest.mark.parametrize(
    "path", ["theirs", "theirs.Own", "theirs:", ":Own", "their s:Own", "theirs:Own.inner", "a/b:C"]
)
def test_a_path_that_is_no_import_path_is_refused_with_the_form(path):
    with pytest.raises(ValidationError) as raised:
        Module(kind="module", path=path)
    assert only_error(raised)["loc"] == ("path",)
    assert f"an import path reads package.module:name, got {path!r}" in only_error(raised)["msg"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [("no_such_module_here:Own", "No module named"), ("theirs:Missing", "no attribute 'Missing'")],
)
def test_a_path_that_leads_nowhere_names_architecture_and_path(theirs, path, reason):
    with pytest.raises(ValueError, match=reason) as raised:
        Module(kind="module", name="own", path=path).build(2, 2, [0])
    assert str(raised.value).startswith(f"architecture own: path {path!r} names nothing")


def test_an_architecture_of_ours_has_no_class_of_a_persons_own():
    assert MLP().network_class() is None


def test_declaring_architectures_imports_nothing_heavy(imported_by):
    heavy = {"torch", "sklearn", "pandas", "scipy", "matplotlib", "dagster"}
    assert not imported_by("import classification_assets.learning.models.architectures") & heavy
