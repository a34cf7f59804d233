"""The version that serves: the champion's model out of the registry, and the rows that it was promoted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn
from upath import UPath

from classification_assets.learning.artifacts import storage
from classification_assets.learning.artifacts.files import ArtifactError
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.registry.records import Version
from classification_assets.learning.registry.registry import NoVersionError, Registry

MODEL, EVALUATION, REFERENCE, ONNX = (
    "model.safetensors",
    "evaluation.parquet",
    "reference.parquet",
    "model.onnx",
)
"""Files of a version."""


@dataclass(frozen=True)
class Serving:
    """A version, and its model."""

    version: Version
    model: FittedModel


def serving(
    root: UPath, experiment: str, module: Callable[..., nn.Module] | None = None, number: int | None = None
) -> Serving:
    """The champion of an experiment, or another version that is kept.

    Raises
    ------
    NoChampionError, NoVersionError
        If there is none.
    ArtifactError
        If its file is damaged.
    """
    registry = Registry(root, experiment)
    if number is not None:
        return _opened(registry, registry.version(number), module)
    for _ in range(3):
        version = registry.champion()
        try:
            return _opened(registry, version, module)
        except (NoVersionError, FileNotFoundError):
            continue  # replaced, and removed, since the pointer was read
    return _opened(registry, registry.champion(), module)


def stored(registry: Registry, number: int, name: str) -> Any:
    """An artifact among a version's files; None if the version has none of that name."""
    if name not in registry.version(number).files:
        return None
    return storage.load(registry.file(number, name))


def _opened(registry: Registry, version: Version, module: Callable[..., nn.Module] | None) -> Serving:
    model = storage.load(registry.file(version.number, MODEL), module)
    if not isinstance(model, FittedModel):
        raise ArtifactError(f"{registry.folder_of(version.number) / MODEL} holds no model")
    return Serving(version, model)
