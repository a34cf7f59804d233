"""Axes of a sweep's hyper-parameters: levels and ranges in their order, and where one has no use."""

import dataclasses

import numpy as np
import pytest

from classification_assets.learning.sweeps.axes import axes
from classification_assets.learning.sweeps.search import search
from tests.learning.sweeps.made_up import SWEPT, made_up
from tests.learning.sweeps.searches import small


def axis_of(name, n=60, **columns):
    found = {axis.name: axis for axis in axes(made_up(n, swept=tuple({*SWEPT, name}), **columns))}
    return found.get(name)


def test_axes_are_those_that_were_searched_in_their_order(halved):
    assert [axis.name for axis in axes(halved)] == list(SWEPT)


def test_few_numbers_are_levels_in_their_order():
    axis = axis_of("width", width=np.tile([32, 8, 16], 20))
    assert axis.levels == ("8", "16", "32")
    assert axis.ordered
    np.testing.assert_array_equal(axis.position[:3], [2, 0, 1])


@pytest.mark.parametrize(
    ("numbers", "log"),
    [
        (np.geomspace(1e-5, 1e-1, 60), True),
        (np.linspace(1e-3, 0.5, 60), False),
        (np.linspace(0.0, 0.5, 60), False),
        (np.linspace(-1.0, 1.0, 60), False),
    ],
)
def test_many_numbers_are_a_range_by_their_magnitude_if_they_were_drawn_so(numbers, log):
    axis = axis_of("weight_decay", weight_decay=numbers)
    assert axis.levels == ()
    assert axis.log == log
    np.testing.assert_allclose(axis.position, np.log10(numbers) if log else numbers)


def test_values_can_be_read():
    rate = axis_of("learning_rate", learning_rate=np.geomspace(1e-3, 1.0, 60))
    assert rate.said(-2.0) == "0.01"
    assert axis_of("residual", residual=np.arange(60) % 2 == 0).levels == ("yes", "no")


@pytest.mark.filterwarnings("error")
def test_all_rows_in_one_batch_is_the_largest_batch():
    axis = axis_of("batch_size", batch_size=np.tile([0, 16, 64], 20))
    assert axis.levels == ("16", "64", "all rows")
    np.testing.assert_array_equal(axis.position[:3], [2, 0, 1])


def test_shapes_go_from_the_shallowest_and_narrowest_on():
    result = made_up(60, swept=("hidden",))
    result.networks["hidden"] = np.tile(["16-16", "128", "16", "8-64-8"], 15)
    (axis,) = axes(result)
    assert axis.levels == ("16", "128", "16-16", "8-64-8")
    assert not axis.ordered


def conditional(conditions, **columns):
    """Which configurations use each axis, with what the space says about it."""
    result = made_up(60, swept=(*columns, "dropout"), **columns)
    summary = dataclasses.replace(result.summary, conditions=conditions)
    return {axis.name: axis.used for axis in axes(dataclasses.replace(result, summary=summary))}


def test_a_hyper_parameter_has_no_use_where_its_condition_does_not_hold():
    kind = np.tile(["none", "batch", "layer"], 20)
    used = conditional({"dropout": {"normalization": ["none", "layer"]}}, normalization=kind)
    np.testing.assert_array_equal(used["dropout"], kind != "batch")
    assert used["normalization"].all()


def test_what_depends_on_a_hyper_parameter_that_has_no_use_has_none_either():
    residual, kind = np.tile([True, False], 30), np.tile(["none", "batch", "layer"], 20)
    used = conditional(
        {"residual": {"normalization": ["none", "batch"]}, "dropout": {"residual": [True]}},
        normalization=kind,
        residual=residual,
    )
    np.testing.assert_array_equal(used["residual"], kind != "layer")
    np.testing.assert_array_equal(used["dropout"], residual & (kind != "layer"))


def test_a_search_tells_the_conditions_of_its_space(split):
    space = {
        "hidden": [[4], [3, 3], []],
        "learning_rate": {"choices": [0.01, 0.05], "when": {"hidden": [[4], []]}},
        "batch_size": {"choices": [None, 32]},
    }
    result = search(small(12, space), split, n_jobs=1)
    assert result.summary.conditions == {"learning_rate": {"hidden": ["4", "none"]}}
    used = {axis.name: axis.used for axis in axes(result)}
    np.testing.assert_array_equal(used["learning_rate"], result.configurations()["hidden"] != "3-3")


def test_without_hidden_layers_there_is_no_use_for_what_belongs_to_them():
    depth = np.tile([0, 1, 2], 20)
    found = axes(made_up(60, depth=depth, width=np.where(depth > 0, np.arange(60) % 2 + 8, 0)))
    assert {axis.name: axis.levels for axis in found}["width"] == ("8", "9")
    used = {axis.name: axis.used for axis in found}
    for name in ("width", "activation", "dropout"):
        np.testing.assert_array_equal(used[name], depth > 0)
    assert used["depth"].all()
    assert used["learning_rate"].all()


def test_what_has_one_value_is_no_axis():
    assert axis_of("mixup") is None
