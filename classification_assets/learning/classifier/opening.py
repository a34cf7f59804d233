"""Opening a stored classifier: a file, or an experiment's champion."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from torch import nn

from classification_assets.learning.artifacts import storage as artifacts
from classification_assets.learning.artifacts.root import storage_root
from classification_assets.learning.classifier.estimator import NeuralClassifier, opened
from classification_assets.learning.classifier.options import class_weight_of, training_options
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.registry.serving import serving


def load_classifier(
    path: str | Path, module: Callable[..., nn.Module] | None = None, version: int | None = None
) -> NeuralClassifier:
    """Open what a model asset, or `NeuralClassifier.save`, has stored, or an experiment's champion.

    Fitted again on the same rows, it becomes the same classifier again, byte for byte.

    Parameters
    ----------
    path : path or URL, or the name of an experiment
        A ``.safetensors`` file; or ``moons``: the champion in the storage that the environment names.
    module : callable, optional
        The class of a person's own network: a file never brings code with it.
    version : int, optional
        Of an experiment: another version than the champion.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ArtifactError
        If the file is damaged or holds no classifier, or the experiment has no champion or no such version.
    """
    if is_experiment(path):
        fitted = serving(storage_root(), str(path), module, version).model
    elif version is not None:
        raise ValueError(f"version: only an experiment has versions, got the file {path}")
    else:
        fitted = artifacts.load(path, module)
    if not isinstance(fitted, FittedModel):
        raise artifacts.ArtifactError(f"{path} holds no classifier but a {type(fitted).__name__}")
    training, told = fitted.provenance.training, fitted.provenance.source.estimator
    options = training_options(training)
    options |= {name: told[name] for name in ("validation_fraction",) if name in told}
    options["class_weight"] = class_weight_of(told.get("class_weight"))
    classifier = NeuralClassifier(fitted.provenance.architecture, **options, random_state=training.seed)
    return opened(classifier, fitted)


def is_experiment(path: str | Path) -> bool:
    """Whether an experiment's name is meant, and no file: `moons`, where there is no file of that name."""
    return (
        isinstance(path, str) and re.fullmatch(r"[a-z0-9_]+", path) is not None and not Path(path).is_file()
    )
