"""Small packs of networks, their inputs, and how what they compute is compared."""

import torch
from hypothesis import strategies as st

from classification_assets.learning.packed.networks.layers import (
    PackedMLP,
)

K, N, D, H, C = 3, 40, 4, 5, 3

SEEDS = [7, 3, 11]

seeds = st.lists(st.integers(0, 2**43), min_size=1, max_size=5, unique=True)


def rows(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def close(actual, expected, tolerance=1e-5):
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


def packed_mlp(seeds=SEEDS, **options):
    return PackedMLP(D, C, seeds, **{"hidden": (6, 6), "dropout": 0.3, "normalization": "batch"} | options)
