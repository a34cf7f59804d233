"""Words among labels in CSV and TSV that may say that there is none: whether they are classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from classification_assets.learning.tables.coercion import NUMBER, TIMESTAMP
from classification_assets.learning.tables.reading.file_format import MISSING
from classification_assets.learning.tables.reading.type_inference import TRUTH, without_missing
from classification_assets.learning.tables.rows import Rows, spooled

_NO_WORD = f"{NUMBER}|{TRUTH.removeprefix('(?i)')}|{TIMESTAMP}"


@dataclass
class Gaps:
    """Which words of a text are no values.

    Attributes
    ----------
    missing : tuple of str
        Words that say that a value is missing.
    target : str, optional
        The column of labels: there an empty word alone is none, until `without_label` tells about the others.
    said : set of str
        Those that were found in other columns.
    """

    missing: tuple[str, ...]
    target: str | None = None
    said: set[str] = field(default_factory=set)

    def without(self, name: str, words: pa.Array) -> pa.Array:
        """The words (N,) of a column without the blanks around them, null where they are missing."""
        if name == self.target:
            return without_missing(words, ())
        found = without_missing(words, self.missing)
        if self.target is not None and found.null_count:
            self.said.update(pc.unique(pc.utf8_trim_whitespace(words.filter(pc.is_null(found)))).to_pylist())
        return found


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
