"""A pack computes for each member what that member's own network would."""

import copy
from itertools import pairwise

import numpy as np
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
from classification_assets.learning.packed.networks.members import per_member, select_members
from classification_assets.learning.packed.networks.random_pool import (
    MemberPool,
    dropout_masks,
    mixup_shares,
    normal_numbers,
)
from classification_assets.learning.packed.networks.vmap import VmapNetwork

K, N, D, H, C = 3, 40, 4, 5, 3
SEEDS = [7, 3, 11]
ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}

seeds = st.lists(st.integers(0, 2**43), min_size=1, max_size=5, unique=True)
shapes = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 300)), min_size=1, max_size=6)


def rows(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def close(actual, expected, tolerance=1e-5):
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


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


@given(st.one_of(st.floats(-1e3, 1e3), st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=4)))
def test_a_hyper_parameter_is_one_number_or_one_a_member(value):
    expected = value if isinstance(value, list) else [value] * 4
    assert torch.equal(per_member(value, 4), torch.tensor(expected, dtype=torch.float32))


@pytest.mark.parametrize("numbers", [(), (0.1,), (0.1, 0.2), (0.1,) * 4])
def test_too_few_or_too_many_numbers_are_counted_in_the_error(numbers):
    with pytest.raises(ValueError, match=rf"one number, or 3 \(one a member\), got {len(numbers)} num"):
        per_member(numbers, 3)


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


def packed_mlp(seeds=SEEDS, **options):
    return PackedMLP(D, C, seeds, **{"hidden": (6, 6), "dropout": 0.3, "normalization": "batch"} | options)


def test_members_never_mix():
    x = rows(K, N, D)
    changed = x.clone()
    changed[1] += 1
    before, after = packed_mlp()(x), packed_mlp()(changed)
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])


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


@pytest.mark.parametrize("keep", [torch.tensor([2, 0]), torch.tensor([True, False, True])])
def test_selected_members_compute_what_they_computed_in_the_pack(keep):
    network, x = packed_mlp(), rows(K, N, D)
    network(x)
    network.eval()
    close(select_members(network, keep)(x[keep]), network(x)[keep])


def test_selected_members_go_on_with_their_own_random_numbers():
    network, x, keep = packed_mlp(normalization="none"), rows(K, N, D), torch.tensor([2, 0])
    network(x)
    selected = select_members(network, keep)
    close(selected(x[keep]), network(x)[keep])


def test_selecting_members_leaves_the_pack_as_it_was():
    network = packed_mlp()
    before = copy.deepcopy(network.state_dict())
    selected = select_members(network, torch.tensor([0]))
    with torch.no_grad():
        for parameter in selected.parameters():
            parameter.zero_()
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_frozen_parameter_stays_frozen_when_members_are_selected():
    network = packed_mlp()
    frozen = next(iter(network.parameters())).requires_grad_(False)
    selected = select_members(network, torch.tensor([0, 1]))
    assert [parameter.requires_grad for parameter in selected.parameters()] == [
        parameter is not frozen for parameter in network.parameters()
    ]


class Plain(nn.Module):
    """A person's own network, with a batch norm, a scalar and a frozen parameter."""

    def __init__(self, n_features, n_classes, width=5):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_features, width), nn.BatchNorm1d(width), nn.ReLU())
        self.head = nn.Linear(width, n_classes)
        self.scale = nn.Parameter(torch.tensor(1.5))
        self.offset = nn.Parameter(torch.randn(n_classes), requires_grad=False)

    def forward(self, x):
        return self.scale * self.head(self.body(x)) + self.offset


def plain_members(make=Plain):
    with torch.random.fork_rng():
        members = []
        for seed in SEEDS:
            torch.manual_seed(seed)
            members.append(make(D, C))
    return members


def test_a_pack_of_a_persons_own_modules_computes_what_they_compute():
    x = rows(K, N, D)
    expected = torch.stack([member(x[k]) for k, member in enumerate(plain_members())])
    close(VmapNetwork(Plain, D, C, SEEDS)(x), expected)


def test_a_pack_of_a_persons_own_modules_remembers_batch_statistics_for_evaluation():
    pack, members = VmapNetwork(Plain, D, C, SEEDS), plain_members()
    for step in range(3):
        x = rows(K, N, D, seed=step)
        pack(x)
        for k, member in enumerate(members):
            member(x[k])
    expected = [member.eval()(x[k]) for k, member in enumerate(members)]
    close(pack.eval()(x), torch.stack(expected))


def test_a_pack_of_a_persons_own_modules_has_their_gradients():
    pack, members, x = VmapNetwork(Plain, D, C, SEEDS), plain_members(), rows(K, N, D)
    pack(x).square().sum().backward()
    for k, member in enumerate(members):
        member(x[k]).square().sum().backward()
        close(dict(pack.named_parameters())["head/weight"].grad[k], member.head.weight.grad, 1e-4)


class Dropping(nn.Module):
    def __init__(self, n_features, n_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_features, 50), nn.Dropout(0.5), nn.Linear(50, n_classes))

    def forward(self, x):
        return self.layers(x)


def test_a_persons_own_dropout_drops_in_training_and_rests_in_evaluation():
    pack, x = VmapNetwork(Dropping, D, C, SEEDS), rows(K, N, D)
    assert not torch.equal(pack(x), pack(x))
    expected = [member.eval()(x[k]) for k, member in enumerate(plain_members(Dropping))]
    close(pack.eval()(x), torch.stack(expected))


def test_packing_a_persons_own_modules_leaves_the_global_random_numbers_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    VmapNetwork(Plain, D, C, SEEDS)
    assert torch.equal(torch.rand(3), expected)


def test_a_persons_frozen_parameter_stays_frozen():
    trained = {
        name for name, value in VmapNetwork(Plain, D, C, SEEDS).named_parameters() if value.requires_grad
    }
    assert "scale" in trained
    assert "offset" not in trained


class AlikeNames(nn.Module):
    """Two parameters whose names differ only by where the dot is."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.a = nn.ModuleDict({"b_c": nn.Linear(n_features, n_classes)})
        self.a_b = nn.ModuleDict({"c": nn.Linear(n_features, n_classes)})

    def forward(self, x):
        return self.a["b_c"](x) - self.a_b["c"](x)


def test_parameters_with_alike_names_stay_apart():
    x = rows(K, N, D)
    expected = torch.stack([member(x[k]) for k, member in enumerate(plain_members(AlikeNames))])
    close(VmapNetwork(AlikeNames, D, C, SEEDS)(x), expected)


def test_members_of_a_persons_own_modules_can_be_selected():
    pack, x, keep = VmapNetwork(Plain, D, C, SEEDS).eval(), rows(K, N, D), torch.tensor([2, 1])
    close(select_members(pack, keep)(x[keep]), pack(x)[keep])


def test_calls_at_once_give_what_the_same_calls_give_one_by_one():
    one, other = (MemberPool(SEEDS, 0, normal_numbers, 1.0) for _ in range(2))
    for n in (1, 5, 3):
        assert torch.equal(one.calls_at_once(n, 2, 7), torch.stack([other(2, 7) for _ in range(n)]))
