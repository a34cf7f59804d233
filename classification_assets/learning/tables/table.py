"""The rows of a data set as they were drawn or read, and what their columns are for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from classification_assets.learning.tables.arrow_types import inferred_kind
from classification_assets.learning.tables.coercion import numbers, timestamps_of
from classification_assets.learning.tables.datasets import Dataset
from classification_assets.learning.tables.labels import LABELS, as_label, label_rank, labels_of
from classification_assets.learning.tables.reading.file_format import MISSING
from classification_assets.learning.tables.recognition import Spelling
from classification_assets.learning.tables.roles import COUNTED, ColumnKind, Roles
from classification_assets.learning.tables.rows import MemoryRows, Rows, labelled
from classification_assets.learning.tables.source import Source


@dataclass(frozen=True)
class Table:
    """Rows and the roles of their columns.

    Attributes
    ----------
    rows : Rows
        All columns, typed; in memory, or read in batches.
    roles : Roles
    source : Source
    n_test : int
        The last rows, if they came from a file of their own that is the test fold.
    """

    rows: Rows
    roles: Roles = field(default_factory=Roles)
    source: Source = field(default_factory=Source)
    n_test: int = 0

    @classmethod
    def of(cls, dataset: Dataset, overridden: dict[str, Any] | None = None) -> Self:
        """Draw or read a declared data set's rows."""
        read, roles = dataset.read(), dataset.roles
        source = Source(
            dataset=dataset,
            overridden=overridden or {},
            format=read.format,
            sha256=read.sha256,
            fingerprint=read.fingerprint,
            readings=read.readings,
            notes=read.notes,
        )
        whole = cls(read.rows, roles, source, read.n_test)
        if not read.rows.n_rows:
            raise ValueError(f"{whole.where}: there are columns, but no rows")
        roles.feature_names(read.rows.names, whole.where)
        return whole._labelled()

    @classmethod
    def of_frame(cls, frame: pd.DataFrame, roles: Roles | None = None, source: Source | None = None) -> Self:
        """From a frame in memory."""
        return cls(MemoryRows.of(frame), roles or Roles(), source or Source())

    def _labelled(self) -> Self:
        rows = labelled(self.rows, self.target, self.words_for_missing)
        if not (left_out := self.rows.n_rows - rows.n_rows):
            return self
        if not rows.n_rows:
            raise ValueError(
                f"{self.where}: column {self.target!r}: all {left_out:,} rows are without a label"
            )
        if self.n_test:
            raise ValueError(
                f"{self.where}: column {self.target!r}: {left_out} rows have no label; where the test fold has a "
                "file of its own, all must have one"
            )
        return replace(self, rows=rows, source=self.source.replaced(without_label=left_out))

    @property
    def target(self) -> str:
        """The column that is predicted."""
        return self.roles.target

    @property
    def words_for_missing(self) -> tuple[str, ...]:
        """The words that are declared to say, in any format, that there is no label; the usual ones are labels."""
        declared = tuple(self.source.declared("missing") or ())
        return () if declared == MISSING else declared

    @property
    def target_is_categorical(self) -> bool:
        """Whether its numbers are declared to be names of classes."""
        return self.roles.columns.get(self.target) == "categorical"

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The columns that are predicted from."""
        return self.roles.feature_names(self.rows.names, self.where)

    def kinds(self) -> dict[str, ColumnKind]:
        """Kinds of the features, as declared or else inferred."""
        types = {name: self.rows.schema.field(name).type for name in self.features}
        try:
            return {
                name: self.roles.columns.get(name) or inferred_kind(name, type)
                for name, type in types.items()
            }
        except ValueError as error:
            raise ValueError(f"{self.where}: {error}") from error

    @property
    def spelling(self) -> Spelling:
        """How its values were written, as far as it was declared."""
        if not self.source.format:
            return Spelling()
        return Spelling(
            self.source.declared("decimal") or ".",
            tuple(self.source.declared("missing") or ()),
            self.source.declared("day_first"),
            "text" if self.source.format in ("csv", "tsv") else "typed",
        )

    @property
    def where(self) -> str:
        """The table's name in messages."""
        named = (self.source.declared(field) for field in ("path", "name", "kind"))
        return next((str(name) for name in named if name), "the table")

    def refusal(self, reason: object) -> ValueError:
        """An error of this table; where it names a row and a file's own number is another, it says so."""
        counted = ""
        if re.search(r"\brow \d", str(reason)):
            if left_out := self.source.without_label:
                counted = f" (the {left_out:,} rows without a label are not counted)"
            elif self.n_test:
                first = self.rows.n_rows - self.n_test
                counted = f" (row {first} is the first of {self.source.declared('test')})"
        return ValueError(f"{self.where}: {reason}{counted}")

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Everything at once, for a small table."""
        return self.rows.frame()

    def labels(self) -> tuple[list[Any], np.ndarray]:
        """The classes in order, as they are in the data, and each row's code (N,) int64.

        Raises
        ------
        ValueError
            If a label is missing or of no type that a class may have.
        """
        if self.target not in self.rows.names:
            self.roles.feature_names(self.rows.names, self.where)
        column = self.rows.column(self.target)
        try:
            column = labels_of(column, self.words_for_missing).dictionary_encode()
        except pa.ArrowNotImplementedError as error:
            raise ValueError(
                f"{self.where}: column {self.target!r} holds {column.type}: {LABELS}; turn them into words"
            ) from error
        if column.null_count:
            row = int(np.flatnonzero(np.asarray(pc.is_null(column)))[0])
            raise ValueError(f"{self.where}: column {self.target!r}, row {row}: a row without a label")
        classes = [as_label(value, self.target, self.where) for value in column.dictionary.to_pylist()]
        order = sorted(range(len(classes)), key=lambda index: label_rank(classes[index]))
        code = np.empty(len(order), np.int64)
        code[order] = np.arange(len(order))
        return [classes[index] for index in order], code[np.asarray(column.indices)]

    def weight(self) -> np.ndarray | None:
        """Row weights (N,) float32, if a column holds them.

        Raises
        ------
        ValueError
            If one is missing, negative or no finite number.
        """
        if self.roles.weight is None:
            return None
        name = self.roles.weight
        try:
            weight = numbers(self.rows.column(name), name, what="weight")
        except ValueError as error:
            raise self.refusal(error) from error
        if (wrong := np.flatnonzero(~(weight >= 0))).size:
            raise self.refusal(
                f"column {name!r}, row {wrong[0]}: a weight is a number not below 0, got {weight[wrong[0]]}"
            )
        if not weight.any():
            raise ValueError(f"{self.where}: column {name!r}: a weight above 0 is needed, but all are 0")
        return weight

    def group(self) -> np.ndarray | None:
        """The number of each row's group (N,), if a column holds them.

        Raises
        ------
        ValueError
            If one is missing.
        """
        if self.roles.group is None:
            return None
        column = self._complete(self.roles.group, "group: a row that is alone needs a group of its own")
        return np.asarray(column.dictionary_encode().indices)

    def time(self) -> np.ndarray | None:
        """A number for each row's timestamp (N,), later ones larger, if a column holds them.

        Raises
        ------
        ValueError
            If one is missing, or neither a number nor a date.
        """
        if self.roles.time is None:
            return None
        name = self.roles.time
        column = self._complete(name, "time: without one it is not known which fold the row is in")
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return np.asarray(column)
        if pa.types.is_decimal(column.type):
            return np.asarray(column.cast(pa.float64()))
        try:
            return np.asarray(timestamps_of(column).cast(pa.int64()))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ValueError(
                f"{self.where}: column {name!r}: time is a number or a date such as 2024-02-29T12:30:00, "
                f"but: {error}"
            ) from error

    def _complete(self, name: str, why: str) -> pa.Array:
        column = self.rows.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        missing = pc.is_null(column, nan_is_null=True)
        if (rows := np.flatnonzero(np.asarray(missing))).size:
            raise self.refusal(f"column {name!r}, row {rows[0]} has no {why}")
        return column

    def class_counts(self) -> pd.DataFrame:
        """Rows and share of each class, for reading; of weighted rows, how many count and their share by weight."""
        classes, y = self.labels()
        counts = np.bincount(y, minlength=len(classes))
        frame = pd.DataFrame({"class": classes, "rows": counts, "share": counts / counts.sum()})
        if (weight := self.weight()) is None:
            return frame
        totals = np.bincount(y, weight.astype(np.float64), len(classes))
        counted = np.bincount(y, weight > 0, len(classes)).astype(np.int64)
        return frame.assign(**{COUNTED: counted, "share by weight": totals / totals.sum()})
