"""Choosing among candidates: temperatures, the greedy blend, and what both promise on the rows they are fitted on."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from classification_assets.learning.models import ensemble
from classification_assets.learning.models.calibration import temperatures, true_class
from classification_assets.learning.models.tabular.selection import bagged_weights, choose, greedy_weights

sizes = st.tuples(st.integers(1, 4), st.integers(1, 30), st.integers(2, 5))
drawn = sizes.flatmap(
    lambda size: st.tuples(
        arrays(np.float32, size, elements=st.floats(-20, 20, width=32)),
        arrays(np.int64, size[1], elements=st.integers(0, size[2] - 1)),
    )
)


def even(y):
    return torch.ones(len(y))


def ones(own):
    return torch.ones(len(own))


@given(drawn)
@settings(max_examples=60, deadline=None)
def test_temperatures_are_those_of_a_search_in_one_dimension(case):
    logits, y = map(torch.from_numpy, case)
    for own, found in zip(logits, temperatures(logits, y, even(y)), strict=True):

        def loss(temperature, own=own):
            prior = 2 / len(y) * np.log(temperature) ** 2
            return torch.nn.functional.cross_entropy(own.double() / temperature, y).item() + prior

        assert 1 / 20 <= found <= 20.001
        assert loss(float(found)) <= loss(ensemble.temperature(own, y)) + 1e-3


def test_rows_that_weigh_nothing_do_not_calibrate():
    logits = torch.randn(2, 50, 3, generator=torch.Generator().manual_seed(0))
    y, weight = torch.arange(50) % 3, torch.tensor([2.0, 0.0] * 25)
    changed = logits.clone()
    changed[:, 1::2] *= 5
    torch.testing.assert_close(temperatures(changed, y, weight), temperatures(logits, y, weight))


@given(drawn)
@settings(max_examples=60, deadline=None)
def test_a_blend_is_never_worse_than_the_best_candidate(case):
    logits, y = map(torch.from_numpy, case)
    own = true_class(logits, torch.ones(len(logits)), y)
    weights = greedy_weights(own, even(y), 1e-6, ones(own), 9)
    alone = -own.clamp_min(1e-6).log().mean(1)
    blended = -(weights @ own).clamp_min(1e-6).log().mean()
    assert weights.sum() == pytest.approx(1)
    assert blended <= alone.min() + 1e-5


def test_candidates_that_err_on_other_rows_are_blended():
    own = torch.tensor([[0.9, 0.1], [0.1, 0.9], [0.05, 0.05]])
    weights = greedy_weights(own, torch.ones(2), 1e-6, ones(own), 9)
    assert weights.tolist() == pytest.approx([0.5, 0.5, 0.0])


def test_what_is_chosen_follows_the_weights_of_rows():
    own = torch.tensor([[0.9, 0.1], [0.1, 0.9]])
    assert greedy_weights(own, torch.tensor([2.0, 0.0]), 1e-6, ones(own), 9).tolist() == [1.0, 0.0]


def test_an_overconfident_candidate_is_blended_as_if_it_were_not():
    rng = np.random.default_rng(0)
    honest = torch.from_numpy(rng.normal(size=(3000, 3)).astype(np.float32))
    y = torch.distributions.Categorical(logits=honest).sample()
    choice = choose(torch.stack([4 * honest, honest * 0]), y, even(y), 1e-6, torch.ones(2), 9)
    assert choice.weights[0] > 0.9
    assert float(choice.temperatures[0]) == pytest.approx(4, rel=0.15)
    assert choice.losses[0] < choice.losses[1]


@pytest.mark.parametrize("most", [1, 2, 3, 8])
def test_no_more_candidates_are_blended_than_may_be(most):
    own = torch.rand(8, 200, generator=torch.Generator().manual_seed(0))
    weights = greedy_weights(own, torch.ones(200), 1e-6, ones(own), most)
    assert 1 <= int((weights > 0).sum()) <= most
    assert weights.sum() == pytest.approx(1)


@given(arrays(np.int64, 6, elements=st.integers(1, 9)), st.integers(1, 20), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_a_blend_is_of_no_more_networks_than_may_be_unless_one_candidate_alone_is(sizes, most, seed):
    own = torch.rand(6, 50, generator=torch.Generator().manual_seed(seed))
    sizes = torch.from_numpy(sizes)
    for chosen in (greedy_weights, bagged_weights):
        weights = chosen(own, torch.ones(50), 1e-6, sizes, most)
        assert sizes[weights > 0].sum() <= most or (weights > 0).sum() == 1
        assert weights.sum() == pytest.approx(1)


def test_candidates_that_a_few_rows_part_share_the_blend():
    """One is better by two rows of forty, the other by one: no reason to leave either out."""
    own = torch.full((2, 40), 0.7)
    own[0, :2], own[0, 2] = 0.72, 0.68
    own[1, :2], own[1, 2] = 0.68, 0.72
    assert greedy_weights(own, torch.ones(40), 1e-6, torch.ones(2), 1).max() == 1
    assert 0.55 < bagged_weights(own, torch.ones(40), 1e-6, torch.ones(2), 2).max() < 1


def test_rows_that_weigh_nothing_choose_nothing():
    own = torch.rand(4, 60, generator=torch.Generator().manual_seed(0))
    weight = torch.tensor([2.0, 0.0] * 30)
    other = own.clone()
    other[:, 1::2] = 0.5
    first, second = (bagged_weights(each, weight, 1e-6, torch.ones(4), 9) for each in (own, other))
    torch.testing.assert_close(first, second)


def test_a_small_candidate_still_enters_where_a_large_one_no_longer_can():
    own = torch.tensor([[0.9, 0.1, 0.1], [0.1, 0.9, 0.3], [0.1, 0.2, 0.9]])
    weights = greedy_weights(own, torch.ones(3), 1e-6, torch.tensor([10, 10, 1]), 12)
    assert weights[2] > 0
    assert (weights > 0).sum() == 2
