"""Linear models of features and products: what they compute, and when products are there."""

import numpy as np
import pytest
import torch

from classification_assets.learning.packed.networks.linear import FEW_FEATURES, PackedQuadratic, with_products


def test_products_are_all_those_of_two_features():
    x = torch.tensor([[1.0, 2.0, 5.0]])
    assert sorted(with_products(x)[0].tolist()) == sorted([1, 2, 5, 1, 4, 25, 2, 5, 10])


@pytest.mark.parametrize("n_features", [1, FEW_FEATURES, FEW_FEATURES + 1])
def test_a_model_has_a_weight_for_each_feature_that_its_rows_get(n_features):
    x = torch.randn(1, 7, n_features, generator=torch.Generator().manual_seed(0))
    model = PackedQuadratic(n_features, 3)
    assert model.weight.shape[1] == with_products(x).shape[2]
    assert (with_products(x)[..., :n_features] == x).all()
    assert model(x).shape == (1, 7, 3)


@pytest.mark.parametrize("n_features", [4, FEW_FEATURES + 1])
def test_weights_of_the_features_alone_make_it_linear(n_features):
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(2, n_features, 3)), rng.normal(size=(2, 3))
    X = rng.normal(size=(5, n_features))
    model = PackedQuadratic.of_weights(
        n_features, *(torch.tensor(own, dtype=torch.float32) for own in (weight, bias))
    )
    logits = model(torch.tensor(X, dtype=torch.float32).expand(2, -1, -1))
    np.testing.assert_allclose(logits.detach(), X @ weight + bias[:, None], atol=1e-5)
