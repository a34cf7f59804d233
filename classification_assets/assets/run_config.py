"""Run configuration: a launchpad form made from the declarations, whose values one run may change."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import dagster as dg
from pydantic import ValidationError

from classification_assets.learning.declaration import Declaration, broken_rules

FIXED = frozenset({"name", "kind", "device", "training", "path", "arguments"})
"""Fields that no run may change: names, places of code, and what has a way of its own."""


def run_config(declarations: Mapping[str, Declaration]) -> dg.Field:
    """A configuration with the declarations' fields, all optional, defaulting to what is declared.

    Bounds are not part of it: Dagster would check them only inside the step, and `with_overrides` does.
    """
    fields: list[tuple[str, Any, Any, str]] = []
    for declared in declarations.values():
        for field, info in type(declared).model_fields.items():
            if field not in FIXED | declared.fixed and (form := _form(info.annotation)) is not None:
                value = getattr(declared, field)
                if isinstance(value, tuple) and not _is_a_list(form):
                    form, value = (NoneType, form), None
                fields.append((field, form, value, info.description or ""))
    return _schema(tuple(fields))


@cache
def _schema(fields: tuple[tuple[str, Any, Any, str], ...]) -> dg.Field:
    """One schema for all assets whose forms are the same: the experiments share most architectures."""
    return dg.Field(
        {
            name: dg.Field(
                _config_type(name, form),
                default_value=list(value) if isinstance(value, tuple) else value,
                description=description,
            )
            for name, form, value, description in fields
        }
    )


def _config_type(name: str, form: Any) -> Any:
    match form:
        case (inner_type, inner) if inner_type is NoneType:
            return dg.Noneable(_config_type(name, inner))
        case (inner_type, inner) if inner_type is list:
            return dg.Array(inner)
        case ("one of", *choices):
            return dg.Enum("_or_".join((name, *choices)), [dg.EnumValue(choice) for choice in choices])
        case _:
            return form


def with_overrides(
    declarations: Mapping[str, Declaration], config: Mapping[str, Any]
) -> tuple[dict[str, Declaration], dict[str, Any]]:
    """The declarations with what the run sets, and only that which differs, by field.

    Raises
    ------
    ValueError
        If a value breaks the declaration's own rules; the message names field, value and rule.
    """
    given = {field: tuple(value) if isinstance(value, list) else value for field, value in config.items()}
    used: dict[str, Declaration] = {}
    overridden: dict[str, Any] = {}
    for name, declared in declarations.items():
        changes = {
            field: given[field]
            for field in type(declared).model_fields
            if field in given
            and field not in declared.fixed
            and _differs(given[field], getattr(declared, field))
        }
        try:
            used[name] = declared.replaced(**changes)
        except ValidationError as error:
            raise ValueError(f"run configuration of {name}: {broken_rules(error, name)}") from error
        overridden |= changes
    return used, overridden


def _differs(given: Any, declared: Any) -> bool:
    # One number a member has no field in the form, only a place that is empty unless it is filled.
    return given != declared and not (given is None and isinstance(declared, tuple))


def _is_a_list(form: Any) -> bool:
    return isinstance(form, tuple) and (form[0] is list or (form[0] is NoneType and _is_a_list(form[1])))


def _form(annotation: Any) -> Any:
    """How a field is asked for: a type, (NoneType, form), (list, type), ("one of", …), or None if it is not."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _form(args[0])
    if origin in (Union, UnionType):
        options = [option for option in args if option is not NoneType and get_origin(option) is not tuple]
        lists = [option for option in args if get_origin(option) is tuple]
        form = _form((options or lists)[0]) if len(options or lists) == 1 else None
        return (NoneType, form) if form is not None and NoneType in args else form
    if origin is Literal:
        return ("one of", *args)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        inner = _form(args[0])
        return (list, inner) if inner in (int, float, str) else None
    return annotation if annotation in (int, float, bool, str) else None
