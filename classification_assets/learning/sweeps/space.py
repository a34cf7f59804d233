"""Space of a sweep: which values each hyper-parameter may take, as a person declares it. Light to import."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from classification_assets.learning.declaration import Declaration, broken_rules, field_error
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed.options import Training

Value = bool | int | float | str | None | tuple[int, ...]
"""A hyper-parameter's value."""

Condition = Mapping[str, tuple[Value, ...]]
"""Values of other hyper-parameters with which one has a use; without them it keeps its default."""


class Choices(Declaration):
    """Some values, all alike."""

    choices: tuple[Value, ...] = Field(description="The values.")
    when: dict[str, tuple[Value, ...]] = Field(
        default_factory=dict, description="Only with these values of others: {normalization: [none]}."
    )

    @model_validator(mode="after")
    def _differ(self) -> Choices:
        if not self.choices:
            raise field_error(type(self), "choices", "there must be at least one value, got none", ())
        for index, choice in enumerate(self.choices):
            if choice in self.choices[:index] and type(choice) in map(type, self.choices[:index]):
                raise field_error(
                    type(self), "choices", f"{choice!r} is there twice, got {list(self.choices)}", choice
                )
        return self

    def at(self, share: float, whole: bool) -> Value:
        """The value at a share of the way from the first (0) to the last (1, exclusive)."""
        return self.choices[min(int(share * len(self.choices)), len(self.choices) - 1)]

    def grid(self, whole: bool) -> tuple[Value, ...] | None:
        """All values; None if there is no end of them."""
        return self.choices

    def extremes(self) -> tuple[Value, ...]:
        """The values that a rule must hold for, so that it holds for all."""
        return self.choices


