"""Tuned: the architecture that a sweep finds, one more among those that a person declares. Light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, ValidationError

from classification_assets.learning.declaration import broken_rules
from classification_assets.learning.models.architectures import (
    MLP,
    Activation,
    Architecture,
    Normalization,
)
from classification_assets.learning.packed.options import NonNegative, Positive, Rate, Training
from classification_assets.learning.sweeps.space import OF_TRAINING, architecture_and_training
from classification_assets.learning.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from classification_assets.learning.sweeps.result import SweepResult

TUNED: Final = "tuned"
"""Its name."""

AS_FOUND = "Null: as the sweep has found it."


class OtherTraining(Training):
    """Training options beside those that a sweep may find, which are set by fields of `Tuned`."""

    fixed = frozenset({*OF_TRAINING, "max_epochs"})


class Tuned(Architecture):
    """An MLP whose hyper-parameters are known when its sweep has ended; it is never written by hand.

    A field that is not null stands instead of what was found: a run may set it.
    """

    fixed = frozenset({"sweep"})

    name: Literal["tuned"] = TUNED
    kind: Literal["tuned"] = TUNED
    sweep: Sweep
    hidden: tuple[Annotated[int, Field(ge=1, le=65536)], ...] | None = Field(None, description=AS_FOUND)
    activation: Activation | None = Field(None, description=AS_FOUND)
    normalization: Normalization | None = Field(None, description=AS_FOUND)
    residual: bool | None = Field(None, description=AS_FOUND)
    dropout: Rate | None = Field(None, description=AS_FOUND)
    learning_rate: Positive | None = Field(None, description=AS_FOUND)
    weight_decay: NonNegative | None = Field(None, description=AS_FOUND)
    label_smoothing: Rate | None = Field(None, description=AS_FOUND)
    input_noise: NonNegative | None = Field(None, description=AS_FOUND)
    mixup: NonNegative | None = Field(None, description=AS_FOUND)
    batch_size: int | None = Field(None, ge=1, description=AS_FOUND)
    max_epochs: int | None = Field(None, ge=1, description="Null: as the sweep trained.")

    def trained_with(self, training: Training) -> Training:
        """The experiment's options, with those of the sweep's architecture and the sweep's epochs on top."""
        used = _declared(self.sweep.architecture.trained_with(training))
        # One number a member is for what is searched, and found.
        shared = {name: value for name, value in used.items() if not isinstance(value, tuple)}
        return OtherTraining.model_validate(shared | {"max_epochs": self.sweep.max_epochs})

    def found(self, result: SweepResult, training: Training) -> tuple[MLP, Training]:
        """The architecture that a sweep has found, and the training of its networks.

        Raises
        ------
        ValueError
            If what a run has set does not fit what was found.
        """
        instead = {name: value for name in _FOUND if (value := getattr(self, name)) is not None}
        values = result.summary.values | instead
        declared, fixed = _declared(training), self.sweep.architecture
        options = _declared(fixed.training) | {name: values[name] for name in OF_TRAINING if name in values}
        try:
            return architecture_and_training(
                values,
                fixed.replaced(name=TUNED, training=Training.model_validate(options)),
                Training.model_validate(
                    declared | {"max_epochs": self.max_epochs or result.summary.max_epochs}
                ),
            )
        except ValidationError as error:
            raise ValueError(
                f"{TUNED}: {broken_rules(error, 'architecture')}; the sweep has found {result.summary.values}, "
                f"and the run sets {instead}"
            ) from error


_FOUND = [
    name
    for name in Tuned.model_fields
    if name not in Architecture.model_fields and name not in ("kind", "sweep", "max_epochs")
]
"""Fields that stand instead of what was found."""


def _declared(training: Training) -> dict[str, object]:
    return {name: getattr(training, name) for name in training.model_fields_set}
