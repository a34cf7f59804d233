"""Class labels of any type in JSON and back: dates and moments say what they are. Light to import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer


def to_json(labels: Sequence[Any]) -> list[Any]:
    """Strings, numbers and truth values as they are; a date as ``{"date": ISO}``, a moment ``{"datetime": ISO}``."""
    return [_to_json(label) for label in labels]


def from_json(labels: Sequence[Any]) -> list[Any]:
    """What `to_json` was given."""
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
