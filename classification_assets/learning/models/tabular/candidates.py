"""Candidates for the blend of the recipe for tables: networks of inner folds at a snapshot, and linear models.

Shapes: N rows of the table, n rows that are learned from, m of these, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from classification_assets.learning.models.tabular.inner_folds import InnerFolds
from classification_assets.learning.models.tabular.linear_fits import linear_fits
from classification_assets.learning.packed.batches import BLOCK_BYTES
from classification_assets.learning.packed.networks.linear import FEW_FEATURES, PackedQuadratic, with_products
from classification_assets.learning.packed.networks.tabular import PackedTabular
from classification_assets.learning.preparation.features import Standardized

Pack = PackedTabular | PackedQuadratic

LINEAR_ROWS = 3_000
"""Rows, at most, that linear models are fitted on: with more of them they do not gain, and networks do."""


@dataclass(frozen=True)
class Candidate:
    """Networks or linear models of one kind, at one snapshot or penalty, that may be blended.

    Attributes
    ----------
    members : array
        Those members of the kind, counted fold by fold, that there are.
    build : callable
        Builds them as a pack.
    build_mean : callable, optional
        Builds the one linear model whose logits are the mean of theirs, if they are linear models.
    kind, step : int, optional
        Which kind of network, and the step of the snapshot.
    """

    members: np.ndarray
    build: Callable[[], Pack]
    build_mean: Callable[[], Pack] | None = None
    kind: int | None = None
    step: int | None = None

    @property
    def networks(self) -> int:
        """Networks that it adds to the blend; a linear model is none, since it takes next to no time."""
        return 0 if self.build_mean else len(self.members)

    def blended(self) -> Pack:
        """The pack that stands for it in the blend."""
        return (self.build_mean or self.build)()

    @torch.no_grad()
    def out_of_fold(self, folds: InnerFolds, X: Tensor | Standardized, rows: np.ndarray) -> Tensor:
        """Mean logits (m, C) of the members that never saw a row; 0 where all of these failed.

        Parameters
        ----------
        X : (N, D)
            The table's features.
        rows : array (m,)
            Which of the n rows that are learned from.
        """
        network = self.build()
        held_out = [np.flatnonzero(folds.unseen(member)[rows]) for member in self.members.tolist()]
        longest = max(map(len, held_out))
        # Padded with the first row, whose logits are dropped.
        positions = np.zeros((len(self.members), longest), np.int64)
        for unseen, padded in zip(held_out, positions, strict=True):
            padded[: len(unseen)] = unseen
        index = torch.from_numpy(folds.rows[rows[positions]] if len(rows) else positions).to(X.device)
        widest = max(parameter.shape[1] for parameter in network.parameters())
        parts = index.split(max(1, BLOCK_BYTES // (4 * len(self.members) * widest)), 1)
        logits = torch.cat([network(X[part]).cpu() for part in parts], 1)
        total, count = logits.new_zeros(len(rows), logits.shape[2]), logits.new_zeros(len(rows), 1)
        for unseen, scores in zip(held_out, logits, strict=True):
            total[unseen] += scores[: len(unseen)]
            count[unseen] += 1
        return total / count.clamp_min(1)


def linear_candidates(
    X: Tensor | Standardized, y: np.ndarray, weight: np.ndarray | None, folds: InnerFolds, n_classes: int
) -> list[Candidate]:
    """Linear models of the features, and of them and their products, at each penalty; none where none can be fitted."""
    some = folds.some(LINEAR_ROWS)
    rows = folds.rows[some]
    counts = np.ones(len(rows)) if weight is None else weight[rows].astype(np.float64)
    # One repeat is enough: the mean over more hardly differs.
    members = np.arange(folds.count)
    weights = [counts * ~folds.unseen(member)[some] for member in members.tolist()]
    if len(np.unique(y[rows])) < 2 or not all(seen.any() for seen in weights):
        return []
    x = X[torch.from_numpy(rows).to(X.device)].cpu()
    build, candidates = partial(PackedQuadratic.of_weights, x.shape[1]), []
    for features in (x, with_products(x))[: 1 + (x.shape[1] <= FEW_FEATURES)]:
        for fits in zip(*linear_fits(features.numpy(), y[rows], weights, n_classes), strict=True):
            models = [fit.to(X.device) for fit in fits]
            # The mean of linear models' logits is one linear model's.
            mean = [fit.mean(0, keepdim=True) for fit in models]
            candidates.append(Candidate(members, partial(build, *models), partial(build, *mean)))
    return candidates
