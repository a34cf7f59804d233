"""A pack of a person's own modules computes what they compute."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from classification_assets.learning.packed.networks.members import select_members
from classification_assets.learning.packed.networks.vmap import VmapNetwork
from tests.learning.packed.networks.small_networks import SEEDS, C, D, K, N, close, rows


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


def test_dropout_is_decided_by_the_packs_seeds_and_the_number_of_the_call():
    x = rows(K, N, D)

    def two_calls(first_seed):
        pack = VmapNetwork(Dropping, D, C, [first_seed, *SEEDS[1:]])
        return torch.stack([pack(x), pack(x)])

    torch.manual_seed(1)
    one = two_calls(SEEDS[0])
    torch.manual_seed(2)
    assert torch.equal(two_calls(SEEDS[0]), one)
    assert not torch.equal(two_calls(SEEDS[0] + 1)[:, 1:], one[:, 1:])


class Noisy(Dropping):
    def forward(self, x):
        return super().forward(x) + torch.rand(x.shape[0], 1)


def test_what_is_random_in_evaluation_too_is_the_same_each_time():
    pack, x = VmapNetwork(Noisy, D, C, SEEDS).eval(), rows(K, N, D)
    assert torch.equal(pack(x), pack(x))


def test_in_several_threads_a_pack_computes_what_it_computes_in_one():
    pack = VmapNetwork(Dropping, D, C, SEEDS).eval()
    inputs = [rows(K, N, D, seed=seed) for seed in range(40)]
    with torch.no_grad(), ThreadPoolExecutor(4) as pool:
        for computed, x in zip(pool.map(pack, inputs), inputs, strict=True):
            assert torch.equal(computed, pack(x))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_another_default_type_of_the_callers_does_not_reach_a_persons_own_module(dtype):
    x = rows(K, N, D)
    expected = VmapNetwork(Noisy, D, C, SEEDS)(x)
    torch.set_default_dtype(dtype)
    try:
        with torch.device("meta"):
            assert torch.equal(VmapNetwork(Noisy, D, C, SEEDS)(x), expected)
    finally:
        torch.set_default_dtype(torch.float32)


def test_packing_and_calling_a_persons_own_modules_leaves_the_global_random_numbers_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    VmapNetwork(Dropping, D, C, SEEDS)(rows(K, N, D))
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
