"""One number a member, and some members of a pack on their own."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from classification_assets.learning.packed.networks.members import per_member, select_members
from tests.learning.packed.networks.small_networks import D, K, N, close, packed_mlp, rows


@given(st.one_of(st.floats(-1e3, 1e3), st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=4)))
def test_a_hyper_parameter_is_one_number_or_one_a_member(value):
    expected = value if isinstance(value, list) else [value] * 4
    assert torch.equal(per_member(value, 4), torch.tensor(expected, dtype=torch.float32))


@pytest.mark.parametrize("numbers", [(), (0.1,), (0.1, 0.2), (0.1,) * 4])
def test_too_few_or_too_many_numbers_are_counted_in_the_error(numbers):
    with pytest.raises(ValueError, match=rf"one number, or 3 \(one a member\), got {len(numbers)} num"):
        per_member(numbers, 3)


def test_members_never_mix():
    x = rows(K, N, D)
    changed = x.clone()
    changed[1] += 1
    before, after = packed_mlp()(x), packed_mlp()(changed)
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])


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
