import numpy as np
import pytest

from classification_assets.learning.sweeps.axes import axes
from tests.learning.sweeps.made_up import SWEPT, made_up


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


def test_a_hyper_parameter_has_no_use_where_its_condition_keeps_it_at_its_default():
    kind = np.tile(["none", "batch"], 30)
    axis = axis_of(
        "dropout", normalization=kind, dropout=np.where(kind == "none", np.linspace(0.1, 0.5, 60), 0.0)
    )
    assert axis.used.all()  # normalization is not searched: nothing says that it is why
    result = made_up(
        60,
        swept=("normalization", "dropout"),
        normalization=kind,
        dropout=np.where(kind == "none", np.linspace(0.1, 0.5, 60), 0.0),
    )
    dropout = axes(result)[1]
    np.testing.assert_array_equal(dropout.used, kind == "none")


def test_equal_values_in_a_small_group_may_be_chance():
    kind = np.array(["batch"] * 2 + ["none"] * 58)
    values = np.tile([0.0, 0.0, 0.2], 20)
    result = made_up(60, swept=("normalization", "dropout"), normalization=kind, dropout=values)
    assert axes(result)[1].used.all()


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
