"""Declarations: frozen, strict, and worded so that YAML and run configuration agree."""

import re
from collections.abc import Callable, Collection
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Annotated, Any, ClassVar, Self, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

_NAME = re.compile(r"[a-z0-9_]+")
MAX_NAME = 60


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise ValueError(
            f"a name is 1 to {MAX_NAME} lower-case letters, digits and underscores ([a-z0-9_]+), got {name!r}"
        )
    return name


Name = Annotated[str, AfterValidator(_checked_name)]
"""The name of an experiment or an architecture; it becomes a part of asset keys and of paths."""


Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""A seed of random numbers."""


def _checked_import_path(path: str) -> str:
    module, _, name = path.partition(":")
    if not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise ValueError(f"an import path reads package.module:name, got {path!r}")
    return path


ImportPath = Annotated[str, AfterValidator(_checked_import_path)]
"""Where a person's own class or function is."""


def imported(path: str, what: str) -> Callable[..., Any]:
    """The class or function that an import path names; `what` needs it, for messages.

    Raises
    ------
    ValueError
        If the module cannot be imported, or holds nothing of that name that can be called.
    """
    module, _, name = path.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{what}: path {path!r} names nothing: {error}") from error
    if not callable(found):
        raise ValueError(f"{what}: path {path!r} names {found!r}, which cannot be called")
    return found


class Declaration(BaseModel):
    """Base of everything that a person declares: immutable, and an unknown field is an error."""

    fixed: ClassVar[frozenset[str]] = frozenset()
    """Fields that no run may set otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, value: Any) -> Any:
        # Pydantic's own message for an extra field does not say which ones there are.
        unknown = (
            [field for field in value if field not in cls.model_fields] if isinstance(value, dict) else []
        )
        if unknown:
            near = get_close_matches(str(unknown[0]), cls.model_fields, n=1)
            advice = f"did you mean {near[0]!r}? " if near else ""
            raise field_error(
                cls,
                unknown[0],
                f"there is no such field; {advice}known are: {', '.join(cls.model_fields)}",
                value[unknown[0]],
            )
        return value

    @model_validator(mode="before")
    @classmethod
    def _lists_are_lists(cls, value: Any) -> Any:
        # Pydantic asks for a tuple, which YAML does not know.
        for name in _lists_of(cls) if isinstance(value, dict) else ():
            if isinstance(given := value.get(name), str | float | int):
                raise field_error(cls, name, f"a list is needed, as in [{given}], got {given!r}", given)
        return value

    def replaced(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated like a declaration written by hand.

        Raises
        ------
        pydantic.ValidationError
            If a field is unknown or its value breaks one of the declaration's rules.
        """
        declared = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self).model_validate(declared | changes)


@cache
def _lists_of(model: type[BaseModel]) -> list[str]:
    """Fields that are lists: the thousand configurations of a sweep would each look again."""
    return [name for name, info in model.model_fields.items() if get_origin(info.annotation) is tuple]


def broken_rules(error: ValidationError, where: str, without: Collection[str] = ()) -> str:
    """An error in one line: each field (or else `where`), the rule, and the value; `without` are no fields."""
    told = []
    for problem in error.errors():
        field = ".".join(str(part) for part in problem["loc"] if part not in without) or where
        # Messages of our own already name the value.
        value = "" if re.search(r", (got|but) ", problem["msg"]) else f", got {problem['input']!r}"
        told.append(f"{field}: {problem['msg'].removeprefix('Value error, ')}{value}")
    return "; ".join(told)


def field_error(
    model: type[BaseModel], field: str, message: str, value: Any, *, within: str | None = None
) -> ValidationError:
    """An error for a model's validator to raise that is reported of one field, or one `within` it, not of all."""
    # Of the standard types, the only one that carries a message of one's own; Dagster knows only those.
    detail = InitErrorDetails(
        type="value_error",
        loc=(field,) if within is None else (field, within),
        input=value,
        ctx={"error": ValueError(message)},
    )
    return ValidationError.from_exception_data(model.__name__, [detail])


def points_within(schema: dict[str, Any]) -> None:
    """Have JSON schema of a field that may be null tell what is wrong inside of its declaration.

    For `json_schema_extra` of a field. Of alternatives (anyOf), validators such as that of ``dg check yaml`` say that
    none fits, and point at the whole field.
    """
    (declared,) = [option for option in schema.pop("anyOf") if option != {"type": "null"}]
    schema |= {"if": {"not": {"type": "null"}}, "then": declared}


def bounded(rule: Callable[[float], bool], words: str) -> AfterValidator:
    """A rule for a hyper-parameter that is one number, or one number a member."""

    def check(value: float | tuple[float, ...]) -> float | tuple[float, ...]:
        numbers = value if isinstance(value, tuple) else (value,)
        if wrong := [number for number in numbers if not rule(number)]:
            raise ValueError(f"must be {words}, got {wrong[0]}")
        return value

    return AfterValidator(check)
