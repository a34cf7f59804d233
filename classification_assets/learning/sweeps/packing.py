"""Packing: which networks of a sweep are trained together."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from classification_assets.learning.packed.options import Training
from classification_assets.learning.sweeps.configurations import Configuration, Member, Shape
from classification_assets.learning.sweeps.packs import Name, Task
from classification_assets.learning.sweeps.scored_rows import SweptRows
from classification_assets.learning.sweeps.space import Value, architecture_and_training
from classification_assets.learning.sweeps.sweep import Sweep

FULL = 32
"""Networks of a pack from which on one more costs on a CPU what it adds: so many are waited for."""

_MOST, _MOST_ELSEWHERE = 64, 1024
"""Networks of a pack, at most, on a CPU and on other devices."""

_MOST_NUMBERS = 2**26
"""Numbers that training a pack may take, by an estimate."""


def tasks_of(
    members: Sequence[Member],
    rows: SweptRows,
    until: int,
    device: str,
    fingerprint: str,
    drops: bool,
    lies: Mapping[Name, tuple[str, int]] | None = None,
) -> Iterator[Task]:
    """Packs of members that are trained until an epoch, each of one shape and all of a shape about as full.

    Parameters
    ----------
    members : sequence of Members
    rows : SweptRows
    until : int
    device : str
    fingerprint : str
        What the whole search follows from.
    drops : bool
        See `configurations.pack_of`.
    lies : mapping, optional
        Where each member was paused; they begin without it.
    """
    shapes = defaultdict[Shape, list[Member]](list)
    for member in members:
        shapes[member.configuration.shape].append(member)
    for alike in shapes.values():
        packs = -(-len(alike) // _most(alike[0].configuration, rows, device))
        for part in np.array_split(np.arange(len(alike)), packs):
            chosen = tuple(alike[place] for place in part)
            earlier = () if lies is None else tuple(lies[member.name] for member in chosen)
            # Values as well: another version of a sampler may draw others from the same seed.
            names = [(*member.name, member.seed, dict(member.configuration.values)) for member in chosen]
            yield Task(chosen, until, earlier, hashed(fingerprint, names, until, earlier), drops)


def work_of(task: Task) -> int:
    """Multiplications of a task for each row, roughly."""
    hidden = task.members[0].configuration.architecture.hidden
    return len(task.members) * task.until * (1_000 + sum(units**2 for units in hidden))


def work_at_most(sweep: Sweep, n_rows: int) -> float:
    """Networks × epochs × rows, if all were of the largest shape and trained to their end; wide ones count for more."""
    space = sweep.space.parameters()
    largest: dict[str, Value] = {
        name: int(max(map(float, space[name].extremes())))  # type: ignore[arg-type]
        for name in ("depth", "width")
        if name in space
    }
    own, _ = architecture_and_training(largest, sweep.architecture, Training())
    shapes: Sequence[Any] = space["hidden"].extremes() if "hidden" in space else (own.hidden,)
    squares = max(sum(units**2 for units in hidden) for hidden in shapes)
    return sweep.networks * sweep.max_epochs * n_rows * (1 + squares / 4_000)


def hashed(*parts: Any) -> str:
    """A name that follows from all parts, which can be written as JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _most(configuration: Configuration, rows: SweptRows, device: str) -> int:
    widths = [rows.X.shape[1], *configuration.architecture.hidden, rows.n_classes]
    parameters = sum(first * second for first, second in pairwise(widths))
    batch = configuration.training.batch_size or max(map(len, rows.learned))
    # Weights, gradients, moments and copies; of each unit its output and what the gradient needs.
    each = 6 * parameters + 4 * batch * sum(widths)
    return max(1, min(_MOST if device == "cpu" else _MOST_ELSEWHERE, _MOST_NUMBERS // each))
