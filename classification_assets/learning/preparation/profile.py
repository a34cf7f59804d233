"""Profile of a table: facts that a person should know before anything is trained on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from classification_assets.learning.preparation.columns import Categorical
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.tables.arrow_types import is_number
from classification_assets.learning.tables.coercion import DAY_0, timestamps_of
from classification_assets.learning.tables.recognition import doubts
from classification_assets.learning.tables.roles import ColumnKind
from classification_assets.learning.tables.rows import Rows

if TYPE_CHECKING:
    from classification_assets.learning.tables.table import Table

TRIED = 20_000
"""Rows, evenly spaced, on which a column alone is tried."""

LEAKS = 0.99
"""Balanced accuracy from which a column that alone predicts the target is a suspect."""

MERGED = 0.1
"""Share of a column's different values that rounding may make equal to others: of many, chance alone makes a few."""

_PARTS = 3
# Of the numbers that equal rows share, so that the order of the columns matters.
_FACTOR = np.uint64(6364136223846793005)


@dataclass(frozen=True)
class Profile:
    """A table at a glance.

    Attributes
    ----------
    table : Table
        The table that was gone through.
    columns : DataFrame
        A row a column: ``column``, ``role``, ``kind`` (of a feature), ``type``, ``read as`` (how words were read that
        are numbers or dates), ``missing`` (share), ``different
        values`` (in at most `COUNTED` rows), ``lowest``, ``highest``, ``alone`` (balanced accuracy on rows aside
        of the target predicted from this feature alone, in at most `TRIED` rows).
    n_rows : int
    without_label : int
        Rows that were left out since they have no label.
    repeated : int
        Rows whose features are those of an earlier row; where there are groups, which stay in one fold, of an
        earlier row of another group, and such rows of one group count once.
    contradicting : int
        Rows whose features are those of a row of another class.
    merged : dict
        Features whose values float32 cannot tell apart, though it could their differences: how many differ (in at
        most `COUNTED` rows) before and after rounding.
    doubts : dict
        Features of words that rather hold numbers or dates, and why they are not read so.
    """

    table: Table
    columns: pd.DataFrame
    n_rows: int
    without_label: int
    repeated: int
    contradicting: int
    merged: dict[str, tuple[int, int]]
    doubts: dict[str, str]

    @property
    def features(self) -> pd.DataFrame:
        """The columns that are predicted from."""
        return self.columns[self.columns["role"] == "feature"]

    @property
    def n_counted(self) -> int:
        """Rows in which different values were counted."""
        return min(self.n_rows, COUNTED)

    @property
    def constant(self) -> list[str]:
        """Features that are the same in all rows, or missing in all."""
        features = self.features
        return features.loc[features["different values"] + (features["missing"] > 0) <= 1, "column"].tolist()

    @property
    def suspects(self) -> list[str]:
        """Features that alone predict the target."""
        return self.features.loc[self.features["alone"] >= LEAKS, "column"].tolist()

    def described(self) -> pd.DataFrame:
        """The columns, for reading: first what a narrow page may not cut off."""
        columns = self.columns
        read = columns["read as"]
        return pd.DataFrame(
            {
                "column": columns["column"],
                "used as": columns["kind"].fillna(columns["role"]),
                **({"read as": read.fillna("")} if read.notna().any() else {}),
                "missing": columns["missing"],
                "different values": columns["different values"],
                "lowest": columns["lowest"],
                "highest": columns["highest"],
                "balanced accuracy alone": columns["alone"],
                "type": columns["type"],
            }
        )

    def scalars(self) -> dict[str, float]:
        """Numbers that are followed over time."""
        return {
            "missing_share": float(self.features["missing"].mean()),
            "repeated_rows": self.repeated,
            "contradicting_rows": self.contradicting,
            "rows_without_label": self.without_label,
        }

    @classmethod
    def of(cls, table: Table) -> Profile:
        """Go through a table, a column at a time."""
        classes, y = table.labels()
        kinds, roles = table.kinds(), _roles(table)
        alone, readings = _alone(table, y, len(classes)), table.source.readings
        keys, described, merged = np.zeros(table.rows.n_rows, np.uint64), [], {}
        for name in table.rows.names:
            column = table.rows.column(name)
            if roles[name] == "feature":
                keys = keys * _FACTOR + _keys(column)
                if counts := _merged(_spaced(column), kinds[name]):
                    merged[name] = counts
            described.append(
                {"column": name, "role": roles[name], "kind": kinds.get(name), "type": str(column.type)}
                | {"read as": readings[name].words if name in readings else None}
                | _summary(column)
                | {"alone": alone.get(name, np.nan)}
            )
        repeated, contradicting = _repetitions(keys, y, table.group())
        return cls(
            table=table,
            columns=pd.DataFrame(described),
            n_rows=len(y),
            without_label=table.source.without_label,
            repeated=repeated,
            contradicting=contradicting,
            merged=merged,
            doubts=doubts(table.rows, _inferred(table, kinds), table.spelling),
        )


def _inferred(table: Table, kinds: Mapping[str, ColumnKind]) -> dict[str, ColumnKind]:
    return {name: kind for name, kind in kinds.items() if name not in table.roles.columns}


def _roles(table: Table) -> dict[str, str]:
    roles = dict.fromkeys(table.rows.names, "left out")
    for role in ("id", "weight", "group", "time", "target"):
        if (name := getattr(table.roles, role)) is not None:
            roles[name] = role
    return roles | dict.fromkeys(table.features, "feature")


