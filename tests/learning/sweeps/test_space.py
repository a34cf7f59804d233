"""A space: its values are drawn as declared, and one that cannot be is refused by field and value."""

import math

import pytest
from pydantic import ValidationError

from classification_assets.learning.sweeps.space import Choices, Range, Space


def told(space):
    """The field and the message of the one error that a space brings."""
    with pytest.raises(ValidationError) as caught:
        Space.model_validate(space)
    (problem,) = caught.value.errors()
    return ".".join(map(str, problem["loc"])), problem["msg"].removeprefix("Value error, ")


NUMBER, UNITS = "must be a finite number", "each value is a list of units, whole numbers of at least 1 as in"


@pytest.mark.parametrize(
    ("space", "field", "message"),
    [
        ({"widht": [8]}, "widht", "there is no such field; did you mean 'width'? known are: depth, width,"),
        ({"width": []}, "width.choices", "there must be at least one value, got none"),
        ({"width": [8, 8]}, "width.choices", "8 is there twice, got [8, 8]"),
        ({"width": [8, 8.0]}, "width.choices", "8 is there twice, got [8, 8]"),
        ({"hidden": [[8], [8]]}, "hidden.choices", "[8] is there twice, got [[8], [8]]"),
        ({"learning_rate": [0.1, "0.1"]}, "learning_rate.choices", "0.1 is there twice, got [0.1, 0.1]"),
        ({"width": {"choices": 8}}, "width.choices", "a list is needed, as in [8], got 8"),
        ({"width": {"low": 1, "hihg": 2}}, "width.hihg", "there is no such field; did you mean 'high'?"),
        # Numbers
        ({"learning_rate": True}, "learning_rate", f"{NUMBER}, got True"),
        ({"dropout": [0.1, False]}, "dropout", f"{NUMBER}, got False"),
        ({"width": "wide"}, "width", f"{NUMBER}, got 'wide'"),
        ({"width": [None]}, "width", f"{NUMBER}, got None"),
        ({"learning_rate": [math.nan]}, "learning_rate", f"{NUMBER}, got nan"),
        ({"width": math.inf}, "width", f"{NUMBER}, got inf"),
        ({"mixup": {"low": 0, "high": math.inf}}, "mixup.high", "Input should be a finite number"),
        ({"learning_rate": {"low": True, "high": 2}}, "learning_rate.low", "must be a number, got True"),
        ({"learning_rate": {"low": 0.1}}, "learning_rate.high", "Field required"),
        ({"learning_rate": [[0.1, 0.2]]}, "learning_rate", "each value is a single one, got [0.1, 0.2]"),
        # What each hyper-parameter takes
        ({"depth": [-1]}, "depth", "must be a whole number of at least 0 and at most 1000, got -1"),
        ({"depth": 10**9}, "depth", "must be a whole number of at least 0 and at most 1000, got 1000000000"),
        ({"width": [8.5]}, "width", "must be a whole number of at least 1 and at most 65536, got 8.5"),
        ({"width": {"low": 0, "high": 8}}, "width", "must be a whole number of at least 1 and at most"),
        ({"batch_size": [0]}, "batch_size", "must be a whole number of at least 1, got 0"),
        ({"hidden": [16, 32]}, "hidden", f"{UNITS} [[16], [32, 16]], got 16"),
        ({"hidden": [["a"]]}, "hidden", f"{UNITS} [[16], [32, 16]], got ['a']"),
        ({"hidden": [[0]]}, "hidden", f"{UNITS} [[16], [32, 16]], got [0]"),
        ({"activation": ["sin"]}, "activation", "Input should be 'relu', 'leaky_relu', 'gelu', 'silu' or"),
        ({"activation": {"low": 0, "high": 1}}, "activation", "activation needs a list of values, got a r"),
        ({"residual": [1]}, "residual", "must be true or false, got 1"),
        ({"learning_rate": [0]}, "learning_rate", "must be above 0, got 0"),
        ({"dropout": {"low": 0, "high": 1}}, "dropout", "must be at least 0 and below 1, got 1"),
        ({"weight_decay": -0.1}, "weight_decay", "must be at least 0, got -0.1"),
        # Ranges
        ({"dropout": {"low": 0.2, "high": 0.1}}, "dropout.low", "low must be below high, got 0.2 and 0.1"),
        (
            {"weight_decay": {"low": 0, "high": 1, "log": True}},
            "weight_decay.low",
            "low must be above 0 where log is true, got 0",
        ),
        (
            {"mixup": {"low": 0, "high": 1, "steps": 1}},
            "mixup.steps",
            "Input should be greater than or equal",
        ),
        # Several together
        ({"hidden": [[8]], "depth": [1]}, "hidden", "hidden stands instead of depth and width, got both"),
    ],
)
def test_a_wrong_value_is_told_with_its_field_and_what_would_be_right(space, field, message):
    assert told(space)[0] == field
    assert told(space)[1].startswith(message)


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"activation": ["relu"]}, "when: activation is not in the space and cannot decide about dropout"),
        ({"nonsense": ["relu"]}, "when: nonsense is not in the space and cannot decide about dropout"),
        ({"normalization": ["layer"]}, "when: normalization is never 'layer'; its values are ['none', 'bat"),
        ({"normalization": []}, "when: normalization needs at least one value, got none"),
        ({"mixup": [0.1]}, "when: dropout may depend on what stands before it in (depth, width, hidden, act"),
        ({"learning_rate": [0.1]}, "when: learning_rate must have a list of values, got a range"),
        ({"learning_rate": ["fast"]}, "when: learning_rate: must be a finite number, got 'fast'"),
    ],
)
def test_a_condition_that_cannot_be_met_is_told(when, message):
    space = {
        "normalization": ["none", "batch"],
        "learning_rate": {"low": 0.01, "high": 0.1},
        "mixup": [0.1, 0.2],
        "dropout": {"choices": [0.1, 0.2], "when": when},
    }
    field, found = told(space)
    assert field == "dropout"
    assert found.startswith(message)