class Range(Declaration):
    """All numbers between two, both included."""

    low: float = Field(description="The smallest value.")
    high: float = Field(description="The largest value.")
    log: bool = Field(
        False, description="Drawn by the order of magnitude: 0.001 to 0.01 as often as 0.01 to 0.1."
    )
    steps: int | None = Field(None, ge=2, description="Values of a grid, evenly apart; only a grid needs it.")
    when: dict[str, tuple[Value, ...]] = Field(
        default_factory=dict, description="Only with these values of others: {normalization: [none]}."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low >= self.high:
            raise field_error(
                type(self), "low", f"low must be below high, got {self.low:g} and {self.high:g}", self.low
            )
        if self.log and self.low <= 0:
            raise field_error(
                type(self), "low", f"low must be above 0 where log is true, got {self.low:g}", self.low
            )
        return self

    def at(self, share: float, whole: bool) -> Value:
        """The number at a share of the way from the lowest (0) to the highest (1), a whole one if wanted."""
        # Every whole number is as likely as another: the ends' halves count in full.
        low, high = (self.low - 0.5, self.high + 0.5) if whole else (self.low, self.high)
        if self.log:
            number = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            number = low + share * (high - low)
        number = min(max(number, self.low), self.high)
        return round(number) if whole else number

    def grid(self, whole: bool) -> tuple[Value, ...] | None:
        """`steps` numbers evenly apart, by their order of magnitude where `log` is set; None without `steps`."""
        if self.steps is None:
            return None
        ends = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        numbers = [ends[0] + step * (ends[1] - ends[0]) / (self.steps - 1) for step in range(self.steps)]
        numbers = [math.exp(number) for number in numbers] if self.log else numbers
        numbers[0], numbers[-1] = self.low, self.high
        return tuple(dict.fromkeys(round(number) for number in numbers)) if whole else tuple(numbers)

    def extremes(self) -> tuple[Value, ...]:
        """The values that a rule must hold for, so that it holds for all."""
        return self.low, self.high


def _declared(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return Choices(choices=tuple(_value(each) for each in value))
    if isinstance(value, dict) and "choices" in value and isinstance(value["choices"], list | tuple):
        return Choices.model_validate(value | {"choices": tuple(_value(each) for each in value["choices"])})
    if isinstance(value, dict):
        return Range.model_validate(value)
    if isinstance(value, Choices | Range):
        return value
    return Choices(choices=(value,))


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Parameter = Annotated[
    Choices | Range,
    BeforeValidator(_declared, json_schema_input_type=Choices | Range | list[Any] | float | bool | str),
]
"""A hyper-parameter's values: one value, a list of them, or ``{low: 0.001, high: 0.1, log: true}``."""

_WHOLE = frozenset({"depth", "width", "batch_size"})
_OF_ARCHITECTURE = ("hidden", "activation", "normalization", "residual", "dropout")
OF_TRAINING = ("learning_rate", "weight_decay", "label_smoothing", "input_noise", "mixup", "batch_size")
_CATEGORICAL = frozenset({"hidden", "activation", "normalization", "residual"})


class Space(Declaration):
    """Hyper-parameters and the values that each may take; those that are left out keep their default."""

    whole: ClassVar[frozenset[str]] = _WHOLE
    """Hyper-parameters that are whole numbers."""

    categorical: ClassVar[frozenset[str]] = _CATEGORICAL
    """Hyper-parameters that have no order."""

    depth: Parameter | None = Field(None, description="Hidden layers; 0 is a linear model.")
    width: Parameter | None = Field(None, description="Units of each hidden layer.")
    hidden: Parameter | None = Field(
        None, description="Instead of depth and width: lists of units, [[16], [32, 16]]."
    )
    activation: Parameter | None = Field(None, description="See the architecture's.")
    normalization: Parameter | None = Field(None, description="See the architecture's.")
    residual: Parameter | None = Field(None, description="See the architecture's.")
    learning_rate: Parameter | None = Field(None, description="See the training's.")
    weight_decay: Parameter | None = Field(None, description="See the training's.")
    dropout: Parameter | None = Field(None, description="See the architecture's.")
    label_smoothing: Parameter | None = Field(None, description="See the training's.")
    input_noise: Parameter | None = Field(None, description="See the training's.")
    mixup: Parameter | None = Field(None, description="See the training's.")
    batch_size: Parameter | None = Field(None, description="See the training's.")

    @model_validator(mode="after")
    def _can_be_built(self) -> Space:
        if not self.parameters():
            known = ", ".join(type(self).model_fields)
            raise ValueError(f"at least one hyper-parameter is needed, got none; known are: {known}")
        if self.hidden is not None and (self.depth is not None or self.width is not None):
            raise field_error(
                type(self), "hidden", "hidden stands instead of depth and width, got both", self.hidden
            )
        for name, parameter in self.parameters().items():
            if name in _CATEGORICAL and isinstance(parameter, Range):
                message = f"{name} needs a list of values, got a range"
                raise field_error(type(self), name, message, parameter)
            self._check_condition(name, parameter)
            for value in parameter.extremes():
                self._check(name, value)
        return self

    def parameters(self) -> dict[str, Choices | Range]:
        """The hyper-parameters that are searched, by name, in the order of their fields."""
        return {
            name: parameter
            for name in type(self).model_fields
            if (parameter := getattr(self, name)) is not None
        }

    def _check_condition(self, name: str, parameter: Choices | Range) -> None:
        before = list(type(self).model_fields)[: list(type(self).model_fields).index(name)]
        for other, values in parameter.when.items():
            searched = self.parameters().get(other)
            if searched is None:
                message = (
                    f"when: {other} is not in the space and cannot decide about {name}, got {parameter.when}"
                )
                raise field_error(type(self), name, message, parameter.when)
            if other not in before:
                message = (
                    f"when: {name} may depend on what stands before it in ({', '.join(before)}), got {other}"
                )
                raise field_error(type(self), name, message, parameter.when)
            if isinstance(searched, Range):
                message = f"when: {other} must have a list of values, got a range"
                raise field_error(type(self), name, message, parameter.when)
            if never := [value for value in values if value not in searched.choices]:
                message = f"when: {other} is never {never[0]!r}; its values are {list(searched.choices)}"
                raise field_error(type(self), name, message, parameter.when)

    def _check(self, name: str, value: Value) -> None:
        if name in _WHOLE and not (name == "batch_size" and value is None):
            least = 0 if name == "depth" else 1
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or value != int(value)
                or value < least
            ):
                message = f"must be a whole number of at least {least}, got {value!r}"
                raise field_error(type(self), name, message, value)
            value = int(value)
        try:
            if name == "depth":
                MLP(hidden=(1,) * int(value))  # type: ignore[arg-type]
            elif name == "width":
                MLP(hidden=(value,))
            elif name in _OF_ARCHITECTURE:
                # Of one width only where it is told so: `residual` alone fits the default's.
                MLP.model_validate({name: value})
            else:
                Training.model_validate({name: value})
        except ValidationError as error:
            raise field_error(
                type(self), name, broken_rules(error, "", without=(name,)).lstrip(": "), value
            ) from error


def architecture_and_training(
    values: Mapping[str, Value], architecture: MLP, training: Training
) -> tuple[MLP, Training]:
    """The architecture and the training with a configuration's values in place of their own.

    Raises
    ------
    pydantic.ValidationError
        If values do not fit together.
    """
    depth = values.get("depth", len(architecture.hidden) or 1)
    width = values.get("width", max(architecture.hidden, default=16))
    shape = {"hidden": (width,) * depth} if {"depth", "width"} & set(values) else {}  # type: ignore[operator]
    shape |= {name: values[name] for name in _OF_ARCHITECTURE if name in values}
    options = {name: values[name] for name in OF_TRAINING if name in values}
    return architecture.replaced(**shape), training.replaced(**options)
