"""The plain recipe: one network a seed, stopped by the validation fold and calibrated on it.

Shapes: K members, N rows of the table, V rows of the validation fold, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from classification_assets.learning.models.architectures import Architecture
from classification_assets.learning.models.blend import Blend
from classification_assets.learning.models.calibration import temperature
from classification_assets.learning.models.divergence import divergence
from classification_assets.learning.models.fitted import FittedModel, Pack, Provenance
from classification_assets.learning.models.snapshots import snapshots
from classification_assets.learning.packed.arithmetic import threads_for
from classification_assets.learning.packed.batches import RowSource
from classification_assets.learning.packed.memory import in_halves
from classification_assets.learning.packed.networks.members import PackedNetwork
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.training import OnEpoch, TrainingResult, steps_an_epoch, train
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split, features_of

CALIBRATED_ROWS = 2**14
"""Rows of the validation fold in one forward pass."""


def fit(
    architecture: Architecture,
    split: Split,
    training: Training,
    device: str = "cpu",
    on_epoch: OnEpoch | None = None,
    threads: int | None = None,
) -> FittedModel:
    """Train an ensemble of one architecture and calibrate it.

    Members whose loss stopped being finite are left out. Some snapshots of the training are kept as checkpoints, see
    `snapshots`.

    Raises
    ------
    FloatingPointError
        If no member could be trained.
    """
    X = features_of(split, device)
    trained = train_members(architecture, split, X, training, on_epoch, threads)
    survivors = (trained.best_step >= 0).nonzero().squeeze(1)
    if not len(survivors):
        raise divergence(architecture.name, trained, training, X, split.rows(Fold.TRAIN))
    seeds = [training.seeds[member] for member in survivors.tolist()]
    network = _build(architecture, split, X, survivors.tolist(), seeds)
    # Taken over, not copied: members trained in halves may not fit a second time.
    state = trained.state if len(survivors) == training.members else _of(trained.state, survivors)
    network.load_state_dict(state, assign=True)
    values = sum(parameter.numel() for parameter in network.parameters())
    with threads_for(values * len(split.rows(Fold.VALIDATION)), threads):
        blend, validation_probabilities = calibrate(network, split, X)
    return FittedModel(
        state={name: value.detach().cpu() for name, value in blend.state_dict().items()},
        provenance=Provenance(
            architecture=architecture,  # pyright: ignore[reportArgumentType]
            training=training,
            packs=(Pack(seeds=tuple(seeds)),),
            classes=tuple(split.classes),
            preprocessing=split.preprocessing,
            source=split.source,
            overridden={},
            versions=Provenance.current_versions(),
        ),
        history={name: value.numpy() for name, value in trained.history.items()},
        best_step=trained.best_step.cpu().numpy(),
        validation_probabilities=validation_probabilities,
        checkpoints=_checkpoints(trained, survivors),
        module=architecture.network_class(),
    )


def train_members(
    architecture: Architecture,
    split: Split,
    X: RowSource,
    training: Training,
    on_epoch: OnEpoch | None = None,
    threads: int | None = None,
) -> TrainingResult:
    """Train one network a seed on the training fold; X (N, D) are the split's features on the device."""
    y = torch.from_numpy(split.y).to(X.device)
    weight = None if split.weight is None else torch.from_numpy(split.weight).to(X.device)
    rows, validation = split.rows(Fold.TRAIN), split.rows(Fold.VALIDATION)
    if split.weight is not None:
        validation = validation[split.weight[validation] > 0]
    epoch_steps = steps_an_epoch(len(rows), training.batch_size)

    def train_some(members: Sequence[int]) -> TrainingResult:
        seeds = [training.seeds[member] for member in members]
        network = _build(architecture, split, X, members, seeds)
        kept = snapshots(network, training.members, training.max_epochs, epoch_steps)
        return train(
            network,
            X,
            y,
            rows,
            validation,
            training.of_members(members),
            seeds,
            n_classes=len(split.classes),
            weight=weight,
            checkpoints=kept.steps,
            checkpoint_members=sum(member < kept.members for member in members),
            on_epoch=on_epoch,
            threads=threads,
        )

    return in_halves(train_some, range(training.members))


def calibrate(network: PackedNetwork, split: Split, X: RowSource) -> tuple[Blend, np.ndarray]:
    """A trained pack as a blend with a temperature, and its probabilities (V, C) of the validation fold's rows.

    The temperature of the mean logits is fitted on these rows (Guo et al. 2017).
    """
    validation = split.rows(Fold.VALIDATION)
    parts = torch.from_numpy(validation).to(X.device).split(CALIBRATED_ROWS)
    weight = None if split.weight is None else torch.from_numpy(split.weight[validation])
    blend = Blend([network]).to(X.device).eval()
    with torch.inference_mode():
        # One pack: the mean over members is all that is needed, and chunks bound the memory of a forward pass.
        logits = torch.cat([blend.logits(X[part])[0].mean(0, keepdim=True) for part in parts], 1)
        blend.temperatures[0] = temperature(logits[0].cpu(), torch.from_numpy(split.y[validation]), weight)
        return blend, blend.blended([logits]).cpu().numpy()


def _build(
    architecture: Architecture, split: Split, X: RowSource, members: Sequence[int], seeds: Sequence[int]
) -> PackedNetwork:
    return architecture.of_members(members).build(X.shape[1], len(split.classes), seeds).to(X.device)


def _of(state: dict[str, Tensor], members: Tensor) -> dict[str, Tensor]:
    return {name: value[members] for name, value in state.items()}


def _checkpoints(trained: TrainingResult, survivors: Tensor) -> dict[int, dict[str, Tensor]]:
    """The survivors' states at the steps that were reached, the last one being the end."""
    end = int(trained.history["step"][-1])
    reached = sorted({min(step, end): state for step, state in trained.checkpoints.items()}.items())
    checkpoints = {}
    for step, state in reached:
        members = len(next(iter(state.values())))
        held = survivors[survivors < members]
        if len(held):
            chosen = state if len(held) == members else _of(state, held)
            checkpoints[step] = {name: value.cpu() for name, value in chosen.items()}
    return checkpoints
