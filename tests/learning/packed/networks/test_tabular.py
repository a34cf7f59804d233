"""The network for tables: packed like any other, and its kinds start as they are described."""

import math

import pytest
import torch

from classification_assets.learning.packed.networks.members import select_members
from classification_assets.learning.packed.networks.tabular import Kind, PackedTabular

ROWS = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 1.0, 5.0])
KINDS = [Kind("none"), Kind("dense", "dense", 0.1), Kind("axis", "axis", 0.3), Kind("ramp", "ramp")]


def started(kinds, seeds=None, **options):
    network = PackedTabular(3, 4, range(len(kinds)) if seeds is None else seeds, **options)
    network.start(kinds, ROWS)
    return network


def shaken(network):
    """With no weight left at zero, as after some training."""
    with torch.no_grad():
        for parameter in network.parameters():
            for member, seed in zip(parameter, network.seeds, strict=True):
                member.add_(
                    torch.randn(member.shape, generator=torch.Generator().manual_seed(seed)), alpha=0.1
                )
    return network


def test_rows_become_logits_for_every_member():
    assert started(KINDS)(torch.zeros(4, 7, 3)).shape == (4, 7, 4)


def test_before_training_nothing_is_known():
    assert not started(KINDS)(ROWS.expand(4, -1, -1)).any()


@pytest.mark.parametrize("member", range(4))
@pytest.mark.parametrize("training", [True, False])
def test_a_member_alone_gives_what_it_gives_in_a_pack(member, training):
    pack = shaken(started(KINDS)).train(training)
    alone = shaken(started([KINDS[member]], [member])).train(training)
    selected = select_members(pack, torch.tensor([member])).train(training)
    with torch.set_grad_enabled(training):
        expected = pack(ROWS.expand(4, -1, -1))[member]
        torch.testing.assert_close(alone(ROWS.unsqueeze(0))[0], expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(selected(ROWS.unsqueeze(0))[0], expected, rtol=1e-4, atol=1e-5)


def test_what_is_predicted_has_a_gradient_by_the_rows_and_is_the_same_without_one():
    network, rows = shaken(started(KINDS)).eval(), ROWS.clone().requires_grad_()
    predicted = network(rows.expand(4, -1, -1))
    predicted.square().sum().backward()
    with torch.no_grad():
        torch.testing.assert_close(network(ROWS.expand(4, -1, -1)), predicted, rtol=1e-4, atol=1e-5)
    asked, rows.grad = rows.grad, None
    network.train()(rows.expand(4, -1, -1)).square().sum().backward()
    torch.testing.assert_close(asked, rows.grad, rtol=1e-4, atol=1e-3)


def test_each_wave_of_an_axis_or_a_ramp_looks_at_one_feature_and_all_are_looked_at():
    network = started(KINDS)
    for member in (2, 3):
        looked_at = network.waves[member] != 0
        assert (looked_at.sum(1) == 1).all()
        assert looked_at.any(0).all()
    assert (network.waves[1] != 0).all()


def test_no_wave_of_an_axis_or_a_ramp_is_spent_on_a_feature_of_two_values():
    network = PackedTabular(3, 4, range(4))
    rows = ROWS.clone()
    rows[:, 1] = rows[:, 1] > 0
    network.start(KINDS, rows)
    looked_at = (network.waves != 0).any(1)
    assert looked_at[2:].tolist() == [[True, False, True]] * 2
    network.start(KINDS, (ROWS > 0).float())
    assert (network.waves[2:] != 0).any(1).all(), "where there is nothing else"


def test_ramps_rise_where_the_rows_are():
    """Each of them leads from one value to another within the rows, and few rows lie beyond all ramps."""
    network = started([KINDS[3]])
    feature = network.waves[0].abs().argmax(1)
    slope = network.waves[0].gather(1, feature.unsqueeze(1)).squeeze(1)
    start = -network.phases[0].squeeze(1) / slope
    end = start + math.pi / slope
    lowest, highest = ROWS.amin(0)[feature], ROWS.amax(0)[feature]
    assert (slope > 0).all()
    assert ((start >= lowest - 1e-3) & (start < highest)).all()
    assert (end > start).all()


def test_a_ramp_is_flat_beyond_its_ends():
    network = shaken(started([KINDS[3]])).eval()
    with torch.no_grad():
        network.skip.zero_()
        network.weight1[:, :, :3] = 0
    far = torch.tensor([[[1e3, 1e3, 1e3], [2e3, 2e3, 2e3]]])
    logits = network(far)[0]
    torch.testing.assert_close(logits[0], logits[1], rtol=1e-3, atol=1e-3)


def test_a_constant_feature_has_ramps_of_a_width():
    network = PackedTabular(2, 2, [0])
    network.start([KINDS[3]], torch.zeros(50, 2))
    assert torch.isfinite(network.waves).all()
    assert torch.isfinite(network.phases).all()
