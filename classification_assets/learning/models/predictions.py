"""Predictions for rows without labels: in batches, so that there may be any number of rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from classification_assets.learning.models.fitted import FittedModel, Provenance
from classification_assets.learning.models.unseen import UnseenCells
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import Format, UnlabelledFile
from classification_assets.learning.tables.reading.fingerprint import fingerprint
from classification_assets.learning.tables.reading.read import read_unlabelled
from classification_assets.learning.tables.rows import BATCH, ParquetRows, Rows

HELD_BYTES = 2**26
"""Bytes of all members' probabilities that are computed at one time."""

ROW = "row"
"""The column that numbers rows which have no name, from 0."""

NEVER_SEEN = "never_seen"
"""The column that says how many of a row's cells hold a category which training has never seen."""


@dataclass(frozen=True)
class Predictions:
    """A row of probabilities for each row.

    Attributes
    ----------
    rows : Rows
        The ``id`` under its own name (or `ROW`), ``label`` (the most probable class, as it was in the data),
        ``p_<class>`` (float32), ``disagreement``, the uncertainty: the mean total variation distance of a
        member's probabilities from the members' mean, 0 to 1, and `NEVER_SEEN`, cells that told the classifier nothing.
    about : dict
        ``architecture``, ``counts`` (rows of each predicted class), ``disagreement`` (its mean) and ``version``: which
        one of the registry made them, empty for a model that is in none. ``fingerprint``: of the
        file that they are for. ``unseen``: see `UnseenCells.columns`.
    read : Rows or None
        The rows that were predicted; None if the predictions were loaded.
    """

    rows: Rows
    about: dict[str, Any]
    read: Rows | None = None

    def by_version(self, name: str) -> Self:
        """The same, saying which version of the registry made them."""
        return replace(self, about=self.about | {"version": name})

    def counts(self) -> pd.DataFrame:
        """Rows and share of each predicted class, for reading."""
        counts = pd.Series(self.about["counts"])
        return pd.DataFrame(
            {"class": counts.index, "rows": counts.array, "share": counts.array / counts.sum()}
        )

    def some(self, most: int) -> pd.DataFrame:
        """Evenly spaced rows, for reading: there may be more probabilities than a page is wide."""
        frame = self.rows.sample(most).frame()
        first = [*frame.columns[:2], *(name for name in ("disagreement", NEVER_SEEN) if name in frame)]
        return frame[[*first, *frame.columns.difference(first, sort=False)]]


def predict_file(fitted: FittedModel, declared: UnlabelledFile, device: str = "cpu") -> Predictions:
    """Predict the rows of a file.

    Columns may come in any order and there may be others. What is not declared of how the file is written is as it
    was of the file that the classifier was trained on.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no table, a column is missing, or a value is not of its column's kind: the message names
        file, column, row and value.
    """
    told = fingerprint(declared.path)  # before it is read, so that what changes meanwhile is seen later
    unlabelled = _Unlabelled.of(fitted.provenance, declared)
    folder = tempfile.TemporaryDirectory(prefix="classification-assets-")
    path = Path(folder.name) / "predictions.parquet"
    counts, total = np.zeros(len(fitted.provenance.classes), np.int64), 0.0
    unseen = UnseenCells(unlabelled.preprocessing)
    with pq.ParquetWriter(path, unlabelled.schema) as writer:
        for batch in _batches(fitted, unlabelled, device, unseen):
            writer.write_batch(batch)
            counts += np.bincount(_codes(batch, len(counts)), minlength=len(counts))
            total += float(np.asarray(batch.column("disagreement")).sum(dtype=np.float64))
    about = {
        "architecture": fitted.provenance.architecture.name,
        "counts": dict(zip(map(str, fitted.provenance.classes), counts.tolist(), strict=True)),
        "disagreement": total / unlabelled.rows.n_rows,
        "version": "",
        "fingerprint": told,
        "unseen": unseen.columns,
    }
    return Predictions(ParquetRows([path], keeps=folder), about, unlabelled.rows)


def check_file(learned: Split, declared: UnlabelledFile) -> int:
    """Check that whatever learns from a split can predict the rows of a file, and count them.

    Raises
    ------
    FileNotFoundError, ValueError
        As of `predict_file`.
    """
    return unseen_in_file(learned, declared).n_rows


