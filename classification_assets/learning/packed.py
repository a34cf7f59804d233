"""K networks of one shape as one ordinary module whose every parameter and buffer leads with the member.

Shapes: K members, N rows, D features in, H features out, C classes. A packed network maps (K, N, D) to
(K, N, C) and never mixes members. A layer computes features-major, (K, H, N), and hands out the transposed
view: between two layers the transposes cancel, so no number is copied.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from math import prod, sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

PerMember = float | Sequence[float]

_ACTIVATIONS: dict[str, tuple[Callable[[], nn.Module], float]] = {
    # The second number scales the initial weights so that the signal keeps its size (He et al. 2015).
    "relu": (nn.ReLU, sqrt(2)),
    "leaky_relu": (nn.LeakyReLU, sqrt(2)),
    "gelu": (nn.GELU, sqrt(2)),
    "silu": (nn.SiLU, sqrt(2)),
    "tanh": (nn.Tanh, 1.0),
}
_POOL_USE = 10_000
# Numbers beyond one call's: enough for so many calls that share none, within bounds, since each is drawn.
_CALLS_APART, _LEAST_SPARE, _MOST_SPARE = 8, 2**10, 2**15
_GOLDEN = (sqrt(5) - 1) / 2


class PackedMLP(nn.Module):
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
            block: list[nn.Module] = [PackedLinear(width, units, seeds, use=depth, gain=gain, bias=bias)]
            if normalization == "batch":
                block.append(PackedBatchNorm(len(seeds), units))
            elif normalization == "layer":
                block.append(PackedLayerNorm(len(seeds), units))
            block.append(make_activation())
            # One number a member keeps the layer even where all are 0: names of layers must not follow numbers.
            if np.ndim(dropout) > 0 or dropout != 0:
                block.append(PackedDropout(dropout, seeds, use=depth))
            layers.extend([Residual(*block)] if residual and depth > 0 else block)
            width = units
        layers.append(PackedLinear(width, n_classes, seeds, use=len(hidden), gain=1.0))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class PackedLinear(nn.Module):
    """A linear layer a member. Shape: (K, N, D) to (K, N, H)."""

    def __init__(
        self, n_in: int, n_out: int, seeds: Sequence[int], *, use: int, gain: float, bias: bool = True
    ) -> None:
        super().__init__()
        bound, bias_bound = gain * sqrt(3 / n_in), 1 / sqrt(n_in)
        weights, biases = [], []
        for seed in seeds:
            rng = np.random.default_rng([seed, use])
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
        self.weight = nn.Parameter(torch.ones(n_members, n_units))
        self.bias = nn.Parameter(torch.zeros(n_members, n_units))
        self.running_mean: Tensor
        self.running_var: Tensor
        self.register_buffer("running_mean", torch.zeros(n_members, n_units))
        self.register_buffer("running_var", torch.ones(n_members, n_units))

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
        self.weight = nn.Parameter(torch.ones(n_members, n_units, 1))
        self.bias = nn.Parameter(torch.zeros(n_members, n_units, 1))

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

    def __init__(self, rate: PerMember, seeds: Sequence[int], *, use: int) -> None:
        super().__init__()
        self.masks = MemberPool(seeds, use, dropout_masks, rate)
        self.mask: Tensor | None = None
        """The next mask, where someone has taken it from the pool already."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        features = x.transpose(1, 2)
        mask = self.masks(*features.shape[1:]) if self.mask is None else self.mask
        return (features * mask).transpose(1, 2)


