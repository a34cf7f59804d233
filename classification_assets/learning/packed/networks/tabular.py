"""The network of the `tabular` recipe: linear, smooth and wavy features of a table's columns, a pack of several kinds.

Shapes: K members, N rows, D features, P periodic features, H hidden units, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, pi, sqrt
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from classification_assets.learning.packed.networks.members import PackedNetwork, filled
from classification_assets.learning.seeds import TABULAR_START

_QUANTILES = 65
_QUANTILE_ROWS = 20_000


@dataclass(frozen=True)
class Kind:
    """A kind of member: the shape of its waves at the start, and its options. All but the limits is trained further.

    Attributes
    ----------
    name : str
    waves : str
        ``none``; ``dense``, each over all features; ``axis``, each over one of more than two values; ``ramp``, half
        a wave from one quantile of such a feature to a later one.
    frequency : float
        Standard deviation of the waves' numbers of periods over a standard deviation of the input.
    label_smoothing : float
    learning_rate : float
        As a multiple of the recipe's.
    """

    name: str
    waves: Literal["none", "dense", "axis", "ramp"] = "none"
    frequency: float = 0.0
    label_smoothing: float = 0.0
    learning_rate: float = 1.0


class PackedTabular(PackedNetwork):
    """A network a seed. Shape: (K, N, D) to (K, N, C).

    Features are scaled, h = s x; waves cos(clamp(V h + b, low, high)) are appended (periodic embeddings:
    Gorishniy et al. 2022, "On Embeddings for Numerical Features"; cos with a trained phase: RealMLP, Holzmüller
    et al. 2024). Two hidden layers with SiLU follow, and a linear path leads from h to the logits.

    Limits of 0 and π make a wave a smooth ramp between two values of a feature: the piecewise-linear encoding
    of Gorishniy et al. with its corners rounded. Without limits it is periodic; `gate` 0 takes it away.

    Examples
    --------
    >>> network = PackedTabular(4, 3, seeds=range(6))
    >>> network.start([Kind("plain")] * 6, torch.randn(100, 4))
    >>> network(torch.zeros(6, 100, 4)).shape
    torch.Size([6, 100, 3])
    """

    members_in_turn = True

    def __init__(
        self, n_features: int, n_classes: int, seeds: Sequence[int], *, waves: int = 64, hidden: int = 64
    ) -> None:
        super().__init__()
        K, D, P, H, C = len(seeds), n_features, waves, hidden, n_classes
        self.seeds = tuple(seeds)
        self.scale = nn.Parameter(filled(1, K, D, 1))
        self.waves = nn.Parameter(filled(0, K, P, D))
        self.phases = nn.Parameter(filled(0, K, P, 1))
        self.weight1 = nn.Parameter(filled(0, K, H, D + P))
        self.bias1 = nn.Parameter(filled(0, K, H, 1))
        self.weight2 = nn.Parameter(filled(0, K, H, H))
        self.bias2 = nn.Parameter(filled(0, K, H, 1))
        self.weight3 = nn.Parameter(filled(0, K, C, H))
        self.bias3 = nn.Parameter(filled(0, K, C, 1))
        self.skip = nn.Parameter(filled(0, K, C, D))
        self.low: Tensor
        self.high: Tensor
        self.gate: Tensor
        self.register_buffer("low", filled(-inf, K, 1, 1))
        self.register_buffer("high", filled(inf, K, 1, 1))
        self.register_buffer("gate", filled(0, K, 1, 1))

    @torch.no_grad()
    def start(self, kinds: Sequence[Kind], X: Tensor) -> None:
        """Draw the initial weights of K members of these kinds; X (N, D) tells ramps where the rows are."""
        P, D = self.waves.shape[1:]
        # Over two values every wave is a straight line.
        low, high = X.aminmax(dim=0)
        several = ((low < X) & (high > X)).any(0).nonzero().flatten().cpu().numpy()
        wavy = several if len(several) else np.arange(D)
        quantiles = None
        for member, (kind, seed) in enumerate(zip(kinds, self.seeds, strict=True)):
            rng = np.random.default_rng([seed, TABULAR_START])
            for weight, bias in ((self.weight1, self.bias1), (self.weight2, self.bias2)):
                H, fan_in = weight.shape[1:]
                weight[member] = _normal(rng, 1 / sqrt(fan_in), H, fan_in)
                bias[member] = _normal(rng, 0.3, H, 1)
            self.phases[member] = torch.from_numpy(rng.uniform(-pi, pi, (P, 1)).astype(np.float32))
            self.gate[member] = float(kind.waves != "none")
            spread = 2 * pi * kind.frequency
            if kind.waves == "dense":
                self.waves[member] = _normal(rng, spread / sqrt(D), P, D)
            elif kind.waves == "axis":
                feature = np.resize(rng.permutation(wavy), P)
                self.waves[member, range(P), feature] = _normal(rng, spread, P)
            elif kind.waves == "ramp":
                self.low[member], self.high[member] = 0.0, pi
                feature = np.resize(rng.permutation(wavy), P)
                quantiles = _quantiles(X) if quantiles is None else quantiles
                start, width = _ramps(rng, feature, quantiles)
                self.waves[member, range(P), feature] = torch.from_numpy(pi / width)
                self.phases[member] = torch.from_numpy(-pi * start / width).unsqueeze(1)

    def forward(self, x: Tensor) -> Tensor:
        shared = len(x) == 1 or x.stride(0) == 0
        if shared and not self.training and not torch.is_grad_enabled() and x.device.type == "cpu":
            return self._shared_forward(x[0])
        x = x.transpose(1, 2) * self.scale
        angles = torch.baddbmm(self.phases, self.waves, x).clamp(self.low, self.high)
        first = torch.baddbmm(self.bias1, self.weight1, torch.cat([x, angles.cos() * self.gate], 1))
        second = torch.baddbmm(self.bias2, self.weight2, F.silu(first))
        logits = torch.baddbmm(self.bias3, self.weight3, F.silu(second))
        return torch.baddbmm(logits, self.skip, x).transpose(1, 2)

    def _shared_forward(self, x: Tensor) -> Tensor:
        """Logits of the same rows (N, D) for all members; everything linear in them is one product a member.

        Member by member, and in the same memory for each, a layer stays in its core's cache. Biases are weights of a
        row of ones, which a product takes along for nothing. Together that takes 0.6 of the time. Layers are
        overwritten by what follows, so there is no gradient.
        """
        (N, D), P, H, C = x.shape, self.waves.shape[1], self.weight2.shape[1], self.skip.shape[1]
        of_x = torch.cat([self.waves, self.weight1[:, :, :D], self.skip], 1) * self.scale.transpose(1, 2)
        of_x = torch.cat([of_x, torch.cat([self.phases, self.bias1, self.bias3], 1)], 2)
        of_waves, of_first = self.weight1[:, :, D:] * self.gate, torch.cat([self.weight2, self.bias2], 2)
        limits = zip(self.low.flatten().tolist(), self.high.flatten().tolist(), strict=True)
        inputs = torch.cat([x.t(), x.new_ones(1, N)])
        layer, first, second = x.new_empty(P + H + C, N), x.new_ones(H + 1, N), x.new_empty(H, N)
        waves, below, direct = layer[:P], layer[P : P + H], layer[P + H :]
        logits = x.new_empty(self.n_members, C, N)
        for member, (low, high) in enumerate(limits):
            torch.mm(of_x[member], inputs, out=layer)
            if (low, high) != (-inf, inf):
                waves.clamp_(low, high)
            below.addmm_(of_waves[member], waves.cos_())
            torch.ops.aten.silu.out(below, out=first[:H])
            torch.mm(of_first[member], first, out=second)
            torch.addmm(direct, self.weight3[member], F.silu(second, inplace=True), out=logits[member])
        return logits.transpose(1, 2)


def _normal(rng: np.random.Generator, scale: float, *shape: int) -> Tensor:
    return torch.from_numpy(rng.standard_normal(shape, np.float32) * np.float32(scale))


def _quantiles(X: Tensor) -> np.ndarray:
    """Quantiles of each feature, (Q, D), of rows evenly taken from the table."""
    step = max(1, len(X) // _QUANTILE_ROWS)
    return np.quantile(X[::step].cpu().numpy(), np.linspace(0, 1, _QUANTILES), axis=0).astype(np.float32)


def _ramps(
    rng: np.random.Generator, feature: np.ndarray, quantiles: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Start and width of each wave's ramp, (P,) and (P,)."""
    last = len(quantiles) - 1
    start, width = np.empty(len(feature), np.float32), np.empty(len(feature), np.float32)
    for column in np.unique(feature):
        waves = np.flatnonzero(feature == column)
        edges = np.round(np.linspace(0, last, len(waves) + 1)).astype(int)
        start[waves] = quantiles[edges[:-1], column]
        width[waves] = quantiles[edges[1:], column] - start[waves]
    return start, np.maximum(width, 0.1)
