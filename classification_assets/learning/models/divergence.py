"""The error that is raised when no network of an architecture could be trained."""

from __future__ import annotations

import numpy as np
import torch

from classification_assets.learning.packed.batches import RowSource
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.training import TrainingResult

DESTABILIZING = ("learning_rate", "weight_decay", "input_noise")
"""Training options whose high values make losses overflow."""

INSPECTED_ROWS = 2**14
"""Rows, at most, among which the largest input is looked for."""


def divergence(
    name: str, trained: TrainingResult, training: Training, X: RowSource, rows: np.ndarray
) -> FloatingPointError:
    """The error for an architecture of this name, with the option to lower and a value to try."""
    largest = X[torch.from_numpy(rows[:INSPECTED_ROWS]).to(X.device)].abs().amax().item()
    usual = {field: Training.model_fields[field].default for field in DESTABILIZING}
    lower = {field: value for field, value in usual.items() if np.max(getattr(training, field)) > value}
    lower = lower or {"learning_rate": np.max(training.learning_rate) / 10}
    advice = [
        f"lower {field} ({getattr(training, field)}), to {value:.3g} say" for field, value in lower.items()
    ]
    n = len(trained.best_step)
    which = f"losses of all {n} networks" if n > 1 else "loss of its only network"
    return FloatingPointError(
        f"{name}: the {which} stopped being finite within "
        f"{int(trained.history['step'][-1])} steps, the largest input being {largest:.3g}; {'; '.join(advice)}"
    )