def unseen_in_file(learned: Split, declared: UnlabelledFile) -> UnseenCells:
    """The same, and the cells of which whatever learns from the split has never seen the category.

    Raises
    ------
    FileNotFoundError, ValueError
        As of `predict_file`.
    """
    unlabelled = _Unlabelled.of(learned, declared)
    unseen = UnseenCells(unlabelled.preprocessing)
    for X, _, rows in unlabelled.encoded():
        unseen.add(X, rows)
    return unseen


@dataclass(frozen=True)
class _Unlabelled:
    """Rows of a file as those who learned from others need them; `name` is the column that names them, if one does."""

    rows: Rows
    name: str | None
    where: str
    schema: pa.Schema
    preprocessing: Preprocessing

    @classmethod
    def of(cls, learned: Split | Provenance, declared: UnlabelledFile) -> Self:
        declared, where = _written_alike(learned, declared), declared.path
        preprocessing = learned.preprocessing
        rows = read_unlabelled(declared, preprocessing.kinds, preprocessing.readings)
        name = declared.id or _known_id(learned, rows)
        if name is not None and name not in rows.names:
            raise ValueError(f"{where}: id: there is no column {name!r}; there are: {', '.join(rows.names)}")
        schema = _schema(learned, rows, name, where)
        if missing := [column for column in preprocessing.names if column not in rows.names]:
            raise ValueError(
                f"{where}: missing columns: {', '.join(missing)}; expected are {', '.join(preprocessing.names)}; "
                f"there are: {', '.join(rows.names)}"
            )
        return cls(rows, name, where, schema, preprocessing)

    def encoded(self, size: int = BATCH) -> Iterator[tuple[np.ndarray, pa.Array, pa.RecordBatch]]:
        """Encoded rows X (N, D), what names them (N,) and the rows, at most so many at one time."""
        wanted = list(dict.fromkeys([*([self.name] if self.name else []), *self.preprocessing.names]))
        first = 0
        for whole in self.rows.batches(wanted):
            for start in range(0, whole.num_rows, size):
                batch = whole.slice(start, size)
                try:
                    X = self.preprocessing.encode(batch, first)
                except ValueError as error:
                    raise ValueError(f"{self.where}: {error}") from error
                own = batch.column(self.name) if self.name else pa.array(np.arange(first, first + len(X)))
                yield X, own, batch
                first += len(X)


def _written_alike(learned: Split | Provenance, declared: UnlabelledFile) -> UnlabelledFile:
    options = {name: learned.source.declared(name) for name in Format.model_fields if name != "format"}
    own = {name: value for name, value in options.items() if value is not None}
    said = {name: getattr(declared, name) for name in declared.model_fields_set}
    if said.get("header"):
        own.pop("names", None)
    return UnlabelledFile.model_validate(own | said)


def _known_id(learned: Split | Provenance, rows: Rows) -> str | None:
    name = learned.source.declared("id")
    return name if name in rows.names else None


def _schema(learned: Split | Provenance, rows: Rows, name: str | None, where: str) -> pa.Schema:
    own = pa.field(ROW, pa.int64()) if name is None else rows.schema.field(name)
    schema = pa.schema(
        [
            own,
            pa.field("label", pa.array(learned.classes).type),
            *(pa.field(f"p_{label}", pa.float32()) for label in learned.classes),
            pa.field("disagreement", pa.float32()),
            pa.field(NEVER_SEEN, pa.int32()),
        ]
    )
    if len(set(schema.names)) < len(schema.names):
        raise ValueError(
            f"{where}: the id column {own.name!r} has the name of a column of the predictions "
            f"({', '.join(schema.names[1:])}); rename it"
        )
    return schema


def _batches(
    fitted: FittedModel, unlabelled: _Unlabelled, device: str, unseen: UnseenCells
) -> Iterator[pa.RecordBatch]:
    classes, schema = fitted.provenance.classes, unlabelled.schema
    labels = pa.array(classes)
    size = max(1, HELD_BYTES // (4 * fitted.provenance.members * len(classes)))
    for X, own, rows in unlabelled.encoded(size):
        p, disagreement, _ = fitted.member_predictions(X, device, np.empty(0, np.int64))
        label, never_seen = labels.take(pa.array(p.argmax(1))), unseen.add(X, rows)
        columns = [own, label, *np.ascontiguousarray(p.T), disagreement, never_seen]
        yield pa.RecordBatch.from_arrays(
            [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)],
            schema=schema,
        )


def _codes(batch: pa.RecordBatch, n_classes: int) -> np.ndarray:
    return np.stack([np.asarray(batch.column(index + 2)) for index in range(n_classes)]).argmax(0)
