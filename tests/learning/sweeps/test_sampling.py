"""Samplers: random draws follow from the seed alone, grids are complete, Optuna's learn from what they are told."""

import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.sweeps.sampling import sampler_of
from classification_assets.learning.sweeps.sweep import Sweep

SPACE = {
    "depth": [1, 2, 3],
    "width": {"low": 1, "high": 4},
    "normalization": ["none", "batch"],
    "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
    "dropout": {"low": 0.1, "high": 0.5, "when": {"normalization": ["none"]}},
}


def sampler(space=None, **options):
    return sampler_of(Sweep.model_validate({"space": space or SPACE} | options), lower_is_better=True)


def as_keys(drawn):
    return [tuple(values.items()) for values in drawn]


# Random


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 20), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_random_configurations_follow_from_the_seed_and_their_number_however_they_are_asked_for(seed, asked):
    at_once = sampler(seed=seed).ask(sum(asked))
    one_by_one = sampler(seed=seed)
    assert [values for n in asked for values in one_by_one.ask(n)] == at_once


def test_the_first_of_a_larger_budget_are_those_of_a_smaller_one():
    assert sampler(networks=100).ask(100)[:50] == sampler(networks=50).ask(50)


def test_other_seeds_draw_others():
    assert sampler(seed=1).ask(20) != sampler(seed=2).ask(20)


@pytest.mark.parametrize("kind", ["random", "tpe"])
def test_each_configuration_is_drawn_once_until_the_space_is_used_up(kind):
    small = {"depth": [1, 2], "width": {"low": 4, "high": 8}, "residual": [True, False]}
    drawn = sampler(small, sampler=kind)
    first, rest = drawn.ask(15), drawn.ask(100)
    keys = as_keys(first + rest)
    assert len(keys) == len(set(keys)) == 2 * 5 * 2
    assert drawn.ask(10) == []


@pytest.mark.parametrize(("kind", "batch_sizes", "n"), [("tpe", [32, 64, None], 27), ("gp", [None], 9)])
def test_a_sampler_that_learns_draws_each_once_though_it_comes_back_to_what_was_good(kind, batch_sizes, n):
    space = {
        "hidden": [[4], [8], [4, 4]],
        "activation": ["relu", "tanh"],
        "residual": {"choices": [True, False], "when": {"activation": ["relu"]}},
        "batch_size": batch_sizes,
    }
    drawn, found = sampler(space, sampler=kind), []
    while batch := drawn.ask(4):
        for values in batch:
            drawn.tell(len(found), float(len(values["hidden"])), 5, dropped=False)
            found.append(values)
    keys = as_keys(found)
    assert len(keys) == len(set(keys)) == n


def test_whole_numbers_have_both_ends_as_often_as_any_other():
    space = {"width": {"low": 1, "high": 4}, "learning_rate": {"low": 0.1, "high": 0.2}}
    counts = Counter(values["width"] for values in sampler(space).ask(4000))
    assert counts.keys() == {1, 2, 3, 4}
    assert all(type(width) is int for width in counts)
    # Five standard deviations of a count.
    assert max(abs(count - 1000) for count in counts.values()) < 5 * np.sqrt(4000 * 0.25 * 0.75)


def test_a_range_of_orders_of_magnitude_has_each_as_often():
    rates = np.array([values["learning_rate"] for values in sampler().ask(2000)])
    assert rates.min() >= 0.001
    assert rates.max() <= 0.1
    assert abs(np.mean(rates < 0.01) - 0.5) < 5 * np.sqrt(0.25 / 2000)


def test_whole_numbers_of_orders_of_magnitude_have_both_ends():
    space = {"width": {"low": 1, "high": 64, "log": True}, "mixup": {"low": 0, "high": 1}}
    widths = np.array([values["width"] for values in sampler(space).ask(2000)])
    assert {1, 64} <= set(widths.tolist())
    assert 0.4 < np.mean(widths <= 8) < 0.6


