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

from classification_assets.learning.packed.active import ActivePack, MemberRows
from classification_assets.learning.packed.arithmetic import denormals_flushed, products_in, threads_for
from classification_assets.learning.packed.batches import RowSource
from classification_assets.learning.packed.early_stopping import EarlyStopping
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.paused import PausedPack

OnEpoch = Callable[[int, int, dict[str, Tensor]], Tensor | None]
"""Called as ``on_epoch(step, last_step, entry)`` after each epoch; see `train`."""

_COMPACT_AT = 1 / 8
"""Share of a pack's members that must have stopped before the pack is made smaller: that takes time, too."""


@dataclass(frozen=True)
class TrainingResult:
    """Each member's best state, and the course of the training.

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
    paused : PausedPack or None
        The members whose loss was finite, in their order, where training was to pause before its end.
    """

    state: dict[str, Tensor]
    best_step: Tensor
    history: dict[str, Tensor]
    checkpoints: dict[int, dict[str, Tensor]]
    paused: PausedPack | None = None


def train(
    network: nn.Module,
    X: RowSource,
    y: Tensor,
    rows: MemberRows,
    validation: MemberRows,
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
    own_rates: bool = False,
    until: int | None = None,
    paused: PausedPack | None = None,
) -> TrainingResult:
    """Train a packed network with AdamW on the cross-entropy of soft targets.

    Parameters
    ----------
    network : nn.Module
        (K, B, D) to logits (K, B, C); its parameters are trained in place.
    X : Tensor (N, D) float32, y : Tensor (N,) int64
        All rows, on the network's device.
    rows, validation : array of indices, or K of them
        Rows that members learn from, and rows that stop them; an empty validation stops nobody.
    training : Training
    seeds : sequence of K ints
        Row order, noise and mixup of a member come from its seed alone.
    weight : Tensor (N,), optional
        Row weights; each member's training rows' weights are scaled to a mean of 1.
    checkpoints : collection of int
        Steps (counted in mini-batches) whose state is kept, taken at the end of their epoch; 0 is the start.
    checkpoint_members : int, optional
        Number of the first members whose checkpoints are kept; by default all.
    on_epoch : callable, optional
        ``on_epoch(step, last_step, entry)`` after each epoch; may return a mask (K,) of members to stop.
    epoch_steps : int, optional
        Mini-batches an epoch; by default as many as the rows fill.
    threads : int, optional
        Threads of the CPU; by default one for small steps, and PyTorch's number for others.
    betas : two floats
        AdamW's decay rates of the gradient's mean and of its square.
    warmup : float
        Share of the steps in which the learning rate rises from 0.
    own_rates : bool
        See `MemberAdamW`: a member's numbers are then the same, bit for bit, whatever rates its pack has. Members
        that have stopped stay in the pack, for smaller ones may round in another way.
    until : int, optional
        The epoch after which training pauses; without early stopping only, which would have to be kept as well.
    paused : PausedPack, optional
        Members whose training goes on; the network's own numbers do not count.

    Raises
    ------
    ValueError
        If a training that pauses stops early, or is to pause before it goes on.
    """
    K, device = len(seeds), X.device
    pack = ActivePack(
        network,
        X,
        y,
        rows,
        validation,
        training,
        seeds,
        n_classes=n_classes,
        weight=weight,
        betas=betas,
        own_rates=own_rates,
    )
    epoch_steps = epoch_steps or steps_an_epoch(pack.fewest_rows, training.batch_size)
    last = training.max_epochs * epoch_steps
    validates = not pack.validation.empty
    patience = training.patience * epoch_steps if training.early_stopping and validates else None
    end = last if until is None else min(last, until * epoch_steps)
    if patience is not None and (end < last or paused is not None):
        raise ValueError("training that pauses needs early_stopping: false, got early_stopping: true")
    if paused is not None:
        if paused.step >= end:
            raise ValueError(
                f"until must be after step {paused.step}, at which members paused, got step {end}"
            )
        pack.resume(paused)
    stopping = EarlyStopping(network, K, end, patience)
    shown = K if checkpoint_members is None else checkpoint_members
    kept = {0: stopping.states.of_first(shown)} if 0 in checkpoints else {}
    history: list[dict[str, Tensor]] = []
    step = paused.step if paused else 0

    multiplications = pack.batch_size * pack.optimizer.flat.values.numel()
    with threads_for(multiplications, threads), denormals_flushed():
        while True:
            pack.network.train()
            total = torch.zeros(len(stopping.active), dtype=torch.float32, device=device)
            with products_in(training.precision, device), pack.mode():
                for x, target in pack.batches(epoch_steps):
                    total += pack.gradient(x, target)
                    pack.optimizer.step(_rate_factor(training.schedule, step, last, warmup))
                    step += 1

            # Of so few numbers the CPU keeps account faster than any other device.
            train_loss = (total / epoch_steps).cpu().numpy()
            validation_loss, accuracy = (score.cpu().numpy() for score in pack.score())
            entry = {
                "train_loss": stopping.of_all(train_loss),
                "validation_loss": stopping.of_all(validation_loss),
                "validation_accuracy": stopping.of_all(accuracy),
            }
            history.append({"step": torch.tensor(step, device="cpu")} | entry)
            asked = on_epoch(step, last, entry) if on_epoch else None

            stopping.update(
                step,
                train_loss,
                validation_loss if validates else None,
                None if asked is None else asked.cpu().numpy(),
            )
            if stopping.finished:
                break
            if due := [wanted for wanted in checkpoints if step - epoch_steps < wanted <= step]:
                kept |= dict.fromkeys(due, stopping.states.of_first(shown, ~stopping.stopped))
            # What is compiled stays as large as it is: compiling it anew would take longer than it saves. And with
            # `own_rates` nobody's numbers may follow from who is left.
            if not training.compile and not own_rates and stopping.stopped_share >= _COMPACT_AT:
                running = np.flatnonzero(~stopping.stopped)
                pack.select(torch.from_numpy(running).to(device))
                stopping.select(pack.network, running)

    if unreached := [wanted for wanted in checkpoints if wanted not in kept]:
        kept |= dict.fromkeys(unreached, stopping.states.of_first(shown))
    return TrainingResult(
        state=stopping.states.of_all(),
        best_step=torch.from_numpy(np.where(stopping.failed, -1, stopping.best_step)),
        history={name: torch.stack([entry[name] for entry in history]) for name in history[0]},
        checkpoints=kept,
        paused=pack.paused(torch.from_numpy(np.flatnonzero(~stopping.stopped)).to(device))
        if step < last and end < last
        else None,
    )


def steps_an_epoch(n_rows: int, batch_size: int | None) -> int:
    """Mini-batches that so many rows fill."""
    return max(1, round(n_rows / min(batch_size or n_rows, n_rows)))


def _rate_factor(schedule: str, step: int, last: int, warmup: float) -> float:
    """The learning rate of a step, as a share of its peak."""
    risen = min(1.0, (step + 1) / (warmup * last)) if warmup else 1.0
    return risen if schedule == "constant" else risen * 0.5 * (1 + math.cos(math.pi * step / last))
