"""A member's random numbers are its own, in any pack, and of the distribution asked for."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.packed.networks.random_pool import (
    MemberPool,
    dropout_masks,
    mixup_shares,
    normal_numbers,
)
from tests.learning.packed.networks.small_networks import SEEDS, seeds

shapes = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 300)), min_size=1, max_size=6)


@given(seeds, st.randoms(use_true_random=False), shapes)
@settings(max_examples=30, deadline=None)
def test_a_members_numbers_are_the_same_in_any_pack(seeds, random, shapes):
    others = random.sample(range(100), 2) + random.sample(seeds, len(seeds))
    here, there = (MemberPool(pack, 0, normal_numbers, 1.0) for pack in (seeds, others))
    for shape in shapes:
        one, other = here(*shape), there(*shape)
        for member, seed in enumerate(seeds):
            assert torch.equal(one[member], other[others.index(seed)])


def test_numbers_stay_a_members_own_when_a_pool_has_to_grow():
    shapes = [(2, 3), (50, 1000), (1, 1), (50, 2000), (2, 3)]
    alone, pack = (MemberPool(seeds, 0, normal_numbers, 1.0) for seeds in ([3], SEEDS))
    for shape in shapes:
        assert torch.equal(alone(*shape)[0], pack(*shape)[1])


def test_a_call_copies_no_number():
    pool = MemberPool(SEEDS, 0, normal_numbers, 1.0)
    assert pool(2, 3).untyped_storage().data_ptr() == pool.numbers.untyped_storage().data_ptr()


def test_a_call_gives_numbers_of_the_shape_asked_for_to_every_member():
    assert MemberPool(SEEDS, 0, normal_numbers, 1.0)(4, 9).shape == (3, 4, 9)


def test_each_call_gives_other_numbers():
    pool = MemberPool([0], 0, normal_numbers, 1.0)
    calls = [pool(20) for _ in range(50)]
    assert not any(torch.isin(one, other).all() for one, other in pairwise(calls))


@pytest.mark.parametrize("other", [{"stream": 1}, {"seeds": [1]}])
def test_another_use_and_another_seed_give_other_numbers(other):
    pool = {"seeds": [0], "stream": 0, "draw": normal_numbers, "parameter": 1.0}
    assert not torch.isin(MemberPool(**pool)(100), MemberPool(**pool | other)(100)).any()


def test_a_pool_adds_nothing_to_a_networks_state():
    assert MemberPool(SEEDS, 0, normal_numbers, 1.0).state_dict() == {}


@given(st.floats(0, 0.9), st.integers(0, 2**43))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_dropout_masks_have_a_mean_of_one_and_the_right_share_of_zeros(rate, seed):
    size = 40_000
    masks = dropout_masks(np.random.default_rng(seed), size, rate)
    deviation = np.sqrt(rate * (1 - rate) / size)
    assert abs((masks == 0).mean() - rate) <= 5 * deviation + 1e-9
    assert abs(masks.mean(dtype=np.float64) - 1) <= 5 * deviation / (1 - rate) + 1e-6
    assert len(np.unique(masks)) <= 2


@given(st.floats(1e-3, 1e3), st.integers(0, 2**43))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_normal_numbers_have_the_standard_deviation_asked_for(scale, seed):
    numbers = normal_numbers(np.random.default_rng(seed), 40_000, scale)
    assert numbers.dtype == np.float32
    assert numbers.std() == pytest.approx(scale, rel=0.03)
    assert numbers.mean() == pytest.approx(0, abs=0.03 * scale)


@given(st.floats(1e-2, 100), st.integers(0, 2**43))
@settings(max_examples=20, deadline=None)
def test_in_mixup_a_row_keeps_at_least_half_of_itself(alpha, seed):
    shares = mixup_shares(np.random.default_rng(seed), 1000, alpha)
    assert shares.min() >= 0.5
    assert shares.max() <= 1


def test_mixup_of_strength_0_keeps_every_row_whole():
    assert (mixup_shares(np.random.default_rng(0), 100, 0.0) == 1).all()


def test_calls_at_once_give_what_the_same_calls_give_one_by_one():
    one, other = (MemberPool(SEEDS, 0, normal_numbers, 1.0) for _ in range(2))
    for n in (1, 5, 3):
        assert torch.equal(one.calls_at_once(n, 2, 7), torch.stack([other(2, 7) for _ in range(n)]))
