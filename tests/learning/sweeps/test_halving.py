"""Successive halving: the best share of each rung goes on, as results come in, and somebody reaches the end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification_assets.learning.sweeps.halving import Halving


def halving(rungs=(5, 15, 40), share=3):
    return Halving(rungs, share)


def test_the_best_of_three_goes_on_and_once_only():
    rule = halving()
    for index, loss in enumerate([0.5, 0.2, 0.4]):
        rule.record(0, index, loss)
    assert rule.promoted() == [(1, 0)]
    assert rule.promoted() == []


def test_one_that_was_beaten_goes_on_when_there_is_room():
    rule = halving()
    for index, loss in enumerate([0.1, 0.2, 0.9]):
        rule.record(0, index, loss)
    assert rule.promoted() == [(0, 0)]
    for index, loss in enumerate([0.8, 0.7, 0.6], 3):
        rule.record(0, index, loss)
    assert rule.promoted() == [(1, 0)]


def test_equal_losses_go_on_in_the_order_in_which_they_were_drawn():
    rule = halving()
    for index in (5, 3, 4, 1, 0, 2):
        rule.record(0, index, 0.5)
    assert rule.promoted() == [(0, 0), (1, 0)]


@given(st.permutations(range(12)), st.lists(st.integers(0, 20), min_size=12, max_size=12), st.integers(2, 5))
def test_what_goes_on_is_the_best_share_of_a_rung_whatever_order_results_come_in(order, losses, share):
    rule = halving((1, 2), share)
    for index in order:
        rule.record(0, index, float(losses[index]))
    gone = [index for index, _ in rule.promoted()]
    assert gone == sorted(range(12), key=lambda index: (losses[index], index))[: 12 // share]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(2, 4))
def test_results_one_by_one_never_let_more_go_on_than_the_share(losses, share):
    rule, gone = halving((1, 2), share), []
    for index, loss in enumerate(losses):
        rule.record(0, index, loss)
        gone += rule.promoted()
        # A promotion that a later result would have prevented is kept: that is what ASHA gives for not waiting.
        assert len({index for index, _ in gone}) == len(gone) <= index + 1
        best = sorted(range(index + 1), key=lambda each: (losses[each], each))[: (index + 1) // share]
        assert {(each, 0) for each in best} <= set(gone)


def run(losses, diverge, rungs=(5, 15, 40), share=3):
    """Epoch budgets to which each configuration comes, when some diverge at a rung."""
    rule = halving(rungs, share)
    waiting = [(index, 0) for index in range(len(losses))]
    begun = []
    while waiting:
        for index, rung in waiting:
            begun.append((index, rung))
            if (index, rung) not in diverge:
                rule.record(rung, index, losses[index])
        waiting = [(index, rung + 1) for index, rung in rule.promoted() or rule.stragglers()]
    return rule, begun


@pytest.mark.parametrize("n", range(1, 12))
def test_however_few_there_are_one_is_trained_to_its_end(n):
    rule, _ = run([(7 * index) % n / n for index in range(n)], set())
    assert 0 in rule.finished()


def test_where_the_only_one_that_went_on_diverges_the_next_best_goes_on():
    rule, _ = run([0.3, 0.1, 0.2], {(1, 1)})
    assert set(rule.finished()) == {2}
    rule, _ = run([0.5, 0.1, 0.4, 0.3], {(1, 2)})
    assert set(rule.finished()) == {3}


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=15),
    st.sets(st.tuples(st.integers(0, 14), st.integers(0, 2))),
)
def test_one_that_diverged_never_goes_on_and_one_of_the_others_reaches_the_end(losses, diverge):
    rule, begun = run(losses, diverge)
    for index, rung in diverge:
        assert not any(other == index and later > rung for other, later in begun)
    sound = set(range(len(losses))) - {index for index, _ in diverge}
    if sound:
        assert rule.finished()
    assert set(rule.finished()) <= {index for index, _ in begun}
    assert len(begun) == len(set(begun))


def test_without_halving_there_is_one_rung_and_nobody_is_dropped():
    rule, begun = run([0.3, 0.1], set(), (40,), None)
    assert rule.finished() == {0: 0.3, 1: 0.1}
    assert len(begun) == 2


def test_the_best_is_that_of_the_highest_rung():
    rule = halving()
    assert np.isnan(rule.best())
    rule.record(0, 0, 0.1)
    rule.record(1, 1, 0.3)
    assert rule.best() == 0.3
