"""Packed fits: many ensembles, of many architectures' options and folds, trained in packs and asked for probabilities.

Shapes: E ensembles, K members of a pack, N rows, V rows of a validation fold, Q rows that are asked about, C classes.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import torch
from torch import Tensor, nn

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.models.blend import softmax
from classification_assets.learning.models.calibration import temperatures
from classification_assets.learning.packed.arithmetic import threads_for
from classification_assets.learning.packed.memory import in_parts
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.torch_state import usual_state
from classification_assets.learning.packed.training import steps_an_epoch, train
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.sweeps.configurations import PER_MEMBER
from classification_assets.learning.sweeps.packs import logits_of

_MOST = 64
"""Networks of a pack: more of them cost on a CPU what they add."""

_MANY = 256
"""Networks from which on processes beside this one are worth their start."""


@dataclass(frozen=True)
class Rows:
    """Rows of one fold of a search, prepared.

    Attributes
    ----------
    X : array (N, D) float32
        Features, as networks see them.
    y : array (N,) int64
    weight : array (N,) float32 or None
    train, validation : arrays of indices
    n_classes : int
    asked : tuple of arrays (Q, D) float32
        Features of the rows whose probabilities are wanted.
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    train: np.ndarray
    validation: np.ndarray
    n_classes: int
    asked: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, split: Split, asked: Sequence[np.ndarray]) -> Rows:
        """Rows of a split; `asked` are encoded rows."""
        learned = split.preprocessing
        validation = split.rows(Fold.VALIDATION)
        if split.weight is not None:
            validation = validation[split.weight[validation] > 0]
        return cls(
            learned.features(split.X),
            split.y,
            split.weight,
            split.rows(Fold.TRAIN),
            validation,
            len(split.classes),
            tuple(learned.features(rows) for rows in asked),
        )


@dataclass(frozen=True)
class Ensemble:
    """An ensemble that is wanted: its network, its options, and the number of its `Rows`."""

    architecture: MLP
    training: Training
    rows: int

    def shape(self, rows: Rows) -> Any:
        """Everything that ensembles of one pack have in common."""
        options = self.training.model_dump(exclude={*PER_MEMBER, "members", "seed"})
        batch = self.training.batch_size
        # As many rows a mini-batch as the fewest of a pack's members have: folds of which it takes all keep apart.
        alone = self.rows if batch is None or batch >= len(rows.train) else None
        # An epoch of a pack is that of its fewest rows: folds of other sizes keep apart, too.
        steps = steps_an_epoch(len(rows.train), batch)
        own = self.architecture.model_dump(include={"hidden", "activation", "normalization", "residual"})
        sizes = (rows.X.shape[1], rows.n_classes, rows.weight is None, len(rows.validation) == 0)
        return (*own.values(), *options.values(), self.architecture.dropout != 0, *sizes, alone, steps)


@dataclass(frozen=True)
class Answer:
    """Probabilities (Q, C) float32 of an ensemble for each of the rows asked about, and its share of the seconds.

    There are none if one of its networks diverged.
    """

    probabilities: tuple[np.ndarray, ...]
    seconds: float


def answers(
    ensembles: Sequence[Ensemble],
    rows: Sequence[Rows],
    device: str,
    n_jobs: int | None = None,
    on_pack: Callable[[list[int]], None] | None = None,
) -> list[Answer]:
    """Train ensembles in packs; an answer for each, in their order.

    Parameters
    ----------
    ensembles : sequence of E Ensembles
    rows : sequence of Rows
        By their numbers.
    device : str
    n_jobs : int, optional
        Processes; by default as many as there are cores if there is enough to do, and one on a GPU.
    on_pack : callable, optional
        Called with the places in `ensembles` of those that a pack has trained.
    """
    packs = list(_packs(ensembles, rows))
    networks = sum(ensemble.training.members for ensemble in ensembles)
    if device != "cpu":
        n_jobs = 1
    elif n_jobs is None:
        n_jobs = joblib.cpu_count() if networks >= _MANY else 1
    threads = 1 if joblib.effective_n_jobs(n_jobs) > 1 else None
    found: dict[int, Answer] = {}
    calls = (
        joblib.delayed(_trained)(
            [ensembles[index] for index in pack],
            {ensembles[index].rows: rows[ensembles[index].rows] for index in pack},
            device,
            threads,
        )
        for pack in packs
    )
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator", batch_size=1)(calls)
    for pack, result in zip(packs, results, strict=True):
        found |= dict(zip(pack, result, strict=True))
        if on_pack is not None:
            on_pack(pack)
    return [found[index] for index in range(len(ensembles))]


