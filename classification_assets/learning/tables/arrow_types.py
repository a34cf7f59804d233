"""Arrow's types in words: numbers, texts, and the kind of column that a type stands for."""

from __future__ import annotations

import pyarrow as pa

from classification_assets.learning.tables.roles import ColumnKind


def is_number(type: pa.DataType) -> bool:
    """Whether an Arrow type is one of numbers; truth values are none."""
    return pa.types.is_integer(type) or pa.types.is_floating(type) or pa.types.is_decimal(type)


def is_words(type: pa.DataType) -> bool:
    return pa.types.is_string(type) or pa.types.is_large_string(type)


def inferred_kind(name: str, type: pa.DataType) -> ColumnKind:
    """The kind of a column of an Arrow type.

    Raises
    ------
    ValueError
        If no kind holds such values.
    """
    if pa.types.is_dictionary(type):
        inferred_kind(name, type.value_type)  # pandas' categories may be intervals, which have no name
        return "categorical"
    if is_words(type):
        return "categorical"
    if pa.types.is_boolean(type):
        return "boolean"
    if pa.types.is_date(type) or pa.types.is_timestamp(type):
        return "date"
    # A column in which every value is missing has the type null.
    if is_number(type) or pa.types.is_null(type):
        return "numeric"
    raise ValueError(
        f"column {name!r} holds {type}, which no network reads; "
        f"turn it into numbers or words, or leave it out (in YAML: drop: [{name}])"
    )


def as_type(values: pa.Array, type: pa.DataType) -> pa.Array:
    """Values as ones of another type; `pyarrow.ArrowInvalid` if one does not become one."""
    # Whole numbers of more than 53 bits and nanoseconds are rounded, as in CSV and as they are used.
    rounds = (pa.types.is_integer(values.type) and pa.types.is_float64(type)) or (
        pa.types.is_timestamp(values.type) and pa.types.is_timestamp(type)
    )
    found = values.cast(type, safe=not rounds)
    if pa.types.is_boolean(type) and is_number(values.type) and found.cast(values.type) != values:
        raise pa.ArrowInvalid("a number that is neither 0 nor 1 is no truth value")
    return found
