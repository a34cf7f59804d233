"""A network as a tutorial trains it. Light to import: the peers' worker processes do so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class Trial:
    """A configuration, and the rows that a network of it is trained on and judged by.

    Attributes
    ----------
    X : array (N, D) float32
    y : array (N,) int64
    judges : array (N,) bool
        Rows that judge; the others train.
    """

    X: np.ndarray
    y: np.ndarray
    judges: np.ndarray
    hidden: Sequence[int]
    activation: str
    rate: float
    decay: float
    batch: int

    def losses(self, epochs: Sequence[int]) -> Iterator[float]:
        """Log loss on the rows that judge after each of some epochs, in which training pauses."""
        torch.set_num_threads(1)
        torch.manual_seed(0)
        X, y = torch.from_numpy(self.X), torch.from_numpy(self.y)
        train, judge = torch.from_numpy(np.flatnonzero(~self.judges)), torch.from_numpy(self.judges)
        make = nn.ReLU if self.activation == "relu" else nn.Tanh
        sizes = [self.X.shape[1], *self.hidden]
        layers = [part for into, out in pairwise(sizes) for part in (nn.Linear(into, out), make())]
        network = nn.Sequential(*layers, nn.Linear(sizes[-1], int(self.y.max()) + 1))
        optimizer = torch.optim.AdamW(network.parameters(), lr=self.rate, weight_decay=self.decay)
        for epoch in range(1, max(epochs) + 1):
            for part in train[torch.randperm(len(train))].split(self.batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(network(X[part]), y[part]).backward()
                optimizer.step()
            if epoch in epochs:
                with torch.no_grad():
                    yield float(nn.functional.cross_entropy(network(X[judge]).double(), y[judge]))

    def loss(self, epochs: int) -> float:
        """Log loss at the end."""
        return next(self.losses([epochs]))
