"""Training of a sweep's packs: networks of one shape, from one rung to the next, with a file of what came of it.

Shapes: K members, V rows that judge, C classes, E epochs.
"""

from __future__ import annotations

import json
import os
import re
import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import gcd, lcm
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from classification_assets.learning.packed.arithmetic import threads_for
from classification_assets.learning.packed.batches import BLOCK_BYTES, RowSource
from classification_assets.learning.packed.memory import is_out_of_memory
from classification_assets.learning.packed.paused import PausedPack
from classification_assets.learning.packed.torch_state import usual_state
from classification_assets.learning.packed.training import TrainingResult, steps_an_epoch, train
from classification_assets.learning.sweeps.configurations import Member, pack_of
from classification_assets.learning.sweeps.scored_rows import SweptRows

Name = tuple[int, int, int]
_SUFFIX = ".safetensors"

_FILE = re.compile(r"(\.partial-\d+-)?[0-9a-f]{32}\.safetensors|\.tmp\w+")
"""A pack, one that is being written, or a part of that, by safetensors."""

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
    if (known := _stored(task, folder, rows)) is not None:
        return known
    started = time.perf_counter()
    X = torch.from_numpy(rows.X) if isinstance(rows.X, np.ndarray) else rows.X
    y = torch.from_numpy(rows.y).to(X.device)
    weight = None if rows.weight is None else torch.from_numpy(rows.weight).to(X.device)
    with threads_for(task.multiplications(X.shape[1], rows.n_classes, len(rows.learned[0])), threads):
        parts = _trained(rows, X, y, weight, task, folder, list(range(len(task.members))), threads)
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
    _write(
        folder / f"{task.key}{_SUFFIX}", tensors, {"seconds": seconds, "step": paused.step if paused else 0}
    )
    return _outcome(task, rows, tensors, seconds)


def remove_packs(folder: Path) -> None:
    """Remove the files of packs, finished or not, and the folder unless something else is in it."""
    for path in folder.iterdir():
        if _FILE.fullmatch(path.name):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _curve(parts: Sequence[Tensor]) -> Tensor:
    """Losses (E, K) of parts of a pack; one of which all members diverged ends before the others."""
    epochs = max(map(len, parts))
    return torch.cat(
        [nn.functional.pad(part, (0, 0, 0, epochs - len(part)), value=torch.nan) for part in parts], 1
    )


def states(folder: Path, key: str) -> dict[str, Tensor]:
    """The states (K', ...) of the members of a file whose loss was finite, on the CPU."""
    with safe_open(folder / f"{key}{_SUFFIX}", framework="pt") as file:
        names = [name for name in file.keys() if name.startswith("state/")]  # noqa: SIM118
        return {name.removeprefix("state/"): file.get_tensor(name) for name in names}


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
    return logits_of(network, X, index).softmax(2)


def _trained(
    rows: SweptRows,
    X: RowSource,
    y: Tensor,
    weight: Tensor | None,
    task: Task,
    folder: Path,
    chosen: list[int],
    threads: int | None,
) -> list[tuple[TrainingResult, Tensor]]:
    """Some of a task's members, trained, with their probabilities (K, V, C): in halves if the memory asks for it."""
    try:
        return [_train(rows, X, y, weight, task, folder, chosen, threads)]
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if len(chosen) == 1:
            raise MemoryError(
                f"one network {task.members[chosen[0]].configuration.row()['hidden']} alone does not fit into the "
                "memory; a smaller batch_size or narrower hidden layers need less"
            ) from error
    middle = len(chosen) // 2
    halves = (chosen[:middle], chosen[middle:])
    return [part for half in halves for part in _trained(rows, X, y, weight, task, folder, half, threads)]


def _train(
    rows: SweptRows,
    X: RowSource,
    y: Tensor,
    weight: Tensor | None,
    task: Task,
    folder: Path,
    chosen: list[int],
    threads: int | None,
) -> tuple[TrainingResult, Tensor]:
    places = chosen + chosen[-1:] * (_company(task, len(chosen)) - len(chosen))
    members = [task.members[place] for place in places]
    architecture, training = pack_of(members, task.drops)
    seeds = [member.seed for member in members]
    # As for the fold with the fewest rows, also where this pack has none of it.
    fewest = min(map(len, rows.learned))
    training = training.replaced(batch_size=min(training.batch_size or fewest, fewest))
    network = architecture.build(X.shape[1], rows.n_classes, seeds).to(X.device)
    learned = [rows.learned[member.fold] for member in members]
    scored = [rows.scored[member.fold] for member in members]
    result = train(
        network,
        X,
        y,
        learned[0] if rows.folds == 1 else learned,
        scored,
        training,
        seeds,
        n_classes=rows.n_classes,
        weight=weight,
        threads=threads,
        own_rates=True,
        until=task.until,
        epoch_steps=steps_an_epoch(fewest, training.batch_size),
        paused=_earlier(task, folder, places, X.device) if task.earlier else None,
    )
    V = max(map(len, rows.scored))
    index = np.zeros((1 if rows.folds == 1 else len(members), V), np.int64)
    for place, its_rows in zip(index, scored, strict=False):
        place[: len(its_rows)] = its_rows
    probabilities = probabilities_of(network, X, index)
    return _of_first(result, len(chosen)), probabilities[: len(chosen)]


def _company(task: Task, n: int) -> int:
    """Networks to train in place of n, so that the numbers of none follow from how many it is packed with.

    A pack of one takes other products than a larger one, which round in another way.
    """
    own = task.members[0].configuration.architecture
    whole = lcm(*(_VECTORS // gcd(_VECTORS, units) for units in own.hidden if own.activation in _BY_VECTORS))
    return max(2, -(-n // whole) * whole)


def _earlier(task: Task, folder: Path, places: Sequence[int], device: torch.device) -> PausedPack:
    """The state before a task of its members at some places."""
    packs: dict[str, PausedPack] = {}
    for key, _ in task.earlier:
        if key not in packs:
            with safe_open(folder / f"{key}{_SUFFIX}", framework="pt", device=str(device)) as file:
                tensors = {
                    name: file.get_tensor(name)
                    for name in file.keys()  # noqa: SIM118
                    if name.startswith(("state/", "mean/", "square/"))
                }
                packs[key] = PausedPack.of_tensors(json.loads(file.metadata()["about"])["step"], tensors)
    return PausedPack.joined(
        [packs[task.earlier[place][0]].of_members([task.earlier[place][1]]) for place in places]
    )


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


def _stored(task: Task, folder: Path, rows: SweptRows) -> Outcome | None:
    """The outcome that an earlier attempt has left; None if there is none, or none that can be read."""
    path = folder / f"{task.key}{_SUFFIX}"
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = json.loads((file.metadata() or {}).get("about", "{}"))
        # Training goes on from these numbers: one that has changed on the disk would go unseen.
        if about.get("checksum") != _checksum(tensors):
            return None
        return _outcome(task, rows, tensors, about["seconds"])
    except (SafetensorError, OSError, KeyError, ValueError):
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


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    """A number that follows from every bit of some tensors."""
    found = 0
    for name in sorted(tensors):
        found = zlib.crc32(tensors[name].contiguous().numpy().tobytes(), zlib.crc32(name.encode(), found))
    return found


def _write(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, float]) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    contents = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    try:
        save_file(contents, partial, {"about": json.dumps({**about, "checksum": _checksum(contents)})})
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
