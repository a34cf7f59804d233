"""Random numbers that belong to members of a pack, drawn once and read at changing offsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod, sqrt

import numpy as np
import torch
from torch import Tensor, nn

from classification_assets.learning.packed.networks.members import PerMember, filled, per_member
from classification_assets.learning.seeds import POOLS

# Numbers beyond one call's: enough for so many calls without a shared number, within bounds, since each is drawn.
_CALLS_APART, _LEAST_SPARE, _MOST_SPARE = 8, 2**10, 2**15
_GOLDEN = (sqrt(5) - 1) / 2


class MemberPool(nn.Module):
    """Random numbers that belong to members: drawn once, then each call is a free view at another offset.

    Member k's numbers come from its own seed and `stream` alone and the offset from the number of calls, so a
    member gets the same numbers in any pack. (PyTorch's dropout draws anew every step, through one slow
    generator, and costs more than the matrix product on small networks.)

    Parameters
    ----------
    seeds : sequence of int
    stream : int
        Tells one pool of a member from another.
    draw : callable
        ``draw(rng, size, parameter)`` gives a member's float32 numbers.
    parameter : float or sequence of K floats
        The number that `draw` gets for each member.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        stream: int,
        draw: Callable[[np.random.Generator, int, float], np.ndarray],
        parameter: PerMember,
    ) -> None:
        super().__init__()
        self.stream, self.draw, self.calls = stream, draw, 0
        self.seeds: Tensor
        self.parameter: Tensor
        self.numbers: Tensor
        self.register_buffer(
            "seeds", torch.tensor(list(seeds), dtype=torch.int64, device="cpu"), persistent=False
        )
        self.register_buffer("parameter", per_member(parameter, len(seeds)), persistent=False)
        self.register_buffer("numbers", filled(0, len(seeds), 0), persistent=False)

    def __call__(self, *shape: int) -> Tensor:
        """Numbers of shape (K, *shape), a view."""
        (numbers,) = self.ahead(1, *shape)
        self.skip(1)
        return numbers

    def calls_at_once(self, n: int, *shape: int) -> Tensor:
        """The numbers of the next n calls, (n, K, *shape), in one copy."""
        calls = torch.stack(self.ahead(n, *shape))
        self.skip(n)
        return calls

    def ahead(self, n: int, *shape: int) -> list[Tensor]:
        """The numbers of the next n calls, as views; the calls are still to come."""
        wanted = prod(shape)
        spare = self.numbers.shape[1] - wanted
        if spare <= 0:
            spare = max(wanted, min(_CALLS_APART * wanted, _MOST_SPARE), _LEAST_SPARE)
            self._fill(wanted + spare)
        numbers, first = self.numbers, self.calls
        # Multiples of the golden ratio visit the offsets evenly and in no short cycle.
        offsets = [int(spare * ((call * _GOLDEN) % 1)) for call in range(first, first + n)]
        # One operation a view, where a part and its shape are two: half the time.
        sizes = len(numbers), *shape
        strides = numbers.stride(0), *(prod(shape[axis + 1 :]) for axis in range(len(shape)))
        return [numbers.as_strided(sizes, strides, numbers.storage_offset() + offset) for offset in offsets]

    def skip(self, n: int) -> None:
        """Count n calls."""
        # Past the module's own way of setting attributes, which takes longer than all else in a call.
        self.__dict__["calls"] += n

    def _fill(self, size: int) -> None:
        numbers = np.empty((len(self.seeds), size), np.float32)
        for row, seed, parameter in zip(numbers, self.seeds.tolist(), self.parameter.tolist(), strict=True):
            row[:] = self.draw(np.random.default_rng([seed, POOLS + self.stream]), size, parameter)
        # Whoever asks first may compute without gradients for good, and whoever asks next may not.
        with torch.inference_mode(False):
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
