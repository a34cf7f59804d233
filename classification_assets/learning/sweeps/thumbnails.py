"""Thumbnails: where the best network of each depth and width decides what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from classification_assets.learning.evaluation.plane import planes_of
from classification_assets.learning.evaluation.view import View
from classification_assets.learning.packed.arithmetic import threads_for
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.sweeps.configurations import pack_of
from classification_assets.learning.sweeps.pack_files import states
from classification_assets.learning.sweeps.packs import probabilities_of
from classification_assets.learning.sweeps.records import Records
from classification_assets.learning.sweeps.result import Thumbnails

SIDE = 48
"""Points along each side."""

MOST = 64
"""Shapes, at most: those of the best scores."""


def thumbnails(records: Records, split: Split, folder: Path, drops: bool) -> Thumbnails | None:
    """One network of the best configuration of each depth and width, on the plane that boundary figures show.

    None where that plane has one axis only.
    """
    best: dict[tuple[int, int], int] = {}
    scored = records.best(len(records.scores))
    # Those that were trained longest first: scores of different epochs are never compared.
    for index in sorted(scored, key=lambda index: -records.networks[index][0].epochs):
        row = records.configuration(index).row()
        best.setdefault((row["depth"], row["width"]), index)
    plane = planes_of(split, View())[0]
    if not best or not all(plane.names):
        return None
    shapes = sorted(sorted(best, key=lambda shape: list(best).index(shape))[:MOST])
    rows, points = records.judge.rows, plane.grid(SIDE).astype(np.float32)
    found = []
    for shape in shapes:
        record = records.networks[best[shape]][0]
        seen_by = split.preprocessing
        if rows.folds > 1:
            fold = record.member.fold
            seen_by, _ = seen_by.relearned(split.X, rows.learned[fold] - fold * len(split.y))
        X = torch.from_numpy(seen_by.features(points))
        architecture, _ = pack_of([record.member], drops)
        network = architecture.build(X.shape[1], len(split.classes), [record.member.seed])
        key, place = record.lies
        network.load_state_dict(
            {name: value[place : place + 1] for name, value in states(folder, key).items()}
        )
        # Left to itself, PyTorch would wake a thread a core for a picture that one paints in a millisecond.
        with threads_for(len(X) * architecture.n_weights(X.shape[1], len(split.classes)), None):
            found.append(probabilities_of(network, X, np.arange(len(X))[None])[0].numpy())
    probabilities = np.stack(found).reshape(len(found), SIDE, SIDE, -1).astype(np.float16)
    return Thumbnails(
        np.array([depth for depth, _ in shapes]),
        np.array([width for _, width in shapes]),
        np.array([best[shape] for shape in shapes]),
        probabilities,
        plane.extent,
        plane.names,
        tuple(str(label) for label in split.classes),
    )
