"""Packs become probabilities."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.models.blend import Blend, softmax
from classification_assets.learning.packed.networks.layers import PackedMLP
from classification_assets.learning.packed.torch_state import threads


def blend_of(*packs, **options):
    networks = [PackedMLP(2, 3, range(10 * i, 10 * i + members)) for i, members in enumerate(packs)]
    return Blend(networks, **options).eval()


X = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))


def test_one_pack_gives_the_softmax_of_its_members_mean_logits():
    blend = blend_of(4, temperatures=torch.tensor([2.0]))
    expected = (blend.packs[0](X.expand(4, -1, -1)).mean(0) / 2).softmax(1)
    torch.testing.assert_close(blend(X), expected)


def test_several_packs_are_mixed_by_their_weights():
    weights, temperatures = torch.tensor([0.2, 0.8]), torch.tensor([0.5, 3.0])
    blend = blend_of(2, 3, weights=weights, temperatures=temperatures)
    alone = [
        (pack(X.expand(k, -1, -1)).mean(0) / t).softmax(1)
        for pack, k, t in zip(blend.packs, (2, 3), temperatures, strict=True)
    ]
    torch.testing.assert_close(blend(X), 0.2 * alone[0] + 0.8 * alone[1])


def test_the_floor_is_the_share_of_the_uniform_distribution():
    torch.testing.assert_close(blend_of(2, floor=0.3)(X), 0.7 * blend_of(2)(X) + 0.1)


@given(st.integers(1, 4), st.floats(0.05, 20), st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_probabilities_are_probabilities(members, temperature, floor):
    blend = blend_of(members, temperatures=torch.tensor([temperature]), floor=floor)
    for p in (blend(X), blend.member_probabilities(X)):
        assert (p >= 0).all()
        torch.testing.assert_close(p.sum(-1), torch.ones(p.shape[:-1]))


def test_members_of_all_packs_are_listed_one_after_the_other():
    blend = blend_of(2, 3, temperatures=torch.tensor([0.5, 3.0]))
    members = blend.member_probabilities(X)
    assert members.shape == (5, 20, 3)
    torch.testing.assert_close(members[3], (blend.packs[1](X.expand(3, -1, -1))[1] / 3).softmax(1))


def test_the_state_restores_weights_temperatures_and_floor():
    one = blend_of(2, 2, weights=torch.tensor([0.1, 0.9]), temperatures=torch.tensor([2.0, 4.0]), floor=0.2)
    other = blend_of(2, 2)
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(X), other(X))


@settings(max_examples=50)
@given(
    n_classes=st.sampled_from([1, 2, 3, 10, 40]),
    start=st.integers(0, 700),
    rows=st.integers(1, 800),
    number=st.integers(1, 4),
)
def test_a_rows_probabilities_do_not_depend_on_where_it_stands_or_on_threads(n_classes, start, rows, number):
    logits = 4 * torch.randn(3, n_classes, 1501, generator=torch.Generator().manual_seed(n_classes))
    whole = softmax(logits.transpose(1, 2))
    torch.testing.assert_close(whole, logits.transpose(1, 2).softmax(2))
    with threads(number):
        part = softmax(logits.transpose(1, 2)[:, start : start + rows])
    assert torch.equal(part, whole[:, start : start + rows])
