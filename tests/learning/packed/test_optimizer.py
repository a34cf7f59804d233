"""AdamW a member: the same as PyTorch's own, each member with its rate and decay."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from classification_assets.learning.packed.networks.layers import PackedLinear
from classification_assets.learning.packed.networks.members import select_members
from classification_assets.learning.packed.optimizer import MemberAdamW


def move(optimizer, loss, factor=1.0):
    """A step on a loss differentiated by autograd."""
    gradients = torch.autograd.grad(loss, optimizer.flat.parameters)
    for place, gradient in zip(optimizer.flat.gradients, gradients, strict=True):
        place.copy_(gradient)
    optimizer.step(factor)


def packed_and_plain(rates, decays, n_steps, factor):
    """A packed linear layer after some steps, and one of PyTorch's own a member."""
    K = len(rates)
    # Weights that fill vectors, which is what the fused step takes, and biases that do not.
    packed = PackedLinear(16, 3, range(K), stream=0, gain=1.0)
    weights = [nn.Parameter(packed.weight[k].detach().clone()) for k in range(K)]
    biases = [nn.Parameter(packed.bias[k].detach().clone()) for k in range(K)]
    ours = MemberAdamW(packed, torch.tensor(rates), torch.tensor(decays))
    theirs = [
        torch.optim.AdamW([weights[k], biases[k]], lr=rates[k], weight_decay=decays[k]) for k in range(K)
    ]
    for step in range(n_steps):
        x = torch.randn(K, 20, 16, generator=torch.Generator().manual_seed(step)) / 2
        move(ours, packed(x).square().sum(), factor(step))
        for k, optimizer in enumerate(theirs):
            optimizer.param_groups[0]["lr"] = rates[k] * factor(step)
            optimizer.zero_grad()
            (x[k] @ weights[k].T + biases[k].T).square().sum().backward()
            optimizer.step()
    return packed, weights, biases


rate = st.floats(1e-4, 0.3)
decay = st.sampled_from([0.0, 1e-4, 0.1, 1.0])


@given(st.lists(st.tuples(rate, decay), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None)
def test_the_optimizer_is_adamw_a_member_with_its_own_rate_and_decay(numbers):
    rates, decays = ([pair[index] for pair in numbers] for index in (0, 1))
    packed, weights, biases = packed_and_plain(rates, decays, 12, lambda step: 1 / (1 + step))
    torch.testing.assert_close(packed.weight, torch.stack(weights), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(packed.bias, torch.stack(biases), rtol=1e-4, atol=1e-5)


def test_the_optimizer_leaves_frozen_parameters_alone():
    layer = PackedLinear(4, 3, [0], stream=0, gain=1.0)
    layer.bias.requires_grad_(False)
    before = layer.bias.clone()
    move(MemberAdamW(layer, torch.tensor([0.1]), torch.tensor([0.1])), layer(torch.ones(1, 2, 4)).sum())
    assert torch.equal(layer.bias, before)


@pytest.mark.parametrize("n_features", [4, 16])
def test_selected_members_go_on_as_in_the_whole_pack(n_features):
    def moved(layer, optimizer, steps):
        for step in steps:
            x = torch.randn(1, 9, n_features, generator=torch.Generator().manual_seed(step)).expand(
                len(layer.weight), -1, -1
            )
            move(optimizer, layer(x).square().sum())
        return layer.weight

    whole = PackedLinear(n_features, 3, range(3), stream=0, gain=1.0)
    optimizer = MemberAdamW(whole, torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.0, 0.1, 0.2]))
    moved(whole, optimizer, range(4))
    keep = torch.tensor([2, 0])
    some = select_members(whole, keep)
    of_some = moved(some, optimizer.selected(some, keep), range(4, 8))
    assert torch.equal(of_some, moved(whole, optimizer, range(4, 8))[keep])
