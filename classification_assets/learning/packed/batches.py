"""Mini-batches of a pack: rows in each member's order, soft targets, noise and mixup.

Shapes: K members, N rows, D features, C classes, B rows a mini-batch, M rows drawn.
"""

from __future__ import annotations

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

    def take(self, wanted: int) -> np.ndarray:
        """The next rows (wanted,)."""
        parts, missing = [self.rest[:wanted]], wanted - len(self.rest)
        self.rest = self.rest[wanted:]
        while missing > 0:
            order = self.rows[self._shuffled()]
            parts.append(order[:missing])
            self.rest = order[missing:]
            missing -= len(order)
        return np.concatenate(parts)

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
        order = torch.randperm(len(self.rows), generator=self.generator, dtype=torch.int32, device="cpu")
        return order.numpy()


class Targets:
    """Soft targets: one-hot, smoothed, weighted. Shape: labels (n, K, B) to (n, K, C, B)."""

    def __init__(
        self, n_classes: int, weight: Tensor | None, mean_weight: Tensor | None, smoothing: Tensor
    ) -> None:
        self.n_classes, self.smoothing = n_classes, smoothing
        self.weight, self.mean_weight = weight, mean_weight
        self.smooths = bool((smoothing > 0).any())

    def __call__(self, y: Tensor, index: Tensor) -> Tensor:
        labels = y.index_select(0, index.view(-1)).view(index.shape)
        target = self.smoothing.new_empty(*labels.shape[:2], self.n_classes, labels.shape[2])
        classes = torch.arange(self.n_classes, device=y.device).unsqueeze(1)
        torch.eq(labels.unsqueeze(2), classes, out=target)
        if self.smooths:
            share = self.smoothing.view(-1, 1, 1)
            target = target.mul_(1 - share).add_(share / self.n_classes)
        if self.weight is None or self.mean_weight is None:
            return target
        return target.mul_((self.weight.take(index) / self.mean_weight.unsqueeze(1)).unsqueeze(2))

    def selected(self, keep: Tensor) -> Targets:
        mean_weight = None if self.mean_weight is None else self.mean_weight[keep]
        return Targets(self.n_classes, self.weight, mean_weight, self.smoothing[keep])


class Augmentation(nn.Module):
    """Mixup and Gaussian input noise on n mini-batches, features-major and in place: (n, K, D, B), (n, K, C, B)."""

    def __init__(self, training: Training, seeds: Sequence[int]) -> None:
        super().__init__()
        self.shares = self.noise = None
        if np.any(np.asarray(training.mixup) > 0):
            self.shares = MemberPool(seeds, MIXUP, mixup_shares, training.mixup)
        if np.any(np.asarray(training.input_noise) > 0):
            self.noise = MemberPool(seeds, INPUT_NOISE, normal_numbers, training.input_noise)

    def forward(self, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
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
    y: Tensor,
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
        drawn = np.stack([stream.take(n * B) for stream in streams])
        index = torch.from_numpy(drawn).to(X.device).long().view(K, n, B).transpose(0, 1).contiguous()
        # Much faster than brackets, which take indices of any shape.
        x = X.index_select(0, index.view(-1)).view(n, K, B, D).transpose(2, 3).contiguous()
        target = targets(y, index)
        yield from zip(*augmentation(x, target), strict=True)