def _packs(ensembles: Sequence[Ensemble], rows: Sequence[Rows]) -> Iterator[list[int]]:
    """Indices of ensembles that are trained together, the largest networks first."""
    shapes = defaultdict[Any, list[int]](list)
    for index, ensemble in enumerate(ensembles):
        shapes[ensemble.shape(rows[ensemble.rows])].append(index)
    by_size = sorted(shapes.values(), key=lambda found: -sum(ensembles[found[0]].architecture.hidden))
    for alike in by_size:
        together = max(1, _MOST // ensembles[alike[0]].training.members)
        parts = -(-len(alike) // together)
        for part in np.array_split(np.array(alike), parts):
            yield part.tolist()


@usual_state()
def _trained(
    ensembles: Sequence[Ensemble], rows: dict[int, Rows], device: str, threads: int | None
) -> list[Answer]:
    """Ensembles of one shape, in one pass: in halves if the memory asks for it."""

    def some(chosen: Sequence[int]) -> list[Answer]:
        own = [ensembles[index] for index in chosen]
        with threads_for(_multiplications(own, rows), threads):
            return _train(own, rows, device, threads)

    parts = in_parts(some, range(len(ensembles)), one="one ensemble")
    return [answer for part in parts for answer in part]


def _train(
    ensembles: Sequence[Ensemble], rows: dict[int, Rows], device: str, threads: int | None
) -> list[Answer]:
    started = time.perf_counter()
    numbers = sorted({ensemble.rows for ensemble in ensembles})
    starts = dict(zip(numbers, np.cumsum([0, *(len(rows[number].y) for number in numbers)]), strict=False))
    X = _joined([rows[number].X for number in numbers], device)
    y = _joined([rows[number].y for number in numbers], device)
    weights = [weight for number in numbers if (weight := rows[number].weight) is not None]
    members = [(ensemble, seed) for ensemble in ensembles for seed in ensemble.training.seeds]
    options = {name: _each(ensembles, name) for name in PER_MEMBER}
    training = ensembles[0].training.replaced(members=len(members), **options)
    first, seeds = ensembles[0].architecture, [seed for _, seed in members]
    architecture = first.replaced(dropout=_each(ensembles, "dropout") if first.dropout else 0.0)
    C = rows[numbers[0]].n_classes
    result = train(
        architecture.build(X.shape[1], C, seeds).to(device),
        X,
        y,
        [rows[ensemble.rows].train + starts[ensemble.rows] for ensemble, _ in members],
        [rows[ensemble.rows].validation + starts[ensemble.rows] for ensemble, _ in members],
        training,
        seeds,
        n_classes=C,
        weight=_joined(weights, device) if weights else None,
        threads=threads,
        own_rates=True,
    )
    # Members that have stopped are no longer in the network that was trained.
    network = architecture.build(X.shape[1], C, seeds).to(device)
    network.load_state_dict(result.state)
    diverged = (result.best_step < 0).view(len(ensembles), -1).any(1).tolist()
    probabilities = _probabilities(network, [ensemble.rows for ensemble in ensembles], rows, device)
    seconds = (time.perf_counter() - started) / len(ensembles)
    return [
        Answer(() if failed else each, seconds) for failed, each in zip(diverged, probabilities, strict=True)
    ]


def _multiplications(ensembles: Sequence[Ensemble], rows: dict[int, Rows]) -> int:
    """Multiplications of a forward pass over a mini-batch, roughly."""
    first = ensembles[0]
    own = rows[first.rows]
    values = first.architecture.n_weights(own.X.shape[1], own.n_classes)
    batch = min(first.training.batch_size or len(own.train), len(own.train))
    return sum(ensemble.training.members for ensemble in ensembles) * values * batch


def _probabilities(
    network: nn.Module, number_of: Sequence[int], rows: dict[int, Rows], device: str
) -> list[tuple[np.ndarray, ...]]:
    """Calibrated probabilities of ensembles, of which `number_of` tells the rows: all members of a network."""
    validation = {number: own.X[own.validation] for number, own in rows.items()}
    temperature = torch.ones(len(number_of), dtype=torch.float32)
    if all(map(len, validation.values())):
        logits = _mean_logits(network, number_of, validation, device)
        for number, own in rows.items():
            places = torch.tensor([place for place, its in enumerate(number_of) if its == number])
            weight = np.ones(len(own.y), np.float32) if own.weight is None else own.weight
            temperature[places] = temperatures(
                logits[places, : len(own.validation)].double(),
                torch.from_numpy(own.y[own.validation]),
                torch.from_numpy(weight[own.validation] / weight[own.validation].mean()),
            ).float()
    asked = []
    for part in range(len(next(iter(rows.values())).asked)):
        wanted = {number: own.asked[part] for number, own in rows.items()}
        logits = _mean_logits(network, number_of, wanted, device)
        p = softmax(logits / temperature.view(-1, 1, 1)).numpy()
        asked.append([each[: len(wanted[number])] for each, number in zip(p, number_of, strict=True)])
    return list(zip(*asked, strict=True))


def _mean_logits(
    network: nn.Module, number_of: Sequence[int], X: dict[int, np.ndarray], device: str
) -> Tensor:
    """Mean logits (E, Q, C) on the CPU of each ensemble's rows; the shorter ones are filled up with any row."""
    starts = dict(zip(X, np.cumsum([0, *map(len, X.values())]), strict=False))
    longest = max(map(len, X.values()))
    index = np.stack([starts[number] + np.arange(longest) % len(X[number]) for number in number_of])
    members = next(network.parameters()).shape[0] // len(number_of)
    logits = logits_of(network, _joined(list(X.values()), device), index.repeat(members, 0))
    return logits.view(len(number_of), members, *logits.shape[1:]).mean(1)


def _each(ensembles: Sequence[Ensemble], name: str) -> tuple[float, ...]:
    """A number a member: its ensemble's."""
    numbers = []
    for ensemble in ensembles:
        source = ensemble.architecture if name == "dropout" else ensemble.training
        value, members = getattr(source, name), ensemble.training.members
        numbers += list(value) if isinstance(value, tuple) else [float(value)] * members
    return tuple(numbers)


def _joined(arrays: Sequence[np.ndarray], device: str) -> Tensor:
    return torch.from_numpy(arrays[0] if len(arrays) == 1 else np.concatenate(arrays)).to(device)
