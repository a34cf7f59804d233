"""Mini-batches of a pack: rows in each member's order, soft targets, noise and mixup.

Shapes: K members, N rows, D features, C classes, B rows a mini-batch, M rows drawn.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from classification_assets.learning.packed.networks.members import select_members
from classification_assets.learning.packed.networks.random_pool import (
    MemberPool,
    mixup_shares,
    normal_numbers,
)
from classification_assets.learning.packed.options import Training
from classification_assets.learning.seeds import INPUT_NOISE, MIXUP, ROW_ORDER

BLOCK_BYTES = 2**23
"""Bytes of the rows that are laid out, or scored, at one time."""


class RowSource(Protocol):
    """Features of N rows on a device: a tensor (N, D), or whatever computes them when they are asked for."""

    @property
    def shape(self) -> torch.Size: ...

    @property
    def device(self) -> torch.device: ...

    def __getitem__(self, index: Tensor, /) -> Tensor: ...

    def index_select(self, dim: int, index: Tensor) -> Tensor: ...


class RowStream:
    """A member's endless stream of row indices: shuffle after shuffle, so every batch is full."""

    def __init__(self, rows: np.ndarray, seed: int) -> None:
        self.rows = np.asarray(rows, np.int32)
        state = np.random.SeedSequence([seed, ROW_ORDER]).generate_state(1, np.uint64)
        self.generator = torch.Generator("cpu").manual_seed(int(state[0]))
        self.rest = self.rows[:0]
        self.order = torch.empty(len(self.rows), dtype=torch.int32, device="cpu")
        self.order_as_array = self.order.numpy()

    def take(self, wanted: int) -> np.ndarray:
        """The next rows (wanted,)."""
        rows = np.empty(wanted, np.int64)
        self.take_into(rows)
        return rows

    def take_into(self, out: np.ndarray) -> None:
        """Write the next rows, as many as `out` holds."""
        n = min(len(self.rest), len(out))
        out[:n], self.rest = self.rest[:n], self.rest[n:]
        while n < len(out):
            order = self.rows.take(self._shuffled())
            missing = min(len(order), len(out) - n)
            out[n : n + missing], self.rest = order[:missing], order[missing:]
            n += missing

    def skip(self, rows: int) -> None:
        """Go on as if so many rows had been taken."""
        missing = rows - len(self.rest)
        if missing < 0:
            self.rest = self.rest[rows:]
            return
        for _ in range(missing // len(self.rows)):
            self._shuffled()
        self.rest = self.rest[:0]
        self.take(missing % len(self.rows))

    def _shuffled(self) -> np.ndarray:
        # PyTorch's shuffle takes a third of the time of NumPy's.
        torch.randperm(len(self.rows), generator=self.generator, out=self.order, device="cpu")
        return self.order_as_array


class Targets:
    """Soft targets: one-hot, smoothed, weighted. Shape: rows' indices (n, K, B) to (n, K, C, B)."""

    def __init__(
        self,
        y: Tensor,
        n_classes: int,
        weight: Tensor | None,
        mean_weight: Tensor | None,
        smoothing: Tensor,
    ) -> None:
        # Numbers of one type are compared in half the time, and any number of classes is a float exactly.
        self.labels = y.float()
        self.n_classes, self.smoothing = n_classes, smoothing
        self.weight, self.mean_weight = weight, mean_weight
        self.smooths = bool((smoothing > 0).any())

    def __call__(self, index: Tensor) -> Tensor:
        labels = _each(self.labels, index)
        target = self.smoothing.new_empty(*labels.shape[:2], self.n_classes, labels.shape[2])
        classes = torch.arange(self.n_classes, dtype=torch.float32, device=labels.device).unsqueeze(1)
        torch.eq(labels.unsqueeze(2), classes, out=target)
        if self.smooths:
            share = self.smoothing.view(-1, 1, 1)
            target = target.mul_(1 - share).add_(share / self.n_classes)
        if self.weight is None or self.mean_weight is None:
            return target
        return target.mul_((_each(self.weight, index) / self.mean_weight.unsqueeze(1)).unsqueeze(2))

    def selected(self, keep: Tensor) -> Targets:
        mean_weight = None if self.mean_weight is None else self.mean_weight[keep]
        chosen = copy.copy(self)
        chosen.mean_weight, chosen.smoothing = mean_weight, self.smoothing[keep]
        return chosen


class Augmentation(nn.Module):
    """Mixup and Gaussian input noise on n mini-batches, features-major: (n, K, D, B), (n, K, C, B)."""

    def __init__(self, training: Training, seeds: Sequence[int]) -> None:
        super().__init__()
        self.shares = self.noise = None
        if np.any(np.asarray(training.mixup) > 0):
            self.shares = MemberPool(seeds, MIXUP, mixup_shares, training.mixup)
        if np.any(np.asarray(training.input_noise) > 0):
            self.noise = MemberPool(seeds, INPUT_NOISE, normal_numbers, training.input_noise)

    def forward(self, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        if self.shares is None and self.noise is None:
            return x, target
        x = x.contiguous()
        if self.shares is not None:
            # Rows come shuffled, so the next row is a partner drawn at random.
            share = self.shares.calls_at_once(len(x), 1, x.shape[3])
            for mixed in (x, target):
                torch.lerp(mixed.roll(1, 3), mixed, share, out=mixed)
        if self.noise is not None:
            x.add_(self.noise.calls_at_once(len(x), *x.shape[2:]))
        return x, target

    def selected(self, keep: Tensor) -> Augmentation:
        chosen = select_members(self, keep)
        assert isinstance(chosen, Augmentation)
        return chosen


def batches(
    X: RowSource,
    streams: Sequence[RowStream],
    steps: int,
    B: int,
    targets: Targets,
    augmentation: Augmentation,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Mini-batches (K, D, B) and targets (K, C, B), laid out in blocks whose size does not follow the table."""
    K, D, C = len(streams), X.shape[1], targets.n_classes
    block = max(1, BLOCK_BYTES // (4 * K * B * (D + 2 * C)))
    for start in range(0, steps, block):
        n = min(block, steps - start)
        drawn = np.empty((K, n * B), np.int32)
        for stream, rows in zip(streams, drawn, strict=True):
            stream.take_into(rows)
        index = torch.from_numpy(drawn).to(X.device).view(K, n, B).transpose(0, 1)
        index = index.to(torch.int64, memory_format=torch.contiguous_format)
        # Whoever reads a batch turns it at once, while it is in the cache; or need not.
        x = _rows_of(X, index.view(-1)).view(n, K, B, D).transpose(2, 3)
        yield from zip(*augmentation(x, targets(index)), strict=True)


def _rows_of(X: RowSource, index: Tensor) -> Tensor:
    """Features (M, D) of M rows."""
    if isinstance(X, Tensor) and X.device.type == "cpu":
        # NumPy takes a third of PyTorch's time for short rows.
        return torch.from_numpy(X.numpy().take(index.numpy(), axis=0))
    return X.index_select(0, index)


def _each(numbers: Tensor, index: Tensor) -> Tensor:
    """The numbers of rows, in the shape of their indices."""
    # Much faster than brackets, which take indices of any shape.
    return numbers.index_select(0, index.view(-1)).view(index.shape)
