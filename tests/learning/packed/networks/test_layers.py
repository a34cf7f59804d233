"""A pack computes for each member what that member's own network would."""

import copy
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from classification_assets.learning.packed.networks.layers import (
    PackedBatchNorm,
    PackedDropout,
    PackedLayerNorm,
    PackedLinear,
    PackedMLP,
    Residual,
)
from tests.learning.packed.networks.small_networks import SEEDS, C, D, H, K, N, close, packed_mlp, rows, seeds

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


def test_a_packed_linear_layer_is_a_linear_layer_a_member():
    packed, x = PackedLinear(D, H, SEEDS, stream=0, gain=1.0), rows(K, N, D)
    expected = [F.linear(x[k], packed.weight[k], packed.bias[k, :, 0]) for k in range(K)]
    close(packed(x), torch.stack(expected))


def batch_norms():
    packed, plain = PackedBatchNorm(K, H), [nn.BatchNorm1d(H) for _ in range(K)]
    with torch.no_grad():
        packed.weight.copy_(rows(K, H, seed=1))
        packed.bias.copy_(rows(K, H, seed=2))
        for k, norm in enumerate(plain):
            norm.weight.copy_(packed.weight[k])
            norm.bias.copy_(packed.bias[k])
    return packed, plain


def test_packed_batch_norm_in_training_is_batch_norm_a_member():
    packed, plain = batch_norms()
    x = 3 * rows(K, N, H) + 2
    close(packed(x), torch.stack([norm(x[k]) for k, norm in enumerate(plain)]))


def test_packed_batch_norm_remembers_what_batch_norm_remembers():
    packed, plain = batch_norms()
    for step in range(4):
        x = (step + 1) * rows(K, N, H, seed=step) + step
        packed(x)
        for k, norm in enumerate(plain):
            norm(x[k])
    close(packed.running_mean, torch.stack([norm.running_mean for norm in plain]))
    close(packed.running_var, torch.stack([norm.running_var for norm in plain]))


def test_packed_batch_norm_in_evaluation_uses_what_it_remembers_and_changes_nothing():
    packed, plain = batch_norms()
    x = 3 * rows(K, N, H) + 2
    packed(x)
    packed.eval()
    for k, norm in enumerate(plain):
        norm(x[k])
        norm.eval()
    before = copy.deepcopy(packed.state_dict())
    close(packed(x), torch.stack([norm(x[k]) for k, norm in enumerate(plain)]))
    assert all(torch.equal(before[name], value) for name, value in packed.state_dict().items())


def test_packed_layer_norm_is_layer_norm_a_member():
    packed, x = PackedLayerNorm(K, H), 3 * rows(K, N, H) + 2
    with torch.no_grad():
        packed.weight.copy_(rows(K, H, 1, seed=1))
        packed.bias.copy_(rows(K, H, 1, seed=2))
    expected = [F.layer_norm(x[k], (H,), packed.weight[k, :, 0], packed.bias[k, :, 0]) for k in range(K)]
    close(packed(x), torch.stack(expected))


def test_a_residual_block_adds_its_input():
    x = rows(K, N, H)
    close(Residual(nn.Tanh(), nn.Tanh())(x), x + x.tanh().tanh())


def test_dropout_in_training_drops_each_members_own_share_and_scales_the_rest():
    rates = [0.0, 0.2, 0.7]
    out = PackedDropout(rates, SEEDS, stream=0)(torch.ones(K, 500, 20))
    for rate, own in zip(rates, out, strict=True):
        assert (own == 0).float().mean().item() == pytest.approx(rate, abs=0.02)
        close(own.max(), torch.tensor(1 / (1 - rate)))


def test_dropout_in_evaluation_does_nothing():
    x = rows(K, N, H)
    assert torch.equal(PackedDropout(0.5, SEEDS, stream=0).eval()(x), x)


