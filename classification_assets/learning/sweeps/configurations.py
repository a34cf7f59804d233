"""Configurations of a sweep: one choice of every hyper-parameter, as it is declared and as packs need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from classification_assets.learning.declaration import broken_rules
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed.options import Training
from classification_assets.learning.seeds import SWEPT
from classification_assets.learning.sweeps.space import Value, architecture_and_training

PER_MEMBER = ("learning_rate", "weight_decay", "label_smoothing", "input_noise", "mixup")
"""Training options of which a pack holds one number a member."""

Shape = tuple[Any, ...]
"""Everything that members of a pack have in common."""


@dataclass(frozen=True)
class Configuration:
    """A choice of every hyper-parameter.

    Attributes
    ----------
    index : int
        Counted from 0 in the order in which they were drawn.
    values : dict
        The space's hyper-parameters that this configuration has.
    architecture : MLP
    training : Training
        Of numbers alone, not of one number a member.
    """

    index: int
    values: Mapping[str, Value]
    architecture: MLP
    training: Training

    @classmethod
    def of(
        cls, index: int, values: Mapping[str, Value], architecture: MLP, training: Training
    ) -> Configuration:
        """The configuration of some values.

        Raises
        ------
        ValueError
            If the values do not fit together.
        """
        try:
            chosen, options = architecture_and_training(values, architecture, training)
        except ValidationError as error:
            raise ValueError(
                f"the space holds a configuration that cannot be built, {dict(values)}: "
                f"{broken_rules(error, 'architecture')}"
            ) from error
        return cls(index, values, chosen, options)

    @property
    def shape(self) -> Shape:
        """Everything that networks of one pack must have in common."""
        own = self.architecture
        return own.hidden, own.activation, own.normalization, own.residual, self.training.batch_size

    def row(self) -> dict[str, Any]:
        """Its hyper-parameters as the columns `result.HYPERPARAMETERS`."""
        hidden, own, options = self.architecture.hidden, self.architecture, self.training
        return {
            "depth": len(hidden),
            "width": max(hidden, default=0),
            "hidden": column_value("hidden", hidden),
            "activation": own.activation,
            "normalization": own.normalization,
            "residual": own.residual,
            "learning_rate": options.learning_rate,
            "weight_decay": options.weight_decay,
            "dropout": own.dropout,
            "label_smoothing": options.label_smoothing,
            "input_noise": options.input_noise,
            "mixup": options.mixup,
            "batch_size": column_value("batch_size", options.batch_size),
        }


def column_value(name: str, value: Any) -> Any:
    """A hyper-parameter's value as it stands in its column: shapes are text, and all rows in one batch are 0."""
    if name == "hidden":
        return "-".join(map(str, value)) or "none"
    return value or 0 if name == "batch_size" else value


@dataclass(frozen=True)
class Member:
    """A network of a configuration.

    Attributes
    ----------
    configuration : Configuration
    repeat : int
        Which of its seeds.
    fold : int
        Which rows it does not learn from.
    seed : int
        The network's own.
    """

    configuration: Configuration
    repeat: int
    fold: int
    seed: int

    @property
    def name(self) -> tuple[int, int, int]:
        """Numbers that tell it from all others of a sweep."""
        return self.configuration.index, self.repeat, self.fold


def members_of(
    configuration: Configuration, repeats: Sequence[int], folds: int, seed: int
) -> Iterator[Member]:
    """A configuration's networks: one a repeat and a fold, each of a seed of its own."""
    for repeat in repeats:
        for fold in range(folds):
            sequence = np.random.SeedSequence([seed, SWEPT, configuration.index, repeat, fold])
            yield Member(configuration, repeat, fold, int(sequence.generate_state(1)[0]))


def pack_of(members: Sequence[Member], drops: bool) -> tuple[MLP, Training]:
    """The architecture and the training of a pack of members of one shape, with one number a member.

    Where a sweep `drops` at all, every network has a layer for it, since layers are known by their place: a rate of 0
    multiplies by 1, which changes no bit.
    """
    first = members[0].configuration
    dropout = tuple(float(member.configuration.architecture.dropout) for member in members)  # type: ignore[arg-type]
    options = {
        name: tuple(float(getattr(member.configuration.training, name)) for member in members)
        for name in PER_MEMBER
    }
    architecture = first.architecture.replaced(dropout=dropout if drops else 0.0)
    return architecture, first.training.replaced(members=len(members), **options)