@pytest.mark.parametrize("kind", ["random", "tpe"])
def test_a_conditional_hyper_parameter_is_there_with_its_condition_and_only_then(kind):
    drawn = sampler(sampler=kind).ask(60)
    assert {values["normalization"] for values in drawn} == {"none", "batch"}
    assert all(("dropout" in values) == (values["normalization"] == "none") for values in drawn)


# Grid


def test_a_grid_is_complete():
    space = {"depth": [1, 2], "learning_rate": {"low": 0.01, "high": 1, "log": True, "steps": 3}}
    drawn = sampler(space, sampler="grid")
    found = drawn.ask(4) + drawn.ask(4)
    assert [values["depth"] for values in found] == [1, 1, 1, 2, 2, 2]
    np.testing.assert_allclose([values["learning_rate"] for values in found], [0.01, 0.1, 1] * 2)


# Optuna's


def told(drawn, values, first):
    """Tells a sampler that small learning rates are best; every third diverged, every fourth was dropped."""
    for index, each in enumerate(values, first):
        score = None if index % 3 == 2 else each["learning_rate"]
        drawn.tell(index, score, 5, dropped=index % 4 == 3)


def test_tpe_learns_from_batch_to_batch_and_draws_the_same_again():
    def rounds():
        drawn, found = sampler(sampler="tpe", seed=3), []
        for _ in range(4):
            batch = drawn.ask(16)
            told(drawn, batch, len(found))
            found += batch
        return drawn, found

    drawn, found = rounds()
    assert rounds()[1] == found
    rates = [values["learning_rate"] for values in found]
    assert np.median(rates[48:]) < np.median(rates[:16])
    states = Counter(trial.state.name for trial in drawn.study.trials)
    assert states == {"FAIL": 21, "PRUNED": 11, "COMPLETE": 32}


def test_a_batch_of_tpe_is_what_optunas_own_draws_one_by_one():
    import optuna

    def batches(own):
        drawn, found = sampler(sampler="tpe", seed=3), []
        if own:
            drawn.study.sampler = optuna.samplers.TPESampler(seed=3, constant_liar=False)
        for size in (12, 20, 1, 30):
            batch = drawn.ask(size)
            # Also where nobody, or a part of a batch, has come back before the next one is asked for.
            told(drawn, batch[: size // 2], len(found))
            found += batch
        return found

    assert batches(own=False) == batches(own=True)


def test_optuna_is_told_the_direction_and_what_was_dropped_with_its_score():
    drawn = sampler_of(Sweep.model_validate({"space": SPACE, "sampler": "tpe"}), lower_is_better=False)
    drawn.ask(2)
    drawn.tell(0, 0.8, 40, dropped=False)
    drawn.tell(1, 0.3, 5, dropped=True)
    assert drawn.study.direction.name == "MAXIMIZE"
    assert drawn.study.best_trial.number == 0
    assert drawn.study.trials[1].intermediate_values == {5: 0.3}


@pytest.mark.parametrize("kind", ["tpe", "gp"])
def test_optuna_says_nothing_of_its_own(kind, capfd, recwarn):
    drawn = sampler(sampler=kind)
    told(drawn, drawn.ask(12), 0)
    drawn.ask(2)
    assert capfd.readouterr().err == ""
    assert not recwarn.list


def test_values_of_every_kind_come_back_from_optuna_as_they_were_declared():
    space = {
        "hidden": [[], [16], [32, 16]],
        "activation": ["relu"],
        "residual": [False],
        "batch_size": [None, 32],
    }
    for values in sampler(space, sampler="tpe").ask(20):
        assert values["hidden"] in ((), (16,), (32, 16))
        assert values["batch_size"] in (None, 32)
        assert (values["activation"], values["residual"]) == ("relu", False)


def test_without_optuna_the_error_says_what_to_install_and_what_does_without(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(
        ImportError, match=r"sampler: tpe is one of Optuna's, which is not installed: pip install"
    ) as it:
        sampler(sampler="tpe")
    assert "'classification-assets[sweep]', or choose random or grid" in str(it.value)
    assert sampler().ask(1)
