"""Training a packed network: every member in one pass, each with its own rows, noise and early stopping.

Shapes: K members, N rows, D features, C classes, B rows a mini-batch, E epochs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from classification_assets.learning.packed.arithmetic import denormals_flushed, products_in, threads_for
from classification_assets.learning.packed.batches import (
    Augmentation,
    RowSource,
    RowStream,
    Targets,
    batches,
)
from classification_assets.learning.packed.early_stopping import MemberStates, ValidationFold
from classification_assets.learning.packed.gradients import Gradient, gradient_for
from classification_assets.learning.packed.networks.members import per_member, select_members
from classification_assets.learning.packed.optimizer import MemberAdamW
from classification_assets.learning.packed.options import Training

Rows = np.ndarray | Sequence[np.ndarray]
OnEpoch = Callable[[int, int, dict[str, Tensor]], Tensor | None]

_COMPACT_AT = 1 / 8


@dataclass(frozen=True)
class TrainingResult:
    """What training a pack gives.

    Attributes
    ----------
    state : dict of str to Tensor (K, ...)
        Each member's best state (its last one without early stopping).
    best_step : Tensor (K,)
        The step of that state; -1 where the member's loss was not finite.
    history : dict of str to Tensor
        ``step`` (E,); ``train_loss``, ``validation_loss``, ``validation_accuracy`` (E, K), NaN after a
        member has left.
    checkpoints : dict of int to state
        The pack's states at the steps asked for; a member that has stopped shows its best one from then on,
        and at the end so does every member.
    """

    state: dict[str, Tensor]
    best_step: Tensor
    history: dict[str, Tensor]
    checkpoints: dict[int, dict[str, Tensor]]


def train(
    network: nn.Module,
    X: RowSource,
    y: Tensor,
    rows: Rows,
    validation: Rows,
    training: Training,
    seeds: Sequence[int],
    *,
    n_classes: int,
    weight: Tensor | None = None,
    checkpoints: Collection[int] = (),
    checkpoint_members: int | None = None,
    on_epoch: OnEpoch | None = None,
    epoch_steps: int | None = None,
    threads: int | None = None,
    betas: tuple[float, float] = (0.9, 0.999),
    warmup: float = 0.0,
) -> TrainingResult:
    """Train a packed network with AdamW on the cross-entropy of soft targets.

    Parameters
    ----------
    network : nn.Module
        (K, B, D) to logits (K, B, C); its parameters are trained in place.
    X : Tensor (N, D) float32, y : Tensor (N,) int64
        All rows, on the network's device.
    rows, validation : array of indices, or K of them
        What members learn from, and what stops them; an empty validation stops nobody.
    training : Training
    seeds : sequence of K ints
        Row order, noise and mixup of a member come from its seed alone.
    weight : Tensor (N,), optional
        Row weights; each member's training rows' weights are scaled to a mean of 1.
    checkpoints : collection of int
        Steps (counted in mini-batches) whose state is kept, taken at the end of their epoch; 0 is the start.
    checkpoint_members : int, optional
        Of how many of the first members; by default of all.
    on_epoch : callable, optional
        ``on_epoch(step, last_step, entry)`` after each epoch; may return a mask (K,) of members to stop.
    epoch_steps : int, optional
        Mini-batches an epoch; by default as many as the rows fill.
    threads : int, optional
        Of the CPU; by default one for small steps, and PyTorch's number for others.
    betas : two floats
        AdamW's.
    warmup : float
        Share of the steps in which the learning rate rises from 0.
    """
    K, device = len(seeds), X.device
    rows = rows.astype(np.int32) if isinstance(rows, np.ndarray) else rows
    streams = [RowStream(own, seed) for own, seed in zip(_for_each(rows, K), seeds, strict=True)]
    shortest = min(len(stream.rows) for stream in streams)
    B = min(training.batch_size or shortest, shortest)
    epoch_steps = epoch_steps or steps_an_epoch(shortest, training.batch_size)
    last = training.max_epochs * epoch_steps

    targets = Targets(
        n_classes, weight, _mean_weights(weight, rows, K), per_member(training.label_smoothing, K).to(device)
    )
    augmentation = Augmentation(training, seeds).to(device)
    fold = ValidationFold(X, y, _for_each(validation, K), weight)
    chooses = training.early_stopping and not fold.empty
    optimizer = MemberAdamW(
        network, per_member(training.learning_rate, K), per_member(training.weight_decay, K), betas
    )
    gradient = _gradient(network, optimizer, training)

    active = torch.arange(K, device=device)
    stopped = torch.zeros(K, dtype=torch.bool, device=device)
    failed = torch.zeros(K, dtype=torch.bool, device=device)
    best_loss = torch.full((K,), math.inf, device=device)
    best_step = torch.full((K,), -1, dtype=torch.int64, device=device)
    best = MemberStates(network, K)
    seen = K if checkpoint_members is None else checkpoint_members
    kept = {0: best.of_first(seen)} if 0 in checkpoints else {}
    history: list[dict[str, Tensor]] = []
    step = 0

    with threads_for(B * optimizer.values.numel(), threads), denormals_flushed():
        while step < last:
            network.train()
            total = torch.zeros(len(active), device=device)
            with products_in(training.precision, device):
                for drawn in batches(X, y, streams, epoch_steps, B, targets, augmentation):
                    total += gradient(*drawn)
                    optimizer.step(_rate_factor(training.schedule, step, last, warmup))
                    step += 1
            train_loss = total / epoch_steps
            validation_loss, accuracy = fold.score(network, n_classes)
            entry = {
                "train_loss": train_loss,
                "validation_loss": validation_loss,
                "validation_accuracy": accuracy,
            }
            entry = {name: _scattered(value, active, ~stopped, K) for name, value in entry.items()}
            history.append({"step": torch.tensor(step)} | entry)
            asked = on_epoch(step, last, entry) if on_epoch else None

            running = ~stopped
            # The validation loss also tells of what the epoch's last step ruined.
            broken = running & ~(train_loss + (0 if fold.empty else validation_loss)).isfinite()
            failed[active[broken]] = True
            stopped |= broken
            if chooses:
                better = running & ~broken & (validation_loss < best_loss[active])
                best_loss[active] = torch.where(better, validation_loss, best_loss[active])
                best_step[active] = torch.where(better, step, best_step[active])
                stopped |= step - best_step[active] >= training.patience * epoch_steps
            if asked is not None:
                stopped |= asked.to(device)[active]
            n_stopped = int(stopped.sum())
            finished = step == last or n_stopped == len(active)
            if not chooses:
                # Nothing chooses a state, so a member keeps the one that it leaves with.
                better = running & ~broken & (stopped | finished)
                best_step[active] = torch.where(better, step, best_step[active])
            if chooses or n_stopped or finished:
                best.take(network, better)
            if finished:
                break
            if due := [wanted for wanted in checkpoints if step - epoch_steps < wanted <= step]:
                kept |= dict.fromkeys(due, best.of_first(seen, network, ~stopped))
            # What is compiled stays as large as it is: compiling it anew would take longer than it saves.
            if not training.compile and n_stopped and n_stopped >= _COMPACT_AT * len(active):
                keep = (~stopped).nonzero().squeeze(1)
                network = select_members(network, keep)
                optimizer = optimizer.selected(network, keep)
                gradient = _gradient(network, optimizer, training)
                augmentation, targets = augmentation.selected(keep), targets.selected(keep)
                fold = fold.selected(keep)
                streams = [streams[index] for index in keep.tolist()]
                active, stopped = active[keep], stopped[keep]
                best.compact(keep)

    best_step[failed] = -1
    if unreached := [wanted for wanted in checkpoints if wanted not in kept]:
        kept |= dict.fromkeys(unreached, best.of_first(seen))
    return TrainingResult(
        state=best.of_all(),
        best_step=best_step,
        history={name: torch.stack([entry[name] for entry in history]).cpu() for name in history[0]},
        checkpoints=kept,
    )


def steps_an_epoch(n_rows: int, batch_size: int | None) -> int:
    """Mini-batches that so many rows fill."""
    return max(1, round(n_rows / min(batch_size or n_rows, n_rows)))


def _gradient(network: nn.Module, optimizer: MemberAdamW, training: Training) -> Gradient:
    return gradient_for(
        network,
        optimizer.parameters,
        optimizer.gradients,
        precision=training.precision,
        compile=training.compile,
    )


def _rate_factor(schedule: str, step: int, last: int, warmup: float) -> float:
    risen = min(1.0, (step + 1) / (warmup * last)) if warmup else 1.0
    return risen if schedule == "constant" else risen * 0.5 * (1 + math.cos(math.pi * step / last))


def _for_each(rows: Rows, n_members: int) -> Sequence[np.ndarray]:
    return [rows] * n_members if isinstance(rows, np.ndarray) else rows


def _mean_weights(weight: Tensor | None, rows: Rows, n_members: int) -> Tensor | None:
    """The mean weight of each member's training rows, (K,)."""
    if weight is None:
        return None
    own = [rows] if isinstance(rows, np.ndarray) else rows
    means = [weight[torch.from_numpy(np.asarray(index)).long().to(weight.device)].mean() for index in own]
    return torch.stack(means).expand(n_members)


def _scattered(value: Tensor, active: Tensor, running: Tensor, n_members: int) -> Tensor:
    full = torch.full((n_members,), math.nan, device=value.device)
    full[active[running]] = value[running]
    return full.cpu()


ROWS = 2**14
"""Rows of the validation fold in one forward pass."""


UNSTABLE = ("learning_rate", "weight_decay", "input_noise")
"""Options of which a high value lets no network be trained."""


def failure(
    name: str, trained: TrainingResult, training: Training, X: RowSource, rows: np.ndarray
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
