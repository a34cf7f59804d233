"""K networks of one shape as one ordinary module whose every parameter and buffer leads with the member.

Shapes: K members, N rows, D features in, H features out, C classes. A packed network maps (K, N, D) to
(K, N, C) and never mixes members. A layer computes features-major, (K, H, N), and hands out the transposed
view: between two layers the transposes cancel, so no number is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from classification_assets.learning.packed.networks.members import PackedNetwork, PerMember, filled
from classification_assets.learning.packed.networks.random_pool import MemberPool, dropout_masks

_ACTIVATIONS: dict[str, tuple[Callable[[], nn.Module], float]] = {
    # The second number scales the initial weights so that the signal keeps its size (He et al. 2015).
    "relu": (nn.ReLU, sqrt(2)),
    "leaky_relu": (nn.LeakyReLU, sqrt(2)),
    "gelu": (nn.GELU, sqrt(2)),
    "silu": (nn.SiLU, sqrt(2)),
    "tanh": (nn.Tanh, 1.0),
}


class PackedMLP(PackedNetwork):
    """A multi-layer perceptron a seed: hidden layers, activations, logits out.

    Shape: (K, N, D) to (K, N, C).

    Examples
    --------
    >>> network = PackedMLP(2, 3, seeds=range(8), hidden=(16, 16), activation="gelu")
    >>> network(torch.zeros(8, 100, 2)).shape
    torch.Size([8, 100, 3])
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        seeds: Sequence[int],
        *,
        hidden: Sequence[int] = (16, 16),
        activation: str = "relu",
        dropout: PerMember = 0.0,
        normalization: str = "none",
        residual: bool = False,
    ) -> None:
        super().__init__()
        make_activation, gain = _ACTIVATIONS[activation]
        layers: list[nn.Module] = []
        width = n_features
        for depth, units in enumerate(hidden):
            # Batch normalization takes any bias away again: its gradient would be rounding alone.
            bias = normalization != "batch"
            block: list[nn.Module] = [PackedLinear(width, units, seeds, stream=depth, gain=gain, bias=bias)]
            if normalization == "batch":
                block.append(PackedBatchNorm(len(seeds), units))
            elif normalization == "layer":
                block.append(PackedLayerNorm(len(seeds), units))
            block.append(make_activation())
            # One number a member keeps the layer even where all are 0: names of layers must not follow numbers.
            if np.ndim(dropout) > 0 or dropout != 0:
                block.append(PackedDropout(dropout, seeds, stream=depth))
            layers.extend([Residual(*block)] if residual and depth > 0 else block)
            width = units
        layers.append(PackedLinear(width, n_classes, seeds, stream=len(hidden), gain=1.0))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class PackedLinear(nn.Module):
    """A linear layer a member. Shape: (K, N, D) to (K, N, H)."""

    def __init__(
        self, n_in: int, n_out: int, seeds: Sequence[int], *, stream: int, gain: float, bias: bool = True
    ) -> None:
        super().__init__()
        bound, bias_bound = gain * sqrt(3 / n_in), 1 / sqrt(n_in)
        weights, biases = [], []
        for seed in seeds:
            rng = np.random.default_rng([seed, stream])
            weights.append(rng.uniform(-bound, bound, (n_out, n_in)).astype(np.float32))
            biases.append(rng.uniform(-bias_bound, bias_bound, (n_out, 1)).astype(np.float32))
        self.weight = nn.Parameter(torch.from_numpy(np.stack(weights)))
        self.bias = nn.Parameter(torch.from_numpy(np.stack(biases))) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        features = x.transpose(1, 2)
        if self.bias is None:
            return torch.bmm(self.weight, features).transpose(1, 2)
        return torch.baddbmm(self.bias, self.weight, features).transpose(1, 2)


class PackedBatchNorm(nn.Module):
    """Batch normalization a member (Ioffe and Szegedy 2015), as PyTorch's own kernel over K·H channels."""

    def __init__(self, n_members: int, n_units: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(filled(1, n_members, n_units))
        self.bias = nn.Parameter(filled(0, n_members, n_units))
        self.running_mean: Tensor
        self.running_var: Tensor
        self.register_buffer("running_mean", filled(0, n_members, n_units))
        self.register_buffer("running_var", filled(1, n_members, n_units))

    def forward(self, x: Tensor) -> Tensor:
        features = x.transpose(1, 2)
        normalized = F.batch_norm(
            # Not -1, which no number of rows at all would leave open.
            features.reshape(1, self.weight.numel(), features.shape[2]),
            self.running_mean.view(-1),
            self.running_var.view(-1),
            self.weight.reshape(-1),
            self.bias.reshape(-1),
            training=self.training,
            momentum=self.momentum,
            eps=self.eps,
        )
        return normalized.view(features.shape).transpose(1, 2)


class PackedLayerNorm(nn.Module):
    """Layer normalization a member (Ba et al. 2016); two means, since var_mean over a middle axis is slow."""

    def __init__(self, n_members: int, n_units: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(filled(1, n_members, n_units, 1))
        self.bias = nn.Parameter(filled(0, n_members, n_units, 1))

    def forward(self, x: Tensor) -> Tensor:
        # Means of few numbers in bfloat16 would be off.
        features = x.transpose(1, 2).float()
        centered = features - features.mean(1, keepdim=True)
        scale = (centered.square().mean(1, keepdim=True) + self.eps).rsqrt()
        return torch.addcmul(self.bias, centered * scale, self.weight).transpose(1, 2)


class Residual(nn.Sequential):
    """x + layers(x) (He et al. 2016)."""

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class PackedDropout(nn.Module):
    """Dropout a member, one multiplication by a mask drawn beforehand; `rate` is a number or one a member."""

    def __init__(self, rate: PerMember, seeds: Sequence[int], *, stream: int) -> None:
        super().__init__()
        self.masks = MemberPool(seeds, stream, dropout_masks, rate)
        self.mask: Tensor | None = None
        """The next mask, where someone has taken it from the pool already."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        features = x.transpose(1, 2)
        mask = self.masks(*features.shape[1:]) if self.mask is None else self.mask
        return (features * mask).transpose(1, 2)
