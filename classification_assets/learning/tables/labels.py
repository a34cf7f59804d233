"""Class labels of any type in JSON and back: dates and timestamps say what they are. Light to import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import pandas as pd
from pydantic import BeforeValidator, PlainSerializer


def to_json(labels: Sequence[Any]) -> list[Any]:
    """Strings, numbers and truth values as they are; a date as ``{"date": ISO}``, a timestamp ``{"datetime": ISO}``."""
    return [_to_json(label) for label in labels]


def from_json(labels: Sequence[Any]) -> list[Any]:
    """The labels that `to_json` was given."""
    return [_from_json(label) for label in labels]


def _to_json(label: Any) -> Any:
    if isinstance(label, datetime):
        return {"datetime": label.isoformat()}
    return {"date": label.isoformat()} if isinstance(label, date) else label


def _from_json(label: Any) -> Any:
    if not isinstance(label, dict):
        return label
    (kind, text), *_ = label.items()
    return datetime.fromisoformat(text) if kind == "datetime" else date.fromisoformat(text)


Labels = Annotated[
    tuple[Any, ...],
    BeforeValidator(lambda labels: tuple(from_json(labels))),
    PlainSerializer(to_json, return_type=list[Any], when_used="json"),
]
"""Classes in a declaration, which come back from JSON as they were."""


LABELS = "a label is a word, a number, true or false, or a date"


def as_label(value: Any, target: str, where: str) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if value == "":
        raise ValueError(
            f"{where}: column {target!r}: an empty word is no label; leave it out or give it a name"
        )
    if isinstance(value, int | float) and not abs(value) < 2**63:
        raise ValueError(
            f"{where}: column {target!r}: a number that is a label is finite and below 2^63, got {value!r}; "
            "make labels words"
        )
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, date):
        return value
    raise ValueError(f"{where}: column {target!r}: {LABELS}, got {value!r} ({type(value).__name__})")


def label_rank(label: Any) -> tuple[str, Any]:
    # One column has labels of one type, but for whole and other numbers, which compare.
    return ("number" if isinstance(label, int | float) else type(label).__name__, label)
