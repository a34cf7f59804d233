"""One door to training: an architecture and a split become a fitted model, by the recipe of the architecture's kind."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from classification_assets.learning.models import ensemble
from classification_assets.learning.models.architectures import Architecture, Tabular
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.models.learned_rows import LearnedRows
from classification_assets.learning.models.progress import Progress
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.torch_state import usual_state
from classification_assets.learning.packed.training import OnEpoch
from classification_assets.learning.preparation.split import Split


@usual_state()
def fit(
    architecture: Architecture,
    split: Split,
    training: Training,
    device: str = "cpu",
    on_epoch: OnEpoch | None = None,
    threads: int | None = None,
) -> FittedModel:
    """Train an architecture on a split.

    Parameters
    ----------
    architecture : Architecture
        A `Tabular` learns from the training and the validation fold by inner folds of its own; of any other one
        network a seed learns from the training fold, and the validation fold stops and calibrates.
    split : Split
    training : Training
        Options, the members' seeds among them.
    device : str
        cpu, cuda, cuda:N or mps.
    on_epoch : callable, optional
        See `train`.
    threads : int, optional
        Threads of the CPU; by default the work decides.

    Raises
    ------
    FloatingPointError
        If no network could be trained.
    MemoryError
        If not even one network fits into the memory.
    ValueError
        If there are too few rows to learn from.
    """
    if isinstance(architecture, Tabular):
        # A small network does not wait for what this alone needs.
        from classification_assets.learning.models.tabular import recipe

        fitted = recipe.fit(architecture, split, training, device, on_epoch, threads)
    else:
        fitted = ensemble.fit(architecture, split, training, device, on_epoch, threads)
    return replace(fitted, learned=LearnedRows.of(split))


def timed_fit(
    architecture: Architecture,
    split: Split,
    training: Training,
    device: str,
    title: str,
    log: Callable[[str], None],
    threads: int | None = None,
) -> tuple[FittedModel, float, str]:
    """Train an architecture, say meanwhile how far it is; return the model, the seconds, and what was done in words."""
    progress, started = Progress(title, log), time.perf_counter()
    try:
        fitted = fit(architecture, split, training, device, progress, threads)
    finally:
        progress.close()
    seconds = time.perf_counter() - started
    members, epochs = len(fitted.best_step), len(fitted.history["step"])
    return fitted, seconds, f"{members} networks trained, {epochs} epochs, {seconds:.1f} s on {device}"