class Reference(nn.Module):
    """One member of a PackedMLP, written with PyTorch's own layers."""

    def __init__(self, hidden, activation, normalization, residual):
        super().__init__()
        self.residual = residual
        widths = [D, *hidden]
        self.linears = nn.ModuleList([nn.Linear(*pair) for pair in pairwise([*widths, C])])
        norm = {"none": lambda _: nn.Identity(), "batch": nn.BatchNorm1d, "layer": nn.LayerNorm}[
            normalization
        ]
        self.norms = nn.ModuleList([norm(width) for width in hidden])
        self.activation = activation()

    def forward(self, x):
        for depth, norm in enumerate(self.norms):
            out = self.activation(norm(self.linears[depth](x)))
            x = x + out if self.residual and depth > 0 else out
        return self.linears[-1](x)

    def load_member(self, packed, k):
        own = [layer for layer in packed.modules() if isinstance(layer, PackedLinear)]
        with torch.no_grad():
            for linear, layer in zip(self.linears, own, strict=True):
                linear.weight.copy_(layer.weight[k])
                linear.bias.copy_(torch.zeros(()) if layer.bias is None else layer.bias[k, :, 0])
        return self


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
@pytest.mark.parametrize("residual", [False, True])
def test_a_packed_network_is_a_stack_of_plain_layers_a_member(activation, normalization, residual):
    hidden = (6, 6, 6)
    packed = PackedMLP(
        D, C, SEEDS, hidden=hidden, activation=activation, normalization=normalization, residual=residual
    )
    x = rows(K, N, D)
    expected = [
        Reference(hidden, ACTIVATIONS[activation], normalization, residual).load_member(packed, k)(x[k])
        for k in range(K)
    ]
    close(packed(x), torch.stack(expected))


@pytest.mark.parametrize("member", [0, 1])
def test_a_packed_linear_layer_without_a_bias_maps_zero_to_zero(member):
    packed = PackedLinear(D, H, SEEDS, stream=0, gain=1.0, bias=False)
    assert not packed(torch.zeros(K, 1, D))[member].any()


def test_a_packed_network_without_hidden_layers_is_linear():
    packed = PackedMLP(D, C, SEEDS, hidden=())
    zero = packed(torch.zeros(K, 1, D))
    one, other = rows(K, 1, D, seed=1), rows(K, 1, D, seed=2)
    close(packed(one + other), packed(one) + packed(other) - zero)


@given(seeds, st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_initial_weights_are_the_same_in_any_pack(seeds, random):
    others = [2**44, *random.sample(seeds, len(seeds))]
    here, there = packed_mlp(seeds).state_dict(), packed_mlp(others).state_dict()
    for member, seed in enumerate(seeds):
        assert all(
            torch.equal(value[member], there[name][others.index(seed)]) for name, value in here.items()
        )


def test_initial_weights_differ_between_members_and_layers():
    weights = [
        layer.weight for layer in packed_mlp(hidden=(4, 4)).modules() if isinstance(layer, PackedLinear)
    ]
    firsts = [weight[k, 0, 0].item() for weight in weights for k in range(K)]
    assert len(set(firsts)) == len(firsts)


@pytest.mark.parametrize("options", [{"dropout": 0.0}, {"normalization": "layer"}, {"residual": True}])
def test_initial_weights_do_not_follow_what_lies_between_the_linear_layers(options):
    one, other = (
        [layer.weight for layer in network.modules() if isinstance(layer, PackedLinear)]
        for network in (packed_mlp(), packed_mlp(**options))
    )
    assert all(torch.equal(here, there) for here, there in zip(one, other, strict=True))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh"])
def test_initial_weights_keep_a_signals_size_through_many_layers(activation):
    network = PackedMLP(64, 8, range(4), hidden=(64,) * 8, activation=activation)
    spread = network(rows(4, 200, 64)).std()
    assert 0.1 < spread < 3


def test_dropout_of_0_for_every_member_leaves_the_names_of_the_layers():
    assert packed_mlp(dropout=(0.0,) * K).state_dict().keys() == packed_mlp(dropout=0.3).state_dict().keys()