def _summary(column: pa.Array) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "missing": pc.mean(pc.is_null(column, nan_is_null=True).cast(pa.int8())).as_py(),
        "different values": None,
        "lowest": None,
        "highest": None,
    }
    if pa.types.is_nested(column.type):
        return summary  # left out, or it would have been refused
    if pa.types.is_float16(column.type):
        column = column.cast(pa.float32())
    if pa.types.is_floating(column.type) and pc.any(nan := pc.is_nan(column)).as_py():
        column = pc.if_else(nan, None, column)
    summary["different values"] = len(_spaced(column).drop_null().unique())
    ordered = (pa.types.is_floating, pa.types.is_integer, pa.types.is_date, pa.types.is_timestamp)
    if any(is_of(column.type) for is_of in ordered):
        ends = pc.min_max(column)
        for end, name in (("min", "lowest"), ("max", "highest")):
            value = ends[end].as_py()
            summary[name] = (
                f"{value:.6g}" if isinstance(value, float) else None if value is None else str(value)
            )
    return summary


def _spaced(column: pa.Array) -> pa.Array:
    return column.take(pa.array(np.arange(0, len(column), -(-len(column) // COUNTED) or 1)))


def _merged(values: pa.Array, kind: ColumnKind) -> tuple[int, int] | None:
    """How many values differ before and after rounding, if it makes more of them equal than `MERGED`."""
    values = values.drop_null()
    if kind == "numeric" and (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        exact = np.asarray(values)
    elif kind == "date" and (pa.types.is_date(values.type) or pa.types.is_timestamp(values.type)):
        # Rounding is relative, so that microseconds lose what days do.
        exact = np.asarray(timestamps_of(values).cast(pa.int64())) - DAY_0.astype(np.int64)
    else:
        return None
    exact = exact[~np.isnan(exact)]
    with np.errstate(over="ignore"):
        before, after = len(pd.unique(exact)), len(pd.unique(exact.astype(np.float32)))
        if after >= (1 - MERGED) * before:
            return None
        # Values that differ by a computation's last digit only are the same, with or without what they share.
        wide = exact.astype(np.int64) if exact.dtype.kind in "iu" else exact
        middle = np.sort(wide)[len(wide) // 2]
        rest = wide - middle
        if exact.dtype.kind == "f":
            rest[np.abs(rest) < 4 * np.spacing(np.abs(middle))] = 0
        apart = len(pd.unique(rest.astype(np.float32)))
    return (before, after) if after < (1 - MERGED) * apart else None


def _keys(column: pa.Array) -> np.ndarray:
    """A number a value, the same for equal values."""
    from pandas.util import hash_array

    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        column = timestamps_of(column).cast(
            pa.int64()
        )  # as words, a timestamp takes a hundred times the memory
    if is_number(column.type):
        # Zero and minus zero are equal and have different bytes.
        return hash_array(np.asarray(column.cast(pa.float64(), safe=False).fill_null(np.nan)) + 0)
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = np.array([str(value) for value in encoded.dictionary.to_pylist()] + [None], object)
    return hash_array(words)[np.asarray(encoded.indices.fill_null(len(words) - 1))]


def _repetitions(keys: np.ndarray, y: np.ndarray, group: np.ndarray | None) -> tuple[int, int]:
    """How many rows have the features of an earlier one (of another group), and how many those of another class's."""
    differing = len(y) if group is None else len(pd.unique(keys * _FACTOR + group.astype(np.uint64)))
    order = np.argsort(keys, kind="stable")
    keys, y = keys[order], y[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    lowest, highest = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    sizes = np.diff(np.append(starts, len(y)))
    return differing - len(starts), int(sizes[lowest != highest].sum())


def _alone(table: Table, y: np.ndarray, n_classes: int) -> dict[str, float]:
    """Balanced accuracy, on rows aside, of a small tree that sees one feature only."""
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold
    from sklearn.tree import DecisionTreeClassifier

    sample, y = table.rows.sample(TRIED), y[:: -(-len(y) // TRIED)]
    frequent = np.bincount(y, minlength=n_classes)[y] >= _PARTS
    y = y[frequent]
    if len(np.unique(y)) < 2:
        return {}
    parts = list(StratifiedKFold(_PARTS, shuffle=True, random_state=0).split(y, y))
    tree = DecisionTreeClassifier(
        max_leaf_nodes=max(64, 2 * n_classes), min_samples_leaf=2, class_weight="balanced", random_state=0
    )
    scores = {}
    for name, values in _encoded(table, sample):
        # A gap may tell the target too; the tree takes it for a value below all others.
        lowest = np.nanmin(values, initial=0)
        x = np.where(np.isnan(values), lowest - 1, values)[frequent, None]
        predicted = np.empty(len(y), y.dtype)
        for seen, aside in parts:
            predicted[aside] = tree.fit(x[seen], y[seen]).predict(x[aside])
        scores[name] = float(balanced_accuracy_score(y, predicted))
    return scores


def _encoded(table: Table, sample: Rows) -> Iterator[tuple[str, np.ndarray]]:
    preprocessing, X = Preprocessing.fit_table(
        sample, table.features, np.ones(sample.n_rows, bool), table.kinds()
    )
    for column, x in zip(preprocessing.columns, X.T, strict=True):
        if isinstance(column, Categorical) and len(column.categories) > sample.n_rows / 2:
            continue  # a value a row predicts nothing
        yield column.name, x


COUNTED = 200_000
"""Rows, evenly spaced, in which different values are counted."""
