"""Rows of a sweep: what its networks learn from, and the rows by which they are judged, which they never see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from classification_assets.learning.packed.batches import RowSource
from classification_assets.learning.preparation.folds import Fold

if TYPE_CHECKING:
    from classification_assets.learning.preparation.split import Split

MOST_SCORED = 4_000
"""Rows of a fold, at most, that judge: evenly spaced ones of more."""


@dataclass(frozen=True)
class SweptRows:
    """Features, labels, and the rows of each fold.

    A table's rows are there once for each of F folds, each time as what its networks learn from shows them: means and
    scales know nothing of the rows that judge.

    Attributes
    ----------
    X : array (F N, D) float32, or rows that are computed when they are asked for
    y : array (F N,) int64
    weight : array (F N,) float32 or None
    learned, scored : lists of F arrays of indices
        What a network of each fold learns from, and is judged by.
    n_classes : int
    """

    X: np.ndarray | RowSource
    y: np.ndarray
    weight: np.ndarray | None
    learned: list[np.ndarray]
    scored: list[np.ndarray]
    n_classes: int

    @classmethod
    def of(cls, split: Split, folds: int, seed: int, device: str = "cpu") -> SweptRows:
        """The rows of a split: its validation fold judges, or each of so many folds of both in turns.

        Test rows have no part in it.

        Raises
        ------
        ValueError
            If there are no rows to judge by.
        """
        # Not above: processes that are given rows need none of it, and would take a second more to start.
        from classification_assets.learning.models.tabular.inner_folds import InnerFolds
        from classification_assets.learning.preparation.split import features_by_fold, features_of

        train, validation = split.rows(Fold.TRAIN), split.rows(Fold.VALIDATION)
        if folds == 1:
            learned, scored = [train], [validation]
        else:
            both = np.concatenate([train, validation])
            dealt = InnerFolds.of(
                both,
                split.y,
                folds,
                1,
                seed,
                group=split.group,
                timestamp=None if split.group is not None else split.timestamp,
            )
            if dealt.count < folds:
                timed = "rows" if split.timestamp is None else "times"
                things = timed if split.group is None else "groups"
                raise ValueError(
                    f"sweep.folds: training and validation have {dealt.count} {things}, and there are never more folds "
                    f"than that, got {folds}"
                )
            members = range(dealt.members)
            learned = dealt.seen_by(members)
            scored = [dealt.rows[dealt.unseen(member)] for member in members]
        counted = [rows if split.weight is None else rows[split.weight[rows] > 0] for rows in scored]
        if not all(len(rows) for rows in counted):
            raise ValueError(
                "sweep: configurations are judged by the validation fold, which has no rows that count; "
                "declare a split with validation above 0, or sweep.folds of 2 or more"
            )
        if split.weight is not None and not all(split.weight[rows].any() for rows in learned):
            raise ValueError(
                f"sweep.folds: in one of {folds} folds, all rows that are left to learn from have a weight of 0; give "
                "more rows a weight above 0, or choose other folds"
            )
        scored = [rows[:: -(-len(rows) // MOST_SCORED)] for rows in counted]
        # One validation fold is judged by what knows the training fold alone, as the split's preprocessing does.
        X = features_of(split, device) if folds == 1 else features_by_fold(split, learned, device)
        starts = range(0, folds * len(split.y), len(split.y))
        return cls(
            X.numpy() if isinstance(X, torch.Tensor) and X.device.type == "cpu" else X,
            np.tile(split.y, folds),
            None if split.weight is None else np.tile(split.weight, folds),
            [rows + start for rows, start in zip(learned, starts, strict=True)],
            [rows + start for rows, start in zip(scored, starts, strict=True)],
            len(split.classes),
        )

    @property
    def folds(self) -> int:
        """F."""
        return len(self.learned)

    @property
    def can_be_sent(self) -> bool:
        """Whether another process can have them: plain arrays on the CPU."""
        return isinstance(self.X, np.ndarray)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all numbers."""
        found = hashlib.sha256(f"{tuple(self.X.shape)} {self.n_classes}".encode())
        arrays = [self.y, *self.learned, *self.scored]
        for array in [*arrays, *([] if self.weight is None else [self.weight])]:
            # Lengths as well: two folds one after the other look the same wherever the one ends.
            found.update(f"{array.dtype} {array.shape}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
        every = torch.arange(len(self.y), device=getattr(self.X, "device", "cpu"))
        for part in every.split(2**16):
            rows = self.X[part.numpy()] if isinstance(self.X, np.ndarray) else self.X[part].cpu().numpy()
            found.update(np.ascontiguousarray(rows).tobytes())
        return found.hexdigest()
