"""Words among labels in CSV and TSV that may say that there is none: whether they are classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from classification_assets.learning.tables.coercion import NUMBER, TIMESTAMP
from classification_assets.learning.tables.reading.file_format import MISSING
from classification_assets.learning.tables.reading.type_inference import TRUTH
from classification_assets.learning.tables.rows import Rows, spooled

_NO_WORD = f"{NUMBER}|{TRUTH.removeprefix('(?i)')}|{TIMESTAMP}"


def without_label(labels: pa.ChunkedArray, missing: tuple[str, ...], said: Iterable[str]) -> set[str]:
    """The words among labels (N,) that say that there is none.

    Words that are declared to say so do. Of the usual ones (`MISSING`), one among other words is a class, as it is in
    Parquet and JSON Lines; but not if it says elsewhere in the table (`said`) that a value is missing, nor among
    numbers, truth values or dates.
    """
    words = set(pc.unique(labels).to_pylist()) - {None}
    there = words & set(missing)
    if not there or missing != MISSING:
        return there
    others = pa.array(sorted(words - there), pa.string())
    plain = pc.match_substring_regex(pc.utf8_lower(others), _NO_WORD)
    return there & set(said) if len(others) and not pc.all(plain).as_py() else there


def relabelled(rows: Rows, target: str, gone: set[str]) -> Rows:
    """Rows of words with no label where it is one of those."""
    if not gone:
        return rows
    words = pa.array(sorted(gone), pa.string())

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in rows.batches():
            labels = batch.column(target)
            kept = pc.if_else(pc.is_in(labels, words), pa.scalar(None, labels.type), labels)
            columns = [kept if name == target else batch.column(name) for name in batch.schema.names]
            yield pa.RecordBatch.from_arrays(columns, schema=batch.schema)

    return spooled(batches(), rows.schema)
