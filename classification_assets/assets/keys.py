"""Keys of assets: which asset is meant by `split`, by an architecture's `model`, by all `models` of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from classification_assets.experiment import NamedExperiment
from classification_assets.learning.models.architectures import Architecture

Key = Sequence[str]

COMPARISON = "comparison"
"""The first part of the keys of what spans all experiments."""

_PLURALS = {
    "models": "model",
    "evaluations": "evaluation",
    "surfaces": "surface",
    "boundaries": "boundary",
    "evolutions": "evolution",
}


def as_text(key: Key) -> str:
    """A key as Dagster writes it: ``moons/deep_relu/model``."""
    return "/".join(key)


def key_of(experiment: NamedExperiment, kind: str, architecture: Architecture | None = None) -> list[str]:
    """The key of an experiment's asset of a kind, or of one of its architectures'."""
    return [experiment.name, *([] if architecture is None else [architecture.name]), kind]


def inputs_of(
    experiment: NamedExperiment, names: Sequence[str], architecture: Architecture | None = None
) -> dict[str, Key | Mapping[str, Key]]:
    """The keys that are meant by the names of an asset's inputs.

    A kind in the plural (`models`) means those of all architectures, by their names; a kind that architectures have
    means that of `architecture`; any other the experiment's own.
    """
    keys: dict[str, Key | Mapping[str, Key]] = {}
    for name in names:
        if name in _PLURALS:
            keys[name] = {
                each.name: key_of(experiment, _PLURALS[name], each)
                for each in experiment.tried
                if each.keeps_snapshots or name != "evolutions"
            }
        else:
            keys[name] = key_of(experiment, name, architecture if name in _PLURALS.values() else None)
    return keys


def of_experiments(experiments: Sequence[NamedExperiment], kind: str) -> dict[str, Key]:
    """The keys of all experiments' assets of a kind, by the experiments' names."""
    return {experiment.name: key_of(experiment, kind) for experiment in experiments}


def of_all_architectures(experiments: Sequence[NamedExperiment], kind: str) -> dict[str, Key]:
    """The keys of all architectures' assets of a kind, by `experiment/architecture`."""
    return {
        f"{experiment.name}/{architecture.name}": key_of(experiment, kind, architecture)
        for experiment in experiments
        for architecture in experiment.tried
    }
