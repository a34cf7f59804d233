"""The plain recipe: one network a seed, stopped by the validation fold and calibrated on it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from classification_assets.learning.models.architectures import Architecture
from classification_assets.learning.models.blend import Blend
from classification_assets.learning.models.calibration import temperature
from classification_assets.learning.models.fitted import FittedModel, Pack, Provenance
from classification_assets.learning.models.snapshots import snapshots
from classification_assets.learning.packed.memory import in_halves
from classification_assets.learning.packed.networks.members import PackedNetwork
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.training import (
    ROWS,
    OnEpoch,
    TrainingResult,
    failure,
    steps_an_epoch,
    train,
)
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split, features_of


def fit(
    architecture: Architecture,
    split: Split,
    training: Training,
    device: str = "cpu",
    on_epoch: OnEpoch | None = None,
    threads: int | None = None,
) -> FittedModel:
    """Train an ensemble of one architecture.

    Members whose loss stopped being finite are left out. The temperature of the mean logits is fitted on
    the validation fold (Guo et al. 2017). Some snapshots of the training are kept as checkpoints, see `snapshots`.

    Raises
    ------
    FloatingPointError
        If no member could be trained.
    """
    n_classes, seeds = len(split.classes), training.seeds
    X = features_of(split, device)
    y = torch.from_numpy(split.y).to(device)
    weight = None if split.weight is None else torch.from_numpy(split.weight).to(device)
    rows, validation = split.rows(Fold.TRAIN), split.rows(Fold.VALIDATION)
    counting = validation if split.weight is None else validation[split.weight[validation] > 0]

    def packed(members: Sequence[int]) -> PackedNetwork:
        own = [seeds[member] for member in members]
        return architecture.of_members(members).build(X.shape[1], n_classes, own).to(device)

    epoch_steps = steps_an_epoch(len(rows), training.batch_size)

    def train_some(members: Sequence[int]) -> TrainingResult:
        network = packed(members)
        kept = snapshots(network, len(seeds), training.max_epochs, epoch_steps)
        return train(
            network,
            X,
            y,
            rows,
            counting,
            training.of_members(members),
            [seeds[member] for member in members],
            n_classes=n_classes,
            weight=weight,
            checkpoints=kept.steps,
            checkpoint_members=sum(member < kept.members for member in members),
            on_epoch=on_epoch,
            threads=threads,
        )

    trained = in_halves(train_some, range(len(seeds)))
    survivors = (trained.best_step >= 0).nonzero().squeeze(1)
    if not len(survivors):
        raise failure(architecture.name, trained, training, X, rows)
    network = packed(survivors.tolist())
    # Taken over, not copied: what was trained in halves may not fit a second time.
    own = trained.state if len(survivors) == len(seeds) else _of(trained.state, survivors)
    network.load_state_dict(own, assign=True)
    blend = Blend([network]).to(device).eval()
    with torch.inference_mode():
        index = torch.from_numpy(validation).to(device)
        # One pack: the mean over members is all that is needed, and its chunks bound what a forward pass holds.
        logits = torch.cat([blend.logits(X[part])[0].mean(0, keepdim=True) for part in index.split(ROWS)], 1)
        counted = None if weight is None else weight[index].cpu()
        blend.temperatures[0] = temperature(logits[0].cpu(), y[index].cpu(), counted)
        validation_probabilities = blend.blended([logits]).cpu().numpy()
    return FittedModel(
        state={name: value.detach().cpu() for name, value in blend.state_dict().items()},
        provenance=Provenance(
            architecture=architecture,  # pyright: ignore[reportArgumentType]
            training=training,
            packs=(Pack(seeds=tuple(int(seeds[index]) for index in survivors.tolist())),),
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
            own = state if len(held) == members else _of(state, held)
            checkpoints[step] = {name: value.cpu() for name, value in own.items()}
    return checkpoints
