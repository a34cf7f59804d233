"""How well a classifier did at each snapshot of its training."""

from __future__ import annotations

import numpy as np

from classification_assets.learning.evaluation.metrics import row_losses
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split

LOSS_ROWS = 5_000
"""Rows, at most, that a loss is of."""


def snapshot_losses(fitted: FittedModel, split: Split) -> dict[int, float]:
    """Log loss of the ensemble on the validation fold, by the step of each snapshot, or else of the last one alone.

    Of a large fold it is that of evenly spaced rows; without one there is none.
    """
    validation = split.counted_rows(Fold.VALIDATION)
    validation = validation[:: -(-len(validation) // LOSS_ROWS) or 1]
    if not len(validation):
        return {}
    weight = None if split.weight is None else split.weight[validation]
    X, y = split.X[validation], split.y[validation]

    def loss(p: np.ndarray) -> float:
        return float(np.average(row_losses(y, p), weights=weight))

    if not fitted.checkpoints:
        return {int(fitted.history["step"][-1]): loss(fitted.predict_proba(X))}
    return {step: loss(fitted.probabilities_at(step, X)) for step in fitted.checkpoints}
