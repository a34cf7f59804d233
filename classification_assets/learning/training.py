"""Training a packed network: every member in one pass, each with its own rows, noise and early stopping.

Shapes: K members, N rows, D features, C classes, B rows a mini-batch, E epochs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from classification_assets.learning.architectures import Training
from classification_assets.learning.batches import (
    BLOCK_BYTES,
    Augmentation,
    RowStream,
    Standardized,
    Targets,
    batches,
)
from classification_assets.learning.gradients import Gradient, gradient_for
from classification_assets.learning.optimizer import MemberAdamW
from classification_assets.learning.packed import per_member, select_members

Rows = np.ndarray | Sequence[np.ndarray]
OnEpoch = Callable[[int, int, dict[str, Tensor]], Tensor | None]

_COMPACT_AT = 1 / 8
_ONE_THREAD_BELOW = 2**23


@dataclass(frozen=True)
class Trained:
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
    X: Tensor | Standardized,
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
) -> Trained:
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
    fold = _ValidationFold(X, y, _for_each(validation, K), weight)
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
    best = _States(network, K)
    seen = K if checkpoint_members is None else checkpoint_members
    kept = {0: best.of_first(seen)} if 0 in checkpoints else {}
    history: list[dict[str, Tensor]] = []
    step = 0

    with _threads_for(B * optimizer.values.numel(), threads), _denormals_flushed():
        while step < last:
            network.train()
            total = torch.zeros(len(active), device=device)
            with _products_in(training.precision, device):
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
    return Trained(
        state=best.of_all(),
        best_step=best_step,
        history={name: torch.stack([entry[name] for entry in history]).cpu() for name in history[0]},
        checkpoints=kept,
    )


def steps_an_epoch(n_rows: int, batch_size: int | None) -> int:
    """Mini-batches that so many rows fill."""
    return max(1, round(n_rows / min(batch_size or n_rows, n_rows)))


class _States:
    """A state a member, kept beside the pack and for all K members, whoever has left."""

    def __init__(self, network: nn.Module, n_members: int) -> None:
        self.full = {name: value.clone() for name, value in network.state_dict().items()}
        self.pack = {name: value.clone() for name, value in self.full.items()}
        self.active = torch.arange(n_members, device=next(iter(self.full.values())).device)

    def take(self, network: nn.Module, chosen: Tensor) -> None:
        """Take over the states of the members of the pack that are chosen (K,) bool."""
        for name, value in network.state_dict().items():
            own = self.pack[name]
            torch.where(chosen.view(-1, *[1] * (value.ndim - 1)), value, own, out=own)

    def compact(self, keep: Tensor) -> None:
        """Follow the pack, of which the members `keep` stay."""
        self._scatter()
        self.pack = {name: value[keep] for name, value in self.pack.items()}
        self.active = self.active[keep]

    def of_all(self) -> dict[str, Tensor]:
        """The states of all K members."""
        self._scatter()
        return {name: value.clone() for name, value in self.full.items()}

    def of_first(
        self, n_members: int, network: nn.Module | None = None, running: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The states of the first members; of those of a network's pack that are running (K',) bool, its own."""
        pack = self.pack
        if network is not None and running is not None:
            pack = {
                name: torch.where(running.view(-1, *[1] * (value.ndim - 1)), value, pack[name])
                for name, value in network.state_dict().items()
            }
        n_all, here = len(next(iter(self.full.values()))), self.active < n_members
        if len(self.active) == n_all:
            return {name: value[:n_members].clone() for name, value in pack.items()}
        self._scatter()
        states = {name: value[:n_members].clone() for name, value in self.full.items()}
        for name, value in pack.items():
            states[name][self.active[here]] = value[here]
        return states

    def _scatter(self) -> None:
        for name, value in self.pack.items():
            self.full[name][self.active] = value


class _ValidationFold:
    """Scores a packed network on each member's validation rows, in chunks of bounded size."""

    def __init__(
        self, X: Tensor | Standardized, y: Tensor, rows: Sequence[np.ndarray], weight: Tensor | None
    ) -> None:
        shared = all(own is rows[0] for own in rows)
        longest = max(len(own) for own in rows)
        index = np.zeros((1 if shared else len(rows), longest), np.int64)
        counts = np.zeros(index.shape, np.float32)
        for position, own in enumerate(rows[: len(index)]):
            index[position, : len(own)] = own
            counts[position, : len(own)] = 1
        self.n_members, self.X, self.y = len(rows), X, y
        self.index = torch.from_numpy(index).to(X.device)
        self.counts = torch.from_numpy(counts).to(X.device)
        if weight is not None:
            self.counts = self.counts * weight[self.index]

    @property
    def empty(self) -> bool:
        return self.index.shape[1] == 0

    @torch.no_grad()
    def score(self, network: nn.Module, n_classes: int) -> tuple[Tensor, Tensor]:
        """Each member's mean log loss and accuracy, (K,) and (K,); NaN on an empty fold."""
        network.eval()
        K = self.n_members
        loss, right = torch.zeros(K, device=self.X.device), torch.zeros(K, device=self.X.device)
        chunk = max(1, BLOCK_BYTES // (4 * K * (self.X.shape[1] + 4 * n_classes)))
        for index, counts in zip(self.index.split(chunk, 1), self.counts.split(chunk, 1), strict=True):
            x = self.X[index].transpose(1, 2).contiguous().expand(K, -1, -1)
            logits = network(x.transpose(1, 2)).transpose(1, 2)
            target = self.y[index].unsqueeze(1).expand(K, -1, -1)
            chosen = logits.gather(1, target).squeeze(1)
            loss += ((logits.logsumexp(1) - chosen) * counts).sum(1)
            # argmax over so short an axis is slow; the label has the largest logit if none is larger.
            right += ((chosen >= logits.amax(1)) * counts).sum(1)
        total = self.counts.sum(1)
        return loss / total, right / total

    def selected(self, keep: Tensor) -> _ValidationFold:
        chosen = object.__new__(_ValidationFold)
        chosen.__dict__.update(self.__dict__, n_members=len(keep))
        if len(self.index) > 1:
            chosen.index, chosen.counts = self.index[keep], self.counts[keep]
        return chosen


def _gradient(network: nn.Module, optimizer: MemberAdamW, training: Training) -> Gradient:
    return gradient_for(
        network,
        optimizer.parameters,
        optimizer.gradients,
        precision=training.precision,
        compile=training.compile,
    )


@contextmanager
def _threads_for(multiplications: int, chosen: int | None) -> Iterator[None]:
    """One thread for a small step: there, waking a second one costs more than it computes."""
    before = torch.get_num_threads()
    torch.set_num_threads(chosen or (1 if multiplications < _ONE_THREAD_BELOW else before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _denormals_flushed() -> Iterator[None]:
    """Numbers below 1e-38 count as 0: a CPU takes some 30 times longer over them, and dying units make many."""
    already = float(torch.tensor(1e-39) * 1) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(already)


@contextmanager
def _products_in(precision: str, device: torch.device) -> Iterator[None]:
    """Products of float32 on CUDA rounded to TF32, if that is wanted; on a CPU nothing changes."""
    if precision != "tf32" or device.type != "cuda":
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


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
