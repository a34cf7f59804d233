"""The plain recipe: one network a seed, stopped by the validation fold and calibrated on it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from classification_assets.learning.architectures import Architecture, Training
from classification_assets.learning.batches import Standardized
from classification_assets.learning.blend import Blend, Fitted, Provenance
from classification_assets.learning.folds import Fold
from classification_assets.learning.halves import in_halves
from classification_assets.learning.moments import moments
from classification_assets.learning.split import Split
from classification_assets.learning.training import OnEpoch, Trained, steps_an_epoch, train

ROWS = 2**14
"""Rows of the validation fold in one forward pass."""

COPIED_BYTES = 2**26
"""Up to this a table is standardized once, above it a block at a time, which takes no second table's memory."""

UNSTABLE = ("learning_rate", "weight_decay", "input_noise")
"""Options of which a high value lets no network be trained."""


def fit(
    architecture: Architecture,
    split: Split,
    training: Training,
    seeds: Sequence[int],
    device: str = "cpu",
    on_epoch: OnEpoch | None = None,
    threads: int | None = None,
) -> Fitted:
    """Train an ensemble of one architecture.

    Members whose loss stopped being finite are left out. The temperature of the mean logits is fitted on
    the validation fold (Guo et al. 2017). Some moments of the training are kept as checkpoints, see `moments`.

    Raises
    ------
    FloatingPointError
        If no member could be trained.
    """
    n_classes = len(split.classes)
    X = features_of(split, device)
    y = torch.from_numpy(split.y).to(device)
    weight = None if split.weight is None else torch.from_numpy(split.weight).to(device)
    rows, validation = split.rows(Fold.TRAIN), split.rows(Fold.VALIDATION)
    counting = validation if split.weight is None else validation[split.weight[validation] > 0]

    def packed(members: Sequence[int]) -> nn.Module:
        own = [seeds[member] for member in members]
        return architecture.of_members(members).build(X.shape[1], n_classes, own).to(device)

    epoch_steps = steps_an_epoch(len(rows), training.batch_size)

    def train_some(members: Sequence[int]) -> Trained:
        network = packed(members)
        kept = moments(network, len(seeds), training.max_epochs, epoch_steps)
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
    return Fitted(
        state={name: value.detach().cpu() for name, value in blend.state_dict().items()},
        provenance=Provenance(
            architecture=architecture,  # pyright: ignore[reportArgumentType]
            training=training,
            packs=(tuple(int(seeds[index]) for index in survivors.tolist()),),
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


def _checkpoints(trained: Trained, survivors: Tensor) -> dict[int, dict[str, Tensor]]:
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


def failure(
    name: str, trained: Trained, training: Training, X: Tensor | Standardized, rows: np.ndarray
) -> FloatingPointError:
    """What to say when no member of an architecture could be trained."""
    scale = X[torch.from_numpy(rows[:ROWS]).to(X.device)].abs().amax().item()
    fields = {field: Training.model_fields[field].default for field in UNSTABLE}
    high = {field: usual for field, usual in fields.items() if np.max(getattr(training, field)) > usual}
    lower = high or {"learning_rate": np.max(training.learning_rate) / 10}
    advice = [
        f"lower {field} ({getattr(training, field)}), to {value:.3g} say" for field, value in lower.items()
    ]
    return FloatingPointError(
        f"{name}: the losses of all {len(trained.best_step)} networks stopped being finite within "
        f"{int(trained.history['step'][-1])} steps, the largest input being {scale:.3g}; {'; '.join(advice)}"
    )


def features_of(split: Split, device: str) -> Tensor | Standardized:
    """What networks see of a split's rows, (N, D), on a device."""
    if 4 * len(split.X) * split.preprocessing.width <= COPIED_BYTES:
        return torch.from_numpy(split.preprocessing.features(split.X)).to(device)
    with warnings.catch_warnings():
        # A table that was read may not be written to, which nobody does.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        X = torch.from_numpy(split.X).to(device)
    return Standardized(X, split.preprocessing.arithmetic)


def temperature(logits: Tensor, y: Tensor, weight: Tensor | None = None) -> float:
    """The temperature in [1/20, 20] with the lowest log loss of logits (N, C), of rows of a weight (N,) each.

    A prior of (2 / N) log² keeps a small fold without a single error from asking for certainty; N counts rows
    whose weight is above 0. The temperature is never worse than 1 on these rows, and is 1 without rows.
    """
    if weight is not None:
        logits, y, weight = logits[weight > 0], y[weight > 0], weight[weight > 0].double()
    if len(y) == 0:
        return 1.0
    scores, labels = logits.double(), y.long()
    share = torch.full_like(scores[:, 0], 1 / len(y)) if weight is None else weight / weight.sum()

    def loss(log_temperature: float) -> float:
        own = cross_entropy(scores / np.exp(log_temperature), labels, reduction="none")
        return (own * share).sum().item() + 2 / len(labels) * log_temperature**2

    limit = np.log(20)
    found = minimize_scalar(loss, bounds=(-limit, limit), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0
