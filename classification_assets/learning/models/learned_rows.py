"""The rows that a model has learned from, so that no later evaluation takes one of them for unseen.

A model's file holds a key of each of these rows, 64 bits, of more than `EXACT` rows 32: of a row that was never
seen, one key in 2^32 / n then is taken for one of n learned rows, so that of 10,000,000 learned rows 0.2 % of the
unseen ones are left out of an evaluation. The opposite does not happen.

Shapes: N rows of a table, n rows that were learned from, V rows that validated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from classification_assets.learning.preparation.fold_memory import RowIdentity
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.row_keys import array_keys, combined, slots, unpaired

EXACT = 2**20
"""Rows of a fold, at most, whose keys are stored whole."""


# Which of several copies are taken for learned ones, by the fold in which they are now (train, validation, test):
# first for rows of the training fold, then for those of the validation fold.
_KEPT = np.array([0, 1, 2]), np.array([1, 0, 2])
_DEALT_ANEW = np.array([2, 1, 0]), np.array([2, 1, 0])


@dataclass(frozen=True)
class LearnedRows:
    """Rows of a training fold, and those of the validation fold that stopped, calibrated and chose.

    Attributes
    ----------
    identity : RowIdentity
        How keys are made.
    training, validation : arrays (n,), (V,) uint64 or uint32
        Keys; those of the validation fold in the order of the stored out-of-fold probabilities.
    training_labels, validation_labels : arrays (n,), (V,) int32
        Class codes.
    validation_content : array (V,) uint64
        Keys of the validation rows' encoded features: an `id` may come again with other features.
    """

    identity: RowIdentity
    training: np.ndarray
    training_labels: np.ndarray
    validation: np.ndarray
    validation_labels: np.ndarray
    validation_content: np.ndarray

    @classmethod
    def of(cls, split: Split) -> Self | None:
        """The rows of a split; None where its rows have no keys."""
        if split.identity is None or split.keys is None:
            return None
        parts = []
        for fold in (Fold.TRAIN, Fold.VALIDATION):
            rows = split.rows(fold)
            parts.append((_short(split.keys[rows], len(rows) > EXACT), split.y[rows].astype(np.int32)))
        (training, training_labels), (validation, validation_labels) = parts
        features = split.X[split.rows(Fold.VALIDATION)]
        content = array_keys(features, split.preprocessing.names)
        return cls(split.identity, training, training_labels, validation, validation_labels, content)

    def unchanged(self, X: np.ndarray, names: Sequence[str], validated: np.ndarray) -> np.ndarray:
        """Whether rows X (n, D), encoded by the model, are the very ones that validated, at these places (n,)."""
        return array_keys(X, names) == self.validation_content[validated]

    def rows_of(self, keys: np.ndarray, y: np.ndarray, fold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which rows of a split are which of these.

        Copies (equal keys) are told apart by their labels, and then counted: of three copies, two of which were
        learned from, two are left out. If all that was learned from may lie outside of the test fold, it does;
        else copies in the test fold come first, so that none of them is scored by mistake.

        Parameters
        ----------
        keys : array (N,) uint64
            Made by `identity`.
        y : array (N,)
            Class codes of the model.
        fold : array (N,)

        Returns
        -------
        learned : array (N,) bool
            Whether a row was learned from.
        validated : array (N,) int64
            The place of a row among those that validated, -1 of others.
        """
        training, validating = self._both(keys, y, fold, _KEPT)
        if ((fold == Fold.TEST) & ((training >= 0) | (validating >= 0))).any():
            training, validating = self._both(keys, y, fold, _DEALT_ANEW)
        return training >= 0, validating

    def _both(
        self, keys: np.ndarray, y: np.ndarray, fold: np.ndarray, ranks: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The index (N,) of each row among those that were learned from, and among those that validated."""
        learned = (self.training, self.training_labels), (self.validation, self.validation_labels)
        training, validating = (
            self._paired(keys, y, *known, rank[fold]) for known, rank in zip(learned, ranks, strict=True)
        )
        return training, validating

    @staticmethod
    def _paired(
        keys: np.ndarray, y: np.ndarray, learned: np.ndarray, labels: np.ndarray, rank: np.ndarray
    ) -> np.ndarray:
        """The index (N,) of each row among learned ones, -1 of others; of copies those of the lowest rank (N,)."""
        order = np.argsort(rank, kind="stable")
        whole, codes = keys[order], y[order].astype(np.uint64)
        rows = _short(whole, learned.dtype == np.uint32).astype(np.uint64)
        known = learned.astype(np.uint64)
        wanted = combined(known, labels.astype(np.uint64))
        found = slots(combined(whole, codes), combined(rows, codes), wanted)
        rest, left = np.flatnonzero(found < 0), unpaired(found, len(known))
        # A label may have been corrected since.
        again = slots(whole[rest], rows[rest], known[left])
        found[rest[again >= 0]] = left[again[again >= 0]]
        index = np.empty(len(keys), np.int64)
        index[order] = found
        return index


def _short(keys: np.ndarray, short: bool) -> np.ndarray:
    return (keys >> np.uint64(32)).astype(np.uint32) if short else keys
