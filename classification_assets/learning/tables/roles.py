"""Roles of a table's columns, and their kinds. Light to import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import Field, model_validator

from classification_assets.learning.declaration import Declaration, field_error

ColumnKind = Literal["numeric", "categorical", "boolean", "date"]
"""How a column is understood: a number, one of some values, yes or no, a day or a timestamp."""

RESERVED = ("__fold__", "__label__", "__weight__", "__group__", "__moment__")
"""Columns that a stored split adds to the features."""

COUNTED = "rows of a weight above 0"
"""The column that says how many rows of a class count, where rows have weights: see `Table.class_counts`."""

# What pandas calls the numbers of its rows in Parquet; where rows were sorted or mixed, they may tell the target.
_INDEX = "__index_level_"
_SINGLE = ("target", "id", "weight", "group", "time")


class Roles(Declaration):
    """Which column is predicted, which ones it is predicted from, and what the others are for."""

    target: str = Field(
        "label",
        description="The column that is predicted. In every format blanks around a label do not count, an empty one is "
        "none, and a word for a missing value is one unless `missing` is declared to hold it.",
    )
    features: tuple[str, ...] = Field(
        (),
        description="The columns to predict from. Default: all that have no other role, and are not the "
        "index of a pandas frame that had no name.",
    )
    drop: tuple[str, ...] = Field((), description="Columns that are left out.")
    columns: dict[str, ColumnKind] = Field(
        {},
        description="Kinds of columns that are not to be inferred: numeric, categorical, boolean or date. "
        "Inferred: numbers are numeric, words categorical, true/false boolean, ISO 8601 dates dates.",
    )
    id: str | None = Field(
        None, description="A column that names the row: kept for predictions, never learned from."
    )
    weight: str | None = Field(None, description="A column of row weights, not negative.")
    group: str | None = Field(
        None, description="Rows with the same value here stay in the same fold (one patient, one device)."
    )
    time: str | None = Field(
        None, description="The split is by this column: the oldest rows train, the newest test."
    )

    @model_validator(mode="after")
    def _one_role_a_column(self) -> Roles:
        if self.group is not None and self.time is not None:
            raise field_error(
                type(self), "time", "a split is by `group` or by `time`, not by both", self.time
            )
        named = [name for role in _SINGLE if (name := getattr(self, role)) is not None]
        if twice := [name for name, count in Counter(named).items() if count > 1]:
            raise field_error(
                type(self), "target", f"the column {twice[0]!r} has two roles; each needs its own", twice[0]
            )
        if self.target in self.drop:
            raise field_error(type(self), "drop", f"{self.target!r} is the target; keep it", self.target)
        if twice := [name for name, count in Counter(self.features).items() if count > 1]:
            raise field_error(type(self), "features", f"the column {twice[0]!r} is named twice", twice[0])
        for name in self.features:
            if name in (self.target, self.id, self.weight) or name in self.drop:
                raise field_error(
                    type(self),
                    "features",
                    f"the column {name!r} has another role, or is dropped; leave it out here",
                    name,
                )
        return self

    @property
    def own(self) -> dict[str, Any]:
        """The roles alone, of a declaration that says more."""
        return {name: getattr(self, name) for name in Roles.model_fields}

    def feature_names(self, names: Sequence[str], where: str) -> tuple[str, ...]:
        """The features of a table with these columns; `where` is the table's name in messages.

        Raises
        ------
        ValueError
            If a column that is named is not there, one is there twice, or no feature is left.
        """
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise ValueError(
                f"{where}: columns must have different names, but {twice[0]!r} is there "
                f"{Counter(names)[twice[0]]} times"
            )
        if own := [name for name in names if name in RESERVED]:
            raise ValueError(
                f"{where}: no column may be named {own[0]!r}: {', '.join(RESERVED)} are this project's own"
            )
        for role in _SINGLE:
            if (name := getattr(self, role)) is not None:
                _there(name, names, where, role)
        for role in ("drop", "columns", "features"):
            for name in getattr(self, role):
                _there(name, names, where, role)
        taken = {self.target, self.id, self.weight, self.group, self.time, *self.drop}
        found = self.features or tuple(
            name for name in names if name not in taken and not name.startswith(_INDEX)
        )
        if not found:
            raise ValueError(
                f"{where}: no column is left to predict {self.target!r} from; there are: {_listed(names)}"
            )
        return found

    def ignores(self, name: str) -> bool:
        """Whether a column is an index of a pandas frame that had no name, and has no role."""
        named = {getattr(self, role) for role in _SINGLE} | {*self.drop, *self.columns, *self.features}
        return name.startswith(_INDEX) and name not in named


def _there(name: str, names: Sequence[str], where: str, role: str) -> None:
    if name not in names:
        near = get_close_matches(name, names, n=1)
        advice = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"{where}: {role}: there is no column {name!r}; {advice}there are: {_listed(names)}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"
