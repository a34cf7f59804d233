"""Flat parameters: a network of views computes what it did, and members' numbers stand where they are looked for."""

import pytest
import torch

from classification_assets.learning.packed.flat import FlatParameters
from classification_assets.learning.packed.networks.layers import PackedLinear, PackedMLP

K, D, H, C = 3, 4, 16, 5


def network(**options):
    return PackedMLP(D, C, range(K), hidden=(H, 7), **options)


@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_a_network_whose_parameters_have_become_views_is_the_same_network(normalization):
    views, plain = network(normalization=normalization), network(normalization=normalization)
    flat = FlatParameters(views)
    for (name, one), other in zip(views.state_dict().items(), plain.state_dict().values(), strict=True):
        assert torch.equal(one, other), name
    x = torch.randn(K, 9, D, generator=torch.Generator().manual_seed(0))
    # Weights that stand in another order may be multiplied by another kernel, which sums in another order.
    torch.testing.assert_close(views(x), plain(x))
    torch.testing.assert_close(views.state_dict(), plain.state_dict())
    with torch.no_grad():
        flat.values.zero_()
    assert not any(parameter.any() for parameter in views.parameters())


def test_every_parameter_has_its_own_place_in_the_gradient():
    views = network(normalization="layer")
    flat = FlatParameters(views)
    for number, gradient in enumerate(flat.gradients, start=1):
        gradient.fill_(number)
    assert [gradient.unique().tolist() for gradient in flat.gradients] == [
        [number] for number in range(1, len(flat.parameters) + 1)
    ]
    for parameter, gradient in zip(flat.parameters, flat.gradients, strict=True):
        assert torch.equal(flat.gradient_of(parameter), gradient)


def test_a_linear_layers_block_is_its_weights_input_by_input_and_then_its_biases():
    layer = PackedLinear(D, H, range(K), stream=0, gain=1.0)
    weight, bias = layer.weight.detach().clone(), layer.bias.detach().clone()
    flat = FlatParameters(layer)
    block = flat.block_of(layer.weight)
    assert block is flat.block_of(layer.bias)
    assert torch.equal(block.of(flat.values), torch.cat([weight, bias], 2).transpose(1, 2))


def test_a_layer_with_a_frozen_part_keeps_what_is_trained_and_leaves_the_rest():
    layer = PackedLinear(D, H, range(K), stream=0, gain=1.0)
    layer.bias.requires_grad_(False)
    flat = FlatParameters(layer)
    assert [id(parameter) for parameter in flat.parameters] == [id(layer.weight)]
    assert torch.equal(flat.block_of(layer.weight).of(flat.values), layer.weight.detach())


def test_the_buffers_end_with_whole_vectors_of_zeros_and_blocks_of_whole_vectors_come_first():
    flat = FlatParameters(network())
    assert len(flat.values) % 16 == 0
    assert not flat.values[flat.blocks[-1].end :].any()
    sizes = [(block.end - block.start) // K % 16 == 0 for block in flat.blocks]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == flat.n_of_vectors == 1
