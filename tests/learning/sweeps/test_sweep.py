"""A sweep's declaration: a budget that holds what is asked, and contradictions that are told before training."""

import math

import pytest
from pydantic import ValidationError

from classification_assets.learning.models.architectures import SHIPPED
from classification_assets.learning.packed.options import Training
from classification_assets.learning.sweeps.space import architecture_and_training
from classification_assets.learning.sweeps.sweep import Sweep


def sweep(**options):
    return Sweep.model_validate({"space": {"width": [8, 16]}} | options)


def told(**options):
    """The field and the message of the one error that a sweep brings."""
    with pytest.raises(ValidationError) as caught:
        sweep(**options)
    (problem,) = caught.value.errors()
    return ".".join(map(str, problem["loc"])), problem["msg"].removeprefix("Value error, ")


SPACE = "must be hyper-parameters and their values, as in {width: [8, 32]}"
RESIDUAL = "residual needs hidden layers of one width, got hidden [16, 8]; leave one out"
LIST, MANY = {"choices": [index / 100 for index in range(90)]}, {"low": 0, "high": 0.5, "steps": 50}


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        ({"space": {}}, "space", "at least one hyper-parameter is needed, got none"),
        ({"space": None}, "space", f"{SPACE}, got None"),
        ({"space": [8]}, "space", f"{SPACE}, got [8]"),
        (
            {"space": {"width": [0]}},
            "space.width",
            "must be a whole number of at least 1 and at most 65536, got 0",
        ),
        ({"networks": 0}, "networks", "Input should be greater than or equal to 1"),
        ({"networks": True}, "networks", "must be a number or a word, got True"),
        (
            {"networks": 5, "seeds": 2, "folds": 3},
            "networks",
            "one configuration takes 6 networks (seeds × folds), got a budget of 5",
        ),
        ({"seconds": 0}, "seconds", "Input should be greater than 0"),
        ({"seconds": math.inf}, "seconds", "Input should be a finite number"),
        (
            {"metric": "f1"},
            "metric",
            "Input should be 'log_loss', 'brier_score', 'accuracy', 'balanced_accuracy'",
        ),
        ({"sampler": "bohb"}, "sampler", "Input should be 'random', 'grid', 'tpe' or 'gp'"),
        ({"halving": 1}, "halving", "Input should be greater than or equal to 2"),
        ({"first_epochs": 41}, "first_epochs", "must not be above max_epochs (40), got 41"),
        (
            {"space": {"activation": ["relu", "tanh"]}, "architecture": "linear"},
            "space.activation",
            "no network of this sweep has a hidden layer, and without one activation has no use; leave it out",
        ),
        (
            {"space": {"depth": [0], "width": [8, 16]}},
            "space.width",
            "no network of this sweep has a hidden layer",
        ),
        (
            {"space": {"hidden": [[]], "dropout": {"low": 0, "high": 0.5}}},
            "space.dropout",
            "no network of this sweep has a hidden layer",
        ),
        (
            {"budget": 10},
            "budget",
            "there is no such field; known are: space, architecture, sampler, networks",
        ),
        (
            {"architecture": {"dropout": [0.1, 0.2]}},
            "architecture",
            "dropout must be one number, got [0.1, 0.2]",
        ),
        (
            {"architecture": "deep_rely"},
            "architecture",
            "must be one of linear, shallow_relu, deep_relu, deep_tanh, regularized, or a declaration such as {hidden",
        ),
        (
            {"sampler": "grid", "space": {"mixup": {"low": 0, "high": 1, "steps": 10**9}}},
            "space.mixup.steps",
            "Input should be less than or equal to 1000000",
        ),
        # Contradictions
        ({"space": {"hidden": [[16], [16, 8]], "residual": [True, False]}}, "space", RESIDUAL),
        ({"space": {"residual": [True, False]}, "architecture": {"hidden": [16, 8]}}, "space", RESIDUAL),
        (
            {"space": {"hidden": [[16, 8]]}, "architecture": {"hidden": [4], "residual": True}},
            "space",
            RESIDUAL,
        ),
        # Grids
        (
            {"sampler": "grid", "space": {"mixup": {"low": 0, "high": 1}}},
            "space.mixup",
            "a grid needs a list of values, or steps: {low: 0, high: 1, steps: 5}, got a range without steps",
        ),
        (
            {"sampler": "grid", "space": {"width": [8, 16], "dropout": MANY}, "folds": 2, "networks": 199},
            "networks",
            "the grid has 100 configurations, which take 200 networks, got 199",
        ),
        (
            {
                "sampler": "grid",
                "space": {
                    "normalization": ["none", "batch"],
                    "dropout": LIST | {"when": {"normalization": "none"}},
                },
                "networks": 90,
            },
            "networks",
            "the grid has 91 configurations, which take 91 networks, got 90",
        ),
    ],
)
def test_a_wrong_sweep_is_told_with_its_field_and_what_would_be_right(options, field, message):
    assert told(**options)[0] == field
    assert told(**options)[1].startswith(message)