class MemberPool(nn.Module):
    """Random numbers that belong to members: drawn once, then each call is a free view at another offset.

    Member k's numbers come from its own seed and `use` alone and the offset from the number of calls, so a
    member gets the same numbers in any pack. (PyTorch's dropout draws anew every step, through one slow
    generator, and costs more than the matrix product on small networks.)

    Parameters
    ----------
    seeds : sequence of int
    use : int
        Tells one pool of a member from another.
    draw : callable
        ``draw(rng, size, parameter)`` gives a member's float32 numbers.
    parameter : float or sequence of K floats
        What `draw` gets for each member.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        use: int,
        draw: Callable[[np.random.Generator, int, float], np.ndarray],
        parameter: PerMember,
    ) -> None:
        super().__init__()
        self.use, self.draw, self.calls = use, draw, 0
        self.seeds: Tensor
        self.parameter: Tensor
        self.numbers: Tensor
        self.register_buffer("seeds", torch.tensor(list(seeds), dtype=torch.int64), persistent=False)
        self.register_buffer("parameter", per_member(parameter, len(seeds)), persistent=False)
        self.register_buffer("numbers", torch.empty(len(seeds), 0), persistent=False)

    def __call__(self, *shape: int) -> Tensor:
        """Numbers of shape (K, *shape), a view."""
        (numbers,) = self.ahead(1, *shape)
        self.skip(1)
        return numbers

    def calls_at_once(self, n: int, *shape: int) -> Tensor:
        """What the next n calls would give, (n, K, *shape), in one copy."""
        calls = torch.stack(self.ahead(n, *shape))
        self.skip(n)
        return calls

    def ahead(self, n: int, *shape: int) -> list[Tensor]:
        """What the next n calls would give, views; they are still to come."""
        wanted = prod(shape)
        spare = self.numbers.shape[1] - wanted
        if spare <= 0:
            spare = max(wanted, min(_CALLS_APART * wanted, _MOST_SPARE), _LEAST_SPARE)
            self._fill(wanted + spare)
        numbers, first = self.numbers, self.calls
        # Multiples of the golden ratio visit the offsets evenly and in no short cycle.
        offsets = [int(spare * ((call * _GOLDEN) % 1)) for call in range(first, first + n)]
        return [numbers.narrow(1, offset, wanted).view(-1, *shape) for offset in offsets]

    def skip(self, n: int) -> None:
        """Count n calls."""
        # Past the module's own way of setting attributes, which takes longer than all else in a call.
        self.__dict__["calls"] += n

    def _fill(self, size: int) -> None:
        numbers = np.empty((len(self.seeds), size), np.float32)
        for row, seed, parameter in zip(numbers, self.seeds.tolist(), self.parameter.tolist(), strict=True):
            row[:] = self.draw(np.random.default_rng([seed, _POOL_USE + self.use]), size, parameter)
        self.numbers = torch.from_numpy(numbers).to(self.numbers.device)


def dropout_masks(rng: np.random.Generator, size: int, rate: float) -> np.ndarray:
    """Masks whose mean is 1: 0 with probability `rate`, else 1 / (1 - rate)."""
    return (rng.random(size, np.float32) >= rate) * np.float32(1 / (1 - rate))


def normal_numbers(rng: np.random.Generator, size: int, scale: float) -> np.ndarray:
    """Gaussian numbers of standard deviation `scale`."""
    return rng.standard_normal(size, np.float32) * np.float32(scale)


def mixup_shares(rng: np.random.Generator, size: int, alpha: float) -> np.ndarray:
    """Shares of the row itself in mixup, max(b, 1 - b) with b ~ Beta(alpha, alpha); 1 where alpha is 0."""
    if alpha == 0:
        return np.ones(size, np.float32)
    share = rng.beta(alpha, alpha, size)
    return np.maximum(share, 1 - share).astype(np.float32)


class VmapNetwork(nn.Module):
    """A pack of a person's own modules, run side by side by `torch.vmap`. Shape: (K, N, D) to (K, N, C).

    Parameters
    ----------
    make : callable
        ``make(n_features, n_classes)`` gives a module that maps (N, D) to logits (N, C).
    seeds : sequence of int
        One module is made under each seed.
    """

    def __init__(
        self, make: Callable[..., nn.Module], n_features: int, n_classes: int, seeds: Sequence[int]
    ) -> None:
        super().__init__()
        with torch.random.fork_rng():
            modules = [_made_under(seed, make, n_features, n_classes) for seed in seeds]
        # In a list, the module that lends its code is no submodule, and its own parameters are not ours.
        self._code = [copy.deepcopy(modules[0]).to("meta")]
        self._names: dict[str, str] = {}
        for module_state, register in (
            ([dict(module.named_parameters()) for module in modules], self._register_parameter),
            ([dict(module.named_buffers()) for module in modules], self.register_buffer),
        ):
            for name in module_state[0]:
                # No dot may be in a name, and an underscore would give two parameters one name.
                own = name.replace(".", "/")
                self._names[name] = own
                stacked = torch.stack([state[name].detach() for state in module_state])
                register(own, stacked.requires_grad_(module_state[0][name].requires_grad))

    def _register_parameter(self, name: str, value: Tensor) -> None:
        self.register_parameter(name, nn.Parameter(value, requires_grad=value.requires_grad))

    def train(self, mode: bool = True) -> VmapNetwork:
        super().train(mode)
        self._code[0].train(mode)
        return self

    def forward(self, x: Tensor) -> Tensor:
        state = {name: getattr(self, own) for name, own in self._names.items()}

        def one(member: dict[str, Tensor], rows: Tensor) -> Tensor:
            return torch.func.functional_call(self._code[0], member, (rows,))

        return torch.vmap(one, randomness="different")(state, x)


def _made_under(seed: int, make: Callable[..., nn.Module], n_features: int, n_classes: int) -> nn.Module:
    torch.manual_seed(seed)
    return make(n_features, n_classes)


def per_member(value: Any, n_members: int) -> Tensor:
    """A number, or one a member, as a float32 tensor (K,).

    Raises
    ------
    ValueError
        If there are several numbers, but not one a member.
    """
    numbers = torch.as_tensor(value, dtype=torch.float32)
    if numbers.ndim > 0 and len(numbers) != n_members:
        raise ValueError(
            f"expected one number, or {n_members} (one a member), however: {len(numbers)} numbers"
        )
    return numbers.expand(n_members).clone()


def select_members(network: nn.Module, keep: Tensor) -> nn.Module:
    """A packed network of some members of another, random numbers and all.

    Parameters
    ----------
    network : nn.Module
        A packed network; it stays as it is.
    keep : Tensor
        Indices (K',) or a mask (K,) of the members to keep.
    """
    selected = copy.deepcopy(network)
    for owner, name, parameter in _owned(selected, "named_parameters"):
        setattr(owner, name, nn.Parameter(parameter.detach()[keep], requires_grad=parameter.requires_grad))
    for owner, name, buffer in _owned(selected, "named_buffers"):
        setattr(owner, name, buffer[keep])
    return selected


def _owned(network: nn.Module, listing: str) -> Iterator[tuple[nn.Module, str, Tensor]]:
    for owner in network.modules():
        for name, tensor in list(getattr(owner, listing)(recurse=False)):
            yield owner, name, tensor
