"""Training of a sweep's packs: networks of one shape, from one rung to the next, with a file of what came of it.

Shapes: K members, V rows that judge, C classes, E epochs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd, lcm
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from classification_assets.learning.models.blend import softmax
from classification_assets.learning.packed.arithmetic import threads_for
from classification_assets.learning.packed.batches import BLOCK_BYTES, RowSource
from classification_assets.learning.packed.memory import in_parts
from classification_assets.learning.packed.paused import PausedPack
from classification_assets.learning.packed.torch_state import usual_state
from classification_assets.learning.packed.training import TrainingResult, steps_an_epoch, train
from classification_assets.learning.sweeps import pack_files
from classification_assets.learning.sweeps.configurations import Member, pack_of
from classification_assets.learning.sweeps.scored_rows import SweptRows

Name = tuple[int, int, int]

_BY_VECTORS = frozenset({"silu", "gelu"})
"""Activations that a CPU computes in vectors, and the rest of a tensor in a way that rounds otherwise."""

_VECTORS = 32
"""Numbers that such a vector, or two of them, hold."""


@dataclass(frozen=True)
class Task:
    """Members of one shape that are to be trained to a rung.

    Attributes
    ----------
    members : tuple of K Members
    until : int
        The epoch after which they are judged.
    earlier : tuple of K (key, index)
        The file in which each was paused, and its place there; none where they begin.
    key : str
        The name of the file of what comes of it.
    drops : bool
        See `configurations.pack_of`.
    """

    members: tuple[Member, ...]
    until: int
    earlier: tuple[tuple[str, int], ...]
    key: str
    drops: bool

    def multiplications(self, n_features: int, n_classes: int, n_rows: int) -> int:
        """Multiplications of a forward pass over a mini-batch, roughly."""
        first = self.members[0].configuration
        values = first.architecture.n_weights(n_features, n_classes)
        return len(self.members) * values * min(first.training.batch_size or n_rows, n_rows)


@dataclass(frozen=True)
class Outcome:
    """How the members of a task did.

    Attributes
    ----------
    key : str
        The file in which they lie.
    failed : array (K,) bool
        The mask of those whose loss stopped being finite.
    probabilities : list of K arrays (V, C) float32
        Of the rows that judge each.
    curve : array (E, K) float32
        Log loss on these rows after each epoch of the task.
    train_loss : array (K,) float32
        In the last epoch.
    seconds : float
        All of them together took.
    """

    key: str
    failed: np.ndarray
    probabilities: list[np.ndarray]
    curve: np.ndarray
    train_loss: np.ndarray
    seconds: float


@usual_state()
def done(rows: SweptRows, task: Task, folder: Path, device: str, threads: int | None) -> Outcome:
    """The outcome of a task: as its file tells, or by training.

    Raises
    ------
    MemoryError
        If not even one member fits into the memory.
    """
    if (known := _known(task, folder, rows)) is not None:
        return known
    started = time.perf_counter()
    pack = _Pack(rows, task, folder, threads)
    with threads_for(task.multiplications(pack.X.shape[1], rows.n_classes, len(rows.learned[0])), threads):
        own = task.members[0].configuration.row()["hidden"]
        parts = in_parts(pack.trained, range(len(task.members)), one=f"one network {own}")
    tensors: dict[str, Tensor] = {}
    tensors["failed"] = torch.cat([result.best_step < 0 for result, _ in parts]).cpu()
    tensors["curve"] = _curve([result.history["validation_loss"] for result, _ in parts])
    tensors["train_loss"] = torch.cat([result.history["train_loss"][-1] for result, _ in parts])
    tensors["probabilities"] = torch.cat([p for _, p in parts])
    left = [result.paused for result, _ in parts if result.paused is not None and result.paused.n_members]
    paused = PausedPack.joined(left) if left else None
    if paused is not None:
        tensors |= paused.tensors()
    else:
        for name in parts[0][0].state:
            of_all = torch.cat([result.state[name] for result, _ in parts]).cpu()
            tensors[f"state/{name}"] = of_all[~tensors["failed"]]
    seconds = time.perf_counter() - started
    pack_files.write(folder, task.key, tensors, {"seconds": seconds, "step": paused.step if paused else 0})
    return _outcome(task, rows, tensors, seconds)


def _curve(parts: Sequence[Tensor]) -> Tensor:
    """Losses (E, K) of parts of a pack; one of which all members diverged ends before the others."""
    epochs = max(map(len, parts))
    return torch.cat(
        [nn.functional.pad(part, (0, 0, 0, epochs - len(part)), value=torch.nan) for part in parts], 1
    )


def logits_of(network: nn.Module, X: RowSource, index: np.ndarray) -> Tensor:
    """Logits (K, V, C) on the CPU of each member's rows, index (K, V) or (1, V) for all."""
    network.eval()
    K = next(network.parameters()).shape[0]
    chunk = max(1, BLOCK_BYTES // (4 * K * max(X.shape[1], 64)))
    with torch.inference_mode():
        parts = [
            network(X[part].expand(K, -1, -1)).cpu()
            for part in torch.from_numpy(index).to(X.device).split(chunk, 1)
        ]
        return torch.cat(parts, 1)


def probabilities_of(network: nn.Module, X: RowSource, index: np.ndarray) -> Tensor:
    """Probabilities (K, V, C) on the CPU of each member's rows, index (K, V) or (1, V) for all."""
    return softmax(logits_of(network, X, index))


class _Pack:
    """A task that is being trained, its rows on their device.

    Parameters
    ----------
    rows, task, folder, threads
        See `done`.
    """

    def __init__(self, rows: SweptRows, task: Task, folder: Path, threads: int | None) -> None:
        self.rows, self.task, self.folder, self.threads = rows, task, folder, threads
        self.X = torch.from_numpy(rows.X) if isinstance(rows.X, np.ndarray) else rows.X
        self.y = torch.from_numpy(rows.y).to(self.X.device)
        self.weight = None if rows.weight is None else torch.from_numpy(rows.weight).to(self.X.device)

    def trained(self, chosen: Sequence[int]) -> tuple[TrainingResult, Tensor]:
        """Some of the task's members, trained in one pass, with their probabilities (K, V, C)."""
        rows, task = self.rows, self.task
        places = [*chosen, *[chosen[-1]] * (_company(task, len(chosen)) - len(chosen))]
        members = [task.members[place] for place in places]
        architecture, training = pack_of(members, task.drops)
        seeds = [member.seed for member in members]
        # As for the fold with the fewest rows, also where this pack has none of it.
        fewest = min(map(len, rows.learned))
        training = training.replaced(batch_size=min(training.batch_size or fewest, fewest))
        network = architecture.build(self.X.shape[1], rows.n_classes, seeds).to(self.X.device)
        learned = [rows.learned[member.fold] for member in members]
        scored = [rows.scored[member.fold] for member in members]
        result = train(
            network,
            self.X,
            self.y,
            learned[0] if rows.folds == 1 else learned,
            scored,
            training,
            seeds,
            n_classes=rows.n_classes,
            weight=self.weight,
            threads=self.threads,
            own_rates=True,
            until=task.until,
            epoch_steps=steps_an_epoch(fewest, training.batch_size),
            paused=self._earlier(places) if task.earlier else None,
        )
        V = max(map(len, rows.scored))
        index = np.zeros((1 if rows.folds == 1 else len(members), V), np.int64)
        for place, its_rows in zip(index, scored, strict=False):
            place[: len(its_rows)] = its_rows
        probabilities = probabilities_of(network, self.X, index)
        return _of_first(result, len(chosen)), probabilities[: len(chosen)]

    def _earlier(self, places: Sequence[int]) -> PausedPack:
        """The state before the task of its members at some places."""
        earlier = self.task.earlier
        packs = {
            key: pack_files.paused(self.folder, key, self.X.device) for key in {key for key, _ in earlier}
        }
        return PausedPack.joined(
            [packs[earlier[place][0]].of_members([earlier[place][1]]) for place in places]
        )


def _company(task: Task, n: int) -> int:
    """Networks to train in place of n, so that the numbers of none follow from how many it is packed with.

    A pack of one takes other products than a larger one, which round in another way.
    """
    own = task.members[0].configuration.architecture
    whole = lcm(*(_VECTORS // gcd(_VECTORS, units) for units in own.hidden if own.activation in _BY_VECTORS))
    return max(2, -(-n // whole) * whole)


def _of_first(result: TrainingResult, n: int) -> TrainingResult:
    """The first n networks of a pack."""
    running = int((result.best_step[:n] >= 0).sum())
    return TrainingResult(
        state={name: value[:n] for name, value in result.state.items()},
        best_step=result.best_step[:n],
        history={name: value if name == "step" else value[:, :n] for name, value in result.history.items()},
        checkpoints={},
        paused=result.paused and result.paused.of_members(range(running)),
    )


def _known(task: Task, folder: Path, rows: SweptRows) -> Outcome | None:
    """The outcome that an earlier attempt has left, if it has."""
    found = pack_files.stored(folder, task.key)
    try:
        return None if found is None else _outcome(task, rows, found[0], found[1]["seconds"])
    except (KeyError, ValueError):
        return None


def _outcome(task: Task, rows: SweptRows, tensors: dict[str, Tensor], seconds: float) -> Outcome:
    each = [
        p[: len(rows.scored[member.fold])].numpy()
        for p, member in zip(tensors["probabilities"], task.members, strict=True)
    ]
    return Outcome(
        task.key,
        tensors["failed"].numpy(),
        each,
        tensors["curve"].numpy(),
        tensors["train_loss"].numpy(),
        seconds,
    )
