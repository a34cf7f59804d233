"""A classifier's parameters as declarations: its architecture, its training, the weights of its classes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter, ValidationError
from sklearn.base import BaseEstimator
from torch import nn

from classification_assets.learning.declaration import broken_rules
from classification_assets.learning.models.architectures import (
    KINDS,
    Architecture,
    ArchitectureChoice,
    Module,
)
from classification_assets.learning.packed.options import Training
from classification_assets.learning.tables.labels import from_json, to_json

_OF_ALL = frozenset({"kind", "name", "device", "training"})
"""Fields of every architecture, which no search is over."""


def declared_architecture(value: Any) -> Architecture:
    """The architecture that a parameter names, declares or, as a class of networks, is.

    Raises
    ------
    ValueError
        If it is none: the message names field and value.
    """
    if _makes_networks(value):
        return Module.of_class(value)
    try:
        return _choice().validate_python(dict(value) if isinstance(value, Mapping) else value)
    except ValidationError as error:
        raise ValueError(broken_rules(error, "architecture", without=KINDS)) from error


def declared_training(classifier: BaseEstimator, seed: int) -> Training:
    """The training options that a classifier's parameters are.

    Raises
    ------
    ValueError
        If one cannot be used: the message names parameter and value.
    """
    try:
        return Training.model_validate(training_options(classifier) | {"seed": seed})
    except ValidationError as error:
        raise ValueError(broken_rules(error, "training")) from error


def training_options(source: object) -> dict[str, Any]:
    """The fields of `Training` that a classifier, or a training, has; all but the seed."""
    return {name: getattr(source, name) for name in Training.model_fields if name != "seed"}


def device_name(device: Any) -> Any:
    """The name of a `torch.device`; anything else as it is."""
    if not isinstance(device, torch.device):
        return device
    return str(device) if device.type == "cuda" else device.type


def warn_of_ignored(classifier: BaseEstimator, architecture: Architecture) -> None:
    """Warn of parameters that are set and without a use for the architecture: a search over them finds nothing."""
    if not architecture.ignores:
        return
    defaults = type(classifier)()
    names = sorted(
        architecture.ignores | ({"validation_fraction"} if architecture.learns_from_validation else set())
    )
    ignored = [
        name
        for name in names
        if getattr(classifier, name) != getattr(defaults, name)
        or name in architecture.training.model_fields_set
    ]
    if ignored:
        warnings.warn(
            f"architecture {architecture.name!r} has no use for {', '.join(ignored)}: it decides that by the number "
            "of rows, and other values change nothing; an architecture such as {'hidden': [16, 16]} uses them",
            UserWarning,
            stacklevel=3,
        )


def with_fields(architecture: Any, changes: Mapping[str, Any]) -> Any:
    """An architecture, in whatever way it is given, with some fields changed; of a class of networks its arguments."""
    if _makes_networks(architecture):
        return partial(architecture, **changes)
    if isinstance(architecture, Mapping):
        return {**architecture, **changes}
    declared = declared_architecture(architecture)
    if isinstance(architecture, str):
        kind = declared.model_dump(include={"kind"})
        return kind | declared.model_dump(exclude_unset=True, exclude={"name"}) | dict(changes)
    try:
        return declared.replaced(**changes)
    except ValidationError as error:
        raise ValueError(broken_rules(error, "architecture")) from error


def fields(architecture: Any) -> dict[str, Any]:
    """The fields of an architecture that a search may be over; none if it cannot be used."""
    try:
        declared = declared_architecture(architecture)
    except ValueError:
        return {}
    if isinstance(declared, Module):
        return (
            dict(declared.arguments) if _makes_networks(architecture) else {"arguments": declared.arguments}
        )
    return {name: getattr(declared, name) for name in type(declared).model_fields if name not in _OF_ALL}


def by_class(
    class_weight: Any, classes: np.ndarray, code: np.ndarray, weight: np.ndarray | None
) -> np.ndarray | None:
    """Row weights (N,), or None where all count alike, times the weight of each row's class.

    Raises
    ------
    ValueError
        If the weights of classes cannot be used.
    """
    if class_weight is None:
        return weight
    rows = np.ones(len(code), np.float32) if weight is None else weight
    if isinstance(class_weight, Mapping):
        labels = classes.tolist()
        if unknown := [label for label in class_weight if label not in labels]:
            raise ValueError(f"class_weight: there is no class {unknown[0]!r}; the classes are {labels}")
        factor = np.array([class_weight.get(label, 1.0) for label in labels], np.float64)
        if (wrong := np.flatnonzero(~(np.isfinite(factor) & (factor > 0)))).size:
            raise ValueError(
                f"class_weight must be above 0 and finite, got {factor[wrong[0]]:g} for class {labels[wrong[0]]!r}"
            )
    elif isinstance(class_weight, str) and class_weight == "balanced":
        factor = rows.sum(dtype=np.float64) / (len(classes) * np.bincount(code, rows, len(classes)))
    else:
        raise ValueError(
            f"class_weight must be None, 'balanced' or weights of labels, as in {{'yes': 2}}, got {class_weight!r}"
        )
    return (rows * factor[code]).astype(np.float32)


def told_class_weight(class_weight: Any) -> Any:
    """The weights of classes as a model's file holds them."""
    if not isinstance(class_weight, Mapping):
        return class_weight
    return [
        [label, float(weight)]
        for label, weight in zip(to_json(list(class_weight)), class_weight.values(), strict=True)
    ]


def class_weight_of(told: Any) -> Any:
    """The weights of classes that a file holds."""
    if not isinstance(told, list):
        return told
    return dict(zip(from_json([label for label, _ in told]), [weight for _, weight in told], strict=True))


@contextmanager
def as_it_was_if_refused(classifier: BaseEstimator) -> Iterator[None]:
    """A fit that fails leaves what the fit before has learned."""
    before = dict(vars(classifier))
    try:
        yield
    except BaseException:
        vars(classifier).clear()
        vars(classifier).update(before)
        raise


def _makes_networks(value: Any) -> bool:
    """Whether a parameter is a class of networks, or another callable that makes one."""
    if isinstance(value, nn.Module):
        raise ValueError(
            f"architecture: hand over the class, as in NeuralClassifier({type(value).__name__}), since each member is "
            f"a network of its own; got a network that is made already ({type(value).__name__})"
        )
    return callable(value) and not (isinstance(value, type) and issubclass(value, Architecture))


@cache
def _choice() -> TypeAdapter[Architecture]:
    return TypeAdapter(ArchitectureChoice)
