"""The gradient by hand gives autograd's numbers for every network of ours, and nothing else is done by hand."""

from functools import partial

import pytest
import torch
from torch import nn

from classification_assets.learning.packed.by_hand import ByHand
from classification_assets.learning.packed.by_hand_tabular import TabularByHand
from classification_assets.learning.packed.flat import FlatParameters
from classification_assets.learning.packed.gradients import ByAutograd, gradient_for
from classification_assets.learning.packed.networks.layers import PackedMLP
from classification_assets.learning.packed.networks.tabular import Kind, PackedTabular
from classification_assets.learning.packed.networks.vmap import VmapNetwork

K, D, C, B = 3, 4, 5, 12


def made(kind, network):
    """A gradient of that kind, and where it writes."""
    flat = FlatParameters(network)
    flat.gradient.fill_(float("nan"))
    if kind is ByAutograd:
        return ByAutograd(network, flat.parameters, flat.gradients), flat.gradients
    return kind(network, flat), flat.gradients


def both(network_options, frozen=()):
    """Losses and gradients of one network by hand and by autograd, each on a copy with the same random numbers."""
    results = []
    for kind in (gradient_for, ByAutograd):
        network = PackedMLP(D, C, range(K), **network_options).train()
        gradient, into = made(kind, network)
        x = torch.randn(K, D, B, generator=torch.Generator().manual_seed(1))
        target = torch.rand(K, C, B, generator=torch.Generator().manual_seed(2))
        losses = [gradient(x, target) for _ in range(2)]
        results.append((type(gradient), losses, into, dict(network.named_buffers())))
    return results


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "gelu", "silu", "tanh"])
@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("dropout", [0.0, (0.0, 0.2, 0.5)])
def test_by_hand_gives_the_numbers_of_autograd(activation, normalization, residual, dropout):
    options = {
        "hidden": (6, 6, 6),
        "activation": activation,
        "normalization": normalization,
        "residual": residual,
        "dropout": dropout,
    }
    (kind, losses, ours, buffers), (_, expected, theirs, expected_buffers) = both(options)
    assert kind is ByHand
    torch.testing.assert_close(losses, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(buffers, expected_buffers, rtol=1e-5, atol=1e-6)


def test_a_network_without_hidden_layers_has_a_gradient_too():
    (kind, losses, ours, _), (_, expected, theirs, _) = both({"hidden": ()})
    assert kind is ByHand
    torch.testing.assert_close((losses, ours), (expected, theirs), rtol=1e-4, atol=1e-6)


def test_what_was_trained_by_hand_can_be_trained_by_autograd():
    network = PackedMLP(D, C, range(K), hidden=(6,), dropout=0.5).train()
    x, target = torch.ones(K, D, B), torch.full((K, C, B), 1 / C)
    for kind in (gradient_for, ByAutograd):
        assert made(kind, network)[0](x, target).isfinite().all()


@pytest.mark.parametrize(
    "kinds", [("none", "dense", "axis"), ("ramp", "ramp", "axis"), ("none", "none", "none")]
)
def test_by_hand_gives_the_numbers_of_autograd_for_tables(kinds):
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(200, D, generator=generator)
    results = []
    for kind in (gradient_for, ByAutograd):
        network = PackedTabular(D, C, range(K), waves=7, hidden=6).train()
        network.start([Kind(name, name, 0.3) for name in kinds], rows)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(
                    torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)), alpha=0.1
                )
        gradient, into = made(kind, network)
        x = torch.randn(K, D, B, generator=torch.Generator().manual_seed(2))
        target = torch.rand(K, C, B, generator=torch.Generator().manual_seed(3))
        results.append((type(gradient), gradient(x, target), into))
    (ours, loss, gradients), (_, expected, theirs) = results
    assert ours is TabularByHand
    torch.testing.assert_close((loss, gradients), (expected, theirs), rtol=1e-4, atol=1e-6)


def test_a_partly_frozen_network_is_left_to_autograd():
    network = PackedMLP(D, C, range(K))
    network.layers[0].bias.requires_grad_(False)
    assert isinstance(gradient_for(network, FlatParameters(network)), ByAutograd)


def test_a_parameter_that_the_loss_does_not_touch_is_no_error():
    class Unused(nn.Module):
        def __init__(self, n_features, n_classes):
            super().__init__()
            self.layer, self.spare = nn.Linear(n_features, n_classes), nn.Parameter(torch.ones(2))

        def forward(self, x):
            return self.layer(x)

    network = VmapNetwork(partial(Unused), 4, 3, [0, 1])
    flat = FlatParameters(network)
    flat.gradient.fill_(float("nan"))
    gradient_for(network, flat)(torch.ones(2, 4, 5), torch.full((2, 3, 5), 1 / 3))
    assert torch.equal(flat.gradient_of(network.spare), torch.zeros(2, 2))
