"""The members of a pack that still learn, with everything that belongs to them.

Shapes: K members, N rows, D features, C classes, B rows a mini-batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from classification_assets.learning.packed.batches import (
    Augmentation,
    RowSource,
    RowStream,
    Targets,
    batches,
)
from classification_assets.learning.packed.by_autograd import ByAutograd
from classification_assets.learning.packed.early_stopping import ValidationFold
from classification_assets.learning.packed.gradients import Gradient, gradient_for
from classification_assets.learning.packed.networks.members import per_member, select_members
from classification_assets.learning.packed.networks.random_pool import MemberPool
from classification_assets.learning.packed.optimizer import MemberAdamW
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.paused import PausedPack

MemberRows = np.ndarray | Sequence[np.ndarray]
"""Indices of rows: one array for all members, or one a member."""


class ActivePack:
    """Network, optimizer, gradient, rows, targets, augmentation and validation fold of the members that still learn.

    Parameters
    ----------
    network, X, y, rows, validation, training, seeds, n_classes, weight, betas, own_rates
        As in `training.train`.

    Attributes
    ----------
    network : nn.Module
        (K, B, D) to logits (K, B, C).
    optimizer : MemberAdamW
    gradient : Gradient
        Written to where the optimizer reads it.
    validation : ValidationFold
    batch_size : int
        Rows a mini-batch: as many as the option says, but no more than the member with the fewest rows has.
    """

    def __init__(
        self,
        network: nn.Module,
        X: RowSource,
        y: Tensor,
        rows: MemberRows,
        validation: MemberRows,
        training: Training,
        seeds: Sequence[int],
        *,
        n_classes: int,
        weight: Tensor | None,
        betas: tuple[float, float],
        own_rates: bool = False,
    ) -> None:
        K, device = len(seeds), X.device
        rows = rows.astype(np.int32) if isinstance(rows, np.ndarray) else rows
        # NumPy would make all of it contiguous for each of its choices of rows.
        self.X = X.contiguous() if isinstance(X, Tensor) else X
        self.training, self.network = training, network
        self.streams = [
            RowStream(its_rows, seed) for its_rows, seed in zip(_for_each(rows, K), seeds, strict=True)
        ]
        self.fewest_rows = min(len(stream.rows) for stream in self.streams)
        self.batch_size = min(training.batch_size or self.fewest_rows, self.fewest_rows)
        self.targets = Targets(
            y,
            n_classes,
            weight,
            _mean_weights(weight, rows, K),
            per_member(training.label_smoothing, K).to(device),
        )
        self.augmentation = Augmentation(training, seeds).to(device)
        self.validation = ValidationFold(X, y, _for_each(validation, K), weight)
        self.optimizer = MemberAdamW(
            network,
            per_member(training.learning_rate, K),
            per_member(training.weight_decay, K),
            betas,
            own_rates=own_rates,
        )
        self.gradient = self._gradient()

    def batches(self, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The next mini-batches (K, D, B) and their targets (K, C, B)."""
        return batches(self.X, self.streams, steps, self.batch_size, self.targets, self.augmentation)

    def mode(self) -> AbstractContextManager[Any]:
        """The mode of an epoch's steps, entered once: inference, unless autograd computes the gradient."""
        if isinstance(self.gradient, ByAutograd):
            return nullcontext()
        return torch.inference_mode()

    def score(self) -> tuple[Tensor, Tensor]:
        """Each member's log loss and accuracy on its validation rows, (K,) and (K,); NaN if there are none."""
        return self.validation.score(self.network, self.targets.n_classes)

    def select(self, keep: Tensor) -> None:
        """Keep only the members `keep` (K',), indices, with everything of theirs as it is."""
        self.network = select_members(self.network, keep)
        self.optimizer = self.optimizer.selected(self.network, keep)
        self.gradient = self._gradient()
        self.augmentation = self.augmentation.selected(keep)
        self.targets = self.targets.selected(keep)
        self.validation = self.validation.selected(keep)
        self.streams = [self.streams[index] for index in keep.tolist()]

    def paused(self, keep: Tensor) -> PausedPack:
        """The members `keep` (K',), indices, as they are now."""
        mean, square = self.optimizer.moments()
        return PausedPack(
            self.optimizer.steps,
            {name: value[keep].contiguous() for name, value in self.network.state_dict().items()},
            [value[keep].contiguous() for value in mean],
            [value[keep].contiguous() for value in square],
        )

    def resume(self, paused: PausedPack) -> None:
        """Go on where the same members were paused."""
        self.network.load_state_dict(paused.state)
        self.optimizer.resume(paused.step, paused.mean, paused.square)
        for part in (*self.network.modules(), *self.augmentation.modules()):
            if isinstance(part, MemberPool):
                part.skip(paused.step)
        for stream in self.streams:
            stream.skip(paused.step * self.batch_size)

    def _gradient(self) -> Gradient:
        return gradient_for(
            self.network,
            self.optimizer.flat,
            weighted=self.targets.weight is not None,
            precision=self.training.precision,
            compile=self.training.compile,
        )


def _for_each(rows: MemberRows, n_members: int) -> Sequence[np.ndarray]:
    return [rows] * n_members if isinstance(rows, np.ndarray) else rows


def _mean_weights(weight: Tensor | None, rows: MemberRows, n_members: int) -> Tensor | None:
    """The mean weight of each member's training rows, (K,)."""
    if weight is None:
        return None
    each = [rows] if isinstance(rows, np.ndarray) else rows
    means = [weight[torch.from_numpy(np.asarray(index)).long().to(weight.device)].mean() for index in each]
    return torch.stack(means).expand(n_members)
