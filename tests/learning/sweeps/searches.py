"""Small sweeps, and what of two results must be the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd

from classification_assets.learning.sweeps.sweep import Sweep

SPACE = {
    "depth": [1, 2],
    "width": [5, 8],
    "activation": ["relu", "silu"],
    "normalization": ["none", "batch"],
    "learning_rate": {"low": 0.001, "high": 0.3, "log": True},
    "dropout": {"low": 0, "high": 0.4, "when": {"normalization": ["none"]}},
}


def small(networks: int = 18, space: dict | None = None, **options) -> Sweep:
    """A sweep that takes a second."""
    quick = {"max_epochs": 9, "first_epochs": 1, "finalists": 2, "repeats": 2}
    return Sweep.model_validate({"networks": networks, "space": space or SPACE} | quick | options)


def assert_same(one, other):
    """Two results are the same in everything but the time they took."""
    pd.testing.assert_frame_equal(
        one.networks.drop(columns="seconds"), other.networks.drop(columns="seconds"), check_exact=True
    )
    pd.testing.assert_frame_equal(one.finalists, other.finalists, check_exact=True)
    assert repr(dataclasses.replace(one.summary, seconds=0)) == repr(
        dataclasses.replace(other.summary, seconds=0)
    )
    assert (one.thumbnails.probabilities == other.thumbnails.probabilities).all()


class StoppedError(Exception):
    """A search that was stopped from outside."""


def after(packs: int):
    """Stops a search after so many packs."""
    left = [packs]

    def on_progress(*_):
        left[0] -= 1
        if left[0] == 0:
            raise StoppedError

    return on_progress


def files(folder: Path) -> set[str]:
    """Packs of a folder."""
    return {path.name for path in folder.glob("*.safetensors") if not path.name.startswith(".")}
