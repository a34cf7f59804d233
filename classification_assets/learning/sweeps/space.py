"""Space of a sweep: which values each hyper-parameter may take, as a person declares it. Light to import."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from numbers import Integral, Real
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

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
            if choice in self.choices[:index]:
                shown = [list(each) if isinstance(each, tuple) else each for each in self.choices]
                message = f"{shown[index]!r} is there twice, got {shown}"
                raise field_error(type(self), "choices", message, choice)
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
    steps: int | None = Field(
        None, ge=2, le=1_000_000, description="Values of a grid, evenly apart; only a grid needs it."
    )
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


def _declared(value: Any, info: ValidationInfo) -> Any:
    name = str(info.field_name)
    if isinstance(value, Range):
        return value
    if isinstance(value, Choices):
        value = value.model_dump()
    if not isinstance(value, dict):
        return Choices(choices=tuple(_plain(name, each) for each in _listed(value)))
    given = dict(value)
    if isinstance(given.get("when"), dict):
        given["when"] = {other: _wanted(other, values) for other, values in given["when"].items()}
    if "choices" not in given:
        for end in ("low", "high"):
            if isinstance(given.get(end), bool):
                raise field_error(Range, end, f"must be a number, got {given[end]}", given[end])
        return Range.model_validate(given)
    if not isinstance(given["choices"], list | tuple):
        message = f"a list is needed, as in [{given['choices']}], got {given['choices']!r}"
        raise field_error(Choices, "choices", message, given["choices"])
    given["choices"] = tuple(_plain(name, each) for each in given["choices"])
    return Choices.model_validate(given)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _wanted(other: str, values: Any) -> tuple[Any, ...]:
    """The values of another hyper-parameter that a condition names; an unknown one is told of later."""
    if other not in Space.model_fields:
        return tuple(_listed(values))
    try:
        return tuple(_plain(other, each) for each in _listed(values))
    except ValueError as error:
        raise ValueError(f"when: {other}: {error}") from error


def _plain(name: str, value: Any) -> Value:
    """A value of a hyper-parameter as it is compared and written: whole numbers as such, lists as tuples."""
    if name == "hidden":
        units = [_number(each) for each in value] if isinstance(value, list | tuple) else [None]
        if not all(_is_whole(each, 1, _MOST["width"]) for each in units):
            known = "each value is a list of units, whole numbers of at least 1 as in [[16], [32, 16]]"
            raise ValueError(f"{known}, got {value!r}")
        return tuple(int(each) for each in units)  # type: ignore[arg-type]
    if isinstance(value, list | tuple):
        raise ValueError(f"each value is a single one, got {list(value)}")
    if name in _CATEGORICAL or (name == "batch_size" and value is None):
        return value
    number = _number(value)
    if number is None or not math.isfinite(number):
        raise ValueError(f"must be a finite number, got {value!r}")
    return int(number) if name in _WHOLE and number == int(number) else number


def _number(value: Any) -> int | float | None:
    """A number, as such or as the text that YAML makes of 1e-3; None of anything else."""
    if isinstance(value, bool) or not isinstance(value, Real | str):
        return None
    try:
        return int(value) if isinstance(value, Integral) else float(value)
    except ValueError:
        return None


def _is_whole(number: float | None, least: int, most: float) -> bool:
    return number is not None and math.isfinite(number) and number == int(number) and least <= number <= most


Parameter = Annotated[
    Choices | Range,
    BeforeValidator(_declared, json_schema_input_type=Choices | Range | list[Any] | float | bool | str),
]
"""A hyper-parameter's values: one value, a list of them, or ``{low: 0.001, high: 0.1, log: true}``."""

_MOST = {"depth": 1000, "width": 65536}
"""The largest number that an architecture allows."""

_WHOLE = frozenset({"depth", "width", "batch_size"})
_OF_ARCHITECTURE = ("hidden", "activation", "normalization", "residual", "dropout")
OF_TRAINING = ("learning_rate", "weight_decay", "label_smoothing", "input_noise", "mixup", "batch_size")
_CATEGORICAL = frozenset({"hidden", "activation", "normalization", "residual"})
OF_HIDDEN_LAYERS = ("width", "activation", "normalization", "residual", "dropout")
"""Hyper-parameters without a use in a network without hidden layers."""


def _told_apart(schema: dict[str, Any]) -> None:
    """Have JSON schema tell what is wrong inside of a range or of choices; see `points_within`."""
    for field in schema["properties"].values():
        options = {option.get("$ref", option.get("type")): option for option in field.pop("anyOf")}
        choices, within = [options.pop(name) for name in list(options) if "/" in name]
        field |= {
            "if": {"type": "object"},
            "then": {"if": {"required": ["choices"]}, "then": choices, "else": within},
            "else": {"anyOf": list(options.values())},
        }


class Space(Declaration):
    """Hyper-parameters and the values that each may take; those that are left out keep their default."""

    model_config = ConfigDict(json_schema_extra=_told_apart)

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

    def parameters(self) -> Mapping[str, Choices | Range]:
        """The hyper-parameters that are searched, by name, in the order of their fields."""
        return self._parameters

    @cached_property
    def _parameters(self) -> Mapping[str, Choices | Range]:
        # Asked for 15 times a configuration.
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in given.items() if value is not None}

    def applies(self, name: str, values: Mapping[str, Value]) -> bool:
        """Whether a hyper-parameter has a use beside values of those that stand before it."""
        when = self.parameters()[name].when
        return all(other in values and values[other] in wanted for other, wanted in when.items())

    def combinations(self) -> Iterator[dict[str, Value]]:
        """Every combination of the values of a grid, once; none if a range has no `steps`."""
        return self._combined({}, list(self.parameters()))

    def _combined(self, values: dict[str, Value], names: Sequence[str]) -> Iterator[dict[str, Value]]:
        if not names:
            yield values
            return
        name, *others = names
        if not self.applies(name, values):
            yield from self._combined(values, others)
            return
        for value in self.parameters()[name].grid(name in _WHOLE) or ():
            yield from self._combined(values | {name: value}, others)

    def _check_condition(self, name: str, parameter: Choices | Range) -> None:
        before = list(type(self).model_fields)[: list(type(self).model_fields).index(name)]
        for other, values in parameter.when.items():
            if not values:
                message = f"when: {other} needs at least one value, got none"
                raise field_error(type(self), name, message, parameter.when)
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
        if name in _WHOLE:
            least, most = 0 if name == "depth" else 1, _MOST.get(name, math.inf)
            if value is not None and not _is_whole(value, least, most):  # type: ignore[arg-type]
                message = f"must be a whole number of at least {least}"
                message += f" and at most {most}" if name in _MOST else ""
                raise field_error(type(self), name, f"{message}, got {value!r}", value)
            return
        if name == "residual" and not isinstance(value, bool):
            raise field_error(type(self), name, f"must be true or false, got {value!r}", value)
        try:
            if name in _OF_ARCHITECTURE:
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
