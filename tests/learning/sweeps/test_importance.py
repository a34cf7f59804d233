import numpy as np
import pytest

from classification_assets.learning.sweeps.importance import FEWEST, importance
from tests.learning.sweeps.made_up import BEST_RATE, made_up


def by_name(found):
    return {effect.axis.name: index for index, effect in enumerate(found.effects)}


@pytest.mark.parametrize("options", [{}, {"rungs": (40,)}, {"metric": "accuracy"}])
def test_what_decides_is_found_and_what_does_not_is_not(options):
    found = importance(made_up(200, **options))
    place = by_name(found)
    assert [effect.axis.name for effect in found.effects][:2] == ["learning_rate", "activation"]
    matters = {name for name in place if found.matters[place[name]]}
    assert matters == {"learning_rate", "activation"}
    assert found.share[0] > 0.6
    assert 0.7 < found.explained <= 1
    assert np.all((found.low <= found.share) & (found.share <= found.high))


def test_the_effect_has_its_best_values_where_they_are(halved):
    found = importance(halved)
    rate = found.effects[by_name(found)["learning_rate"]]
    best = 10 ** rate.grid[rate.best]
    assert best.min() / 2 < BEST_RATE < best.max() * 2
    assert rate.axis.log
    kind = found.effects[by_name(found)["activation"]]
    assert {kind.axis.said(position) for position in kind.grid[kind.best]} == {"relu", "gelu"}
    for effect in found.effects:
        assert np.all((effect.low <= effect.place) & (effect.place <= effect.high))


def test_fewer_configurations_give_wider_intervals(halved, sweep):
    few, many = importance(sweep(40)), importance(halved)
    width = [
        found.high[index] - found.low[index]
        for found in (few, many)
        for index in [by_name(found)["learning_rate"]]
    ]
    assert width[0] > 1.5 * width[1]


def test_a_hyper_parameter_that_acts_only_with_another_has_a_share(sweep):
    rng = np.random.default_rng(3)
    first, second = rng.choice(["relu", "tanh"], 200), rng.uniform(0, 0.5, 200)
    result = sweep(
        200, rungs=(40,), activation=first, dropout=second, failing=9.0, swept=("activation", "dropout")
    )
    acts = np.where((first == "relu") == (second < 0.25), 0.0, 1.0)
    result.networks["score"] = acts + rng.normal(0, 0.1, 200)
    found = importance(result)
    assert found.matters.all()
    assert found.share.min() > 0.3


def test_the_same_configurations_give_the_same_numbers(sweep):
    one, other = importance(sweep(64)), importance(sweep(64))
    assert one is not other
    np.testing.assert_array_equal(one.share, other.share)
    np.testing.assert_array_equal(one.effects[0].low, other.effects[0].low)


def test_a_result_is_looked_at_once(halved):
    assert importance(halved) is importance(halved)


@pytest.mark.parametrize(
    "options",
    [
        {"n": FEWEST - 1},
        {"n": 40, "swept": ("weight_decay",)},
        {"n": 40, "swept": ()},
        {"n": 40, "failing": 0.0},
    ],
)
def test_where_nothing_can_be_told_there_is_nothing(options):
    assert importance(made_up(**options)) is None


def test_one_hyper_parameter_alone_is_enough(sweep):
    (effect,) = importance(sweep(64, swept=("learning_rate",))).effects
    assert effect.axis.name == "learning_rate"
