"""Class labels of any type: read by one rule from every format, to JSON and back, and those that look alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BeforeValidator, PlainSerializer

from classification_assets.learning.tables.arrow_types import is_words


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


def labels_of(values: pa.Array, missing: Sequence[str] = ()) -> pa.Array:
    """Labels (N,) of any type, null where there is none: of a word the blanks around it do not count.

    `missing` are words that say that there is none; an empty one always does, and so does a number that is none.
    """
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()  # a frame's categories may have no rows
    if pa.types.is_floating(values.type):
        return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    if not is_words(values.type):
        return values
    trimmed = pc.utf8_trim_whitespace(values)
    gone = pc.is_in(trimmed, pa.array(["", *missing], values.type))
    return pc.if_else(gone, pa.scalar(None, values.type), trimmed)


def as_array(labels: Sequence[Any], dtype: str | None = None) -> np.ndarray:
    """Labels (C,) of any type as an array, of a type that is known or else that of NumPy to which they belong."""
    if dtype is None and all(isinstance(label, datetime) and label.tzinfo is None for label in labels):
        dtype = "datetime64[us]"
    return np.array(list(labels), dtype)


_SAME = {"true": "1", "yes": "1", "false": "0", "no": "0"}


def alike(labels: Sequence[Any]) -> list[list[Any]]:
    """Groups of labels that differ by case, blanks, or the way in which yes and no or a number are written, alone."""
    groups: dict[str, list[Any]] = {}
    for label in labels:
        groups.setdefault(_likeness(label), []).append(label)
    return [group for group in groups.values() if len(group) > 1]


def _likeness(label: Any) -> str:
    text = "".join(unicodedata.normalize("NFKC", str(label)).casefold().split())
    whole = re.sub(r"^\+?(-?\d+)(\.0*)?$", r"\1", text)
    return _SAME.get(whole, whole)


def label_rank(label: Any) -> tuple[str, Any]:
    # One column has labels of one type, but for whole and other numbers, which compare.
    return ("number" if isinstance(label, int | float) else type(label).__name__, label)