def test_a_grid_of_exactly_its_budget_is_accepted():
    grid = sweep(sampler="grid", space={"width": [8, 16], "dropout": MANY}, folds=2, networks=200)
    assert grid.configurations == 100


@pytest.mark.parametrize(
    "options",
    [
        {
            "space": {
                "residual": {"choices": [True, False], "when": {"hidden": [[16]]}},
                "hidden": [[16], [16, 8]],
            }
        },
        {"space": {"residual": [True, False], "depth": [1, 2]}, "architecture": {"hidden": [16, 8]}},
        {"space": {"residual": [False]}, "architecture": {"hidden": [16, 8]}},
        {"space": {"width": [8, 16]}, "architecture": "linear"},
        {"space": {"activation": ["tanh"], "learning_rate": [0.01, 0.1]}, "architecture": "linear"},
        {"space": {"activation": ["relu", "tanh"], "depth": [0, 1]}},
        {"space": {"hidden": [[16, 16], [8]]}, "architecture": {"hidden": [4], "residual": True}},
    ],
)
def test_a_space_of_which_every_network_can_be_built_is_accepted(options):
    assert sweep(**options).space.parameters()


def test_configurations_are_as_many_as_the_budget_of_networks_holds():
    assert sweep(networks=64).configurations == 64
    assert sweep(networks=64, seeds=2, folds=5).configurations == 6


@pytest.mark.parametrize(
    ("options", "rungs"),
    [
        ({}, (5, 15, 40)),
        ({"halving": None}, (40,)),
        ({"first_epochs": 40}, (40,)),
        ({"halving": 2, "max_epochs": 41, "first_epochs": 10}, (10, 20, 40, 41)),
        ({"halving": 2, "max_epochs": 1, "first_epochs": 1}, (1,)),
    ],
)
def test_rungs_grow_by_the_halving_up_to_the_last_epoch(options, rungs):
    assert sweep(**options).rungs == rungs


def test_what_is_not_searched_may_be_a_shipped_architecture_with_all_that_belongs_to_it():
    fixed = sweep(architecture="regularized").architecture
    assert fixed == SHIPPED["regularized"]
    network, options = architecture_and_training({"width": 8}, fixed, fixed.trained_with(Training()))
    assert network.hidden == (8, 8, 8)
    assert options.weight_decay == 0.05


def test_a_sweep_comes_back_from_json_as_it_was():
    declared = sweep(
        sampler="tpe", seconds=3, metric="accuracy", architecture={"hidden": [4], "activation": "silu"}
    )
    assert Sweep.model_validate_json(declared.model_dump_json()) == declared


def test_the_declaration_imports_nothing_heavy(imported_by):
    loaded = imported_by("import classification_assets.learning.sweeps.sweep")
    assert not loaded & {"torch", "optuna", "sklearn", "matplotlib"}