def test_a_space_without_hyper_parameters_names_those_there_are():
    with pytest.raises(
        ValidationError, match="at least one hyper-parameter is needed, got none; known are: de"
    ):
        Space()


def test_a_single_value_stands_for_a_list_of_it():
    space = Space.model_validate(
        {
            "activation": "gelu",
            "normalization": ["none", "batch"],
            "dropout": {"choices": [0.1], "when": {"normalization": "none"}},
        }
    )
    assert space.activation == Choices(choices=("gelu",))
    assert space.parameters()["dropout"].when == {"normalization": ("none",)}


def test_numbers_are_numbers_however_they_are_written():
    # YAML takes 1e-3, without a dot, for a text.
    space = Space.model_validate(
        {"learning_rate": ["1e-3", 0.01], "width": [8.0, "16"], "batch_size": [None, 32]}
    )
    assert space.learning_rate.choices == (0.001, 0.01)
    assert [type(width) for width in space.width.choices] == [int, int]
    assert space.batch_size.choices == (None, 32)


def test_a_space_comes_back_from_json_as_it_was():
    space = Space.model_validate(
        {
            "hidden": [[], [16], [32, 16]],
            "residual": {"choices": [True, False], "when": {"hidden": [[16]]}},
            "learning_rate": {"low": 0.001, "high": 0.1, "log": True, "steps": 3},
        }
    )
    assert Space.model_validate_json(space.model_dump_json()) == space
    assert Space.model_validate(space.model_dump()) == space


def test_a_grid_of_a_range_is_even_and_has_both_ends():
    assert Range(low=0, high=1, steps=5).grid(False) == (0, 0.25, 0.5, 0.75, 1)
    assert Range(low=0.001, high=0.1, log=True, steps=3).grid(False) == (0.001, pytest.approx(0.01), 0.1)
    assert Range(low=1, high=4, steps=7).grid(True) == (1, 2, 3, 4)
    assert Range(low=0, high=1).grid(False) is None


def test_the_combinations_of_a_grid_are_complete_and_each_is_there_once():
    space = Space.model_validate(
        {
            "depth": [1, 2],
            "normalization": ["none", "batch"],
            "dropout": {"choices": [0.0, 0.1, 0.2], "when": {"normalization": ["none"]}},
            "mixup": {"choices": [0.1, 0.2], "when": {"dropout": [0.1]}},
        }
    )
    found = list(space.combinations())
    assert len(found) == len({tuple(values.items()) for values in found}) == 2 * (1 + 2 + 1 + 1)
    assert {"depth": 2, "normalization": "batch"} in found
    assert {"depth": 1, "normalization": "none", "dropout": 0.1, "mixup": 0.2} in found
