"""Training options of a pack, as a person declares them. Light to import."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from classification_assets.learning.declaration import Declaration, Seed, bounded, field_error
from classification_assets.learning.seeds import MEMBERS_APART


def _number_or_many(value: object) -> object:
    # Of alternatives pydantic tells what is wrong with each, in the words of a program.
    for number in value if isinstance(value, list | tuple) else (value,):
        try:
            finite = math.isfinite(float(number))
        except (TypeError, ValueError, OverflowError):
            finite = False
        if not finite:
            raise ValueError(f"must be a finite number, got {number!r}")
    return value


PerMember = Annotated[
    float | tuple[float, ...],
    BeforeValidator(_number_or_many, json_schema_input_type=float | tuple[float, ...]),
]
Rate = Annotated[PerMember, bounded(lambda number: 0 <= number < 1, "at least 0 and below 1")]

Positive = Annotated[PerMember, bounded(lambda number: number > 0, "above 0")]

NonNegative = Annotated[PerMember, bounded(lambda number: number >= 0, "at least 0")]


class Training(Declaration):
    """Options of the training of a pack of networks.

    A hyper-parameter typed ``float | tuple`` is one number for all members, or one number a member (as many as
    ``members``), which is all that a sweep needs.
    """

    members: int = Field(
        8, ge=1, le=4096, description="Networks trained in one pass, differing by their seeds."
    )
    max_epochs: int = Field(200, ge=1, description="Passes over the training fold, at most.")
    batch_size: int | None = Field(64, ge=1, description="Rows a mini-batch; null is the full training fold.")
    learning_rate: Positive = Field(0.01, description="AdamW's peak learning rate.")
    weight_decay: NonNegative = Field(0.0001, description="Decoupled weight decay.")
    schedule: Literal["cosine", "constant"] = Field("cosine", description="Learning rate over the epochs.")
    early_stopping: bool = Field(
        True,
        description="Each member stops when its validation log loss no longer falls, and keeps its best state.",
    )
    patience: int = Field(
        30, ge=1, description="Epochs without a better validation log loss before a member stops."
    )
    label_smoothing: Rate = Field(0.0, description="Share of the target spread over all classes.")
    input_noise: NonNegative = Field(
        0.0, description="Augmentation: Gaussian noise on the inputs, in standard deviations of each feature."
    )
    mixup: NonNegative = Field(
        0.0, description="Augmentation: alpha of mixup's Beta(alpha, alpha); 0 is off (Zhang et al. 2018)."
    )
    precision: Literal["float32", "tf32", "bfloat16"] = Field(
        "float32",
        description="Precision of matrix products in training: tf32 changes those on CUDA only, bfloat16 is for wide "
        "networks on hardware that has it. Parameters, losses and predictions stay float32.",
    )
    compile: bool = Field(
        False,
        description="Compile a training step (torch.compile), which takes up to a minute: for long trainings on "
        "CUDA. On a CPU it makes nothing faster.",
    )
    seed: Seed = Field(0, description="Member k is seeded from this seed and k.")

    @model_validator(mode="after")
    def _one_number_a_member(self) -> Training:
        if "members" not in self.model_fields_set:
            return self  # an architecture's own options, whose members the experiment declares
        for name in type(self).model_fields:
            check_one_a_member(self, name, self.members)
        return self

    def of_members(self, members: Sequence[int]) -> Training:
        """The same for some of the members; where there is one number a member, theirs."""
        theirs = {
            name: tuple(value[member] for member in members)
            for name in type(self).model_fields
            if isinstance(value := getattr(self, name), tuple)
        }
        return self.replaced(members=len(members), **theirs)

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """One seed a member; more members leave the seeds of the first ones as they were."""
        return tuple(self.seed * MEMBERS_APART + member for member in range(self.members))


def check_one_a_member(declared: Declaration, field: str, members: int) -> None:
    value = getattr(declared, field)
    if isinstance(value, tuple) and len(value) != members:
        message = f"must be one number, or {members} (one a member), got {len(value)} numbers"
        raise field_error(type(declared), field, message, value)
