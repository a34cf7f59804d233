"""Parquet files of a folder as one table: their schemas may differ in what does not matter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from classification_assets.learning.tables.arrow_types import is_number, is_words
from classification_assets.learning.tables.reading.local_files import LocalFiles
from classification_assets.learning.tables.reading.text_files import refuse_twins
from classification_assets.learning.tables.rows import ParquetRows, Rows, without_view

_NAMED = 3


def parquet_rows(
    files: LocalFiles, places: Sequence[Any], needed: Sequence[str]
) -> tuple[Rows, tuple[str, ...]]:
    """Rows of files one after the other, and how their schemas differ, in words.

    Columns may have another order, be missing in some files, or hold values of another type of the same kind: whole
    and other numbers, words of any sort, dates and timestamps of any unit.

    Parameters
    ----------
    places : sequence
        The files' names in messages.
    needed : sequence of str
        Columns that all files have if one has them.

    Raises
    ------
    ValueError
        If a file is damaged, or two files cannot be one table: both are named.
    """
    schemas = [_schema(path, str(where)) for path, where in zip(files.paths, places, strict=True)]
    folder = _Folder(files.paths, [str(where) for where in places], schemas)
    notes: list[str] = []
    fields = [folder.field(name, name in needed, notes) for name in folder.names]
    schema = pa.schema(fields, schemas[0].metadata)
    return ParquetRows(files.paths, files.unchanged, files.keeps, schema), tuple(notes)


class _Folder:
    """Files and their schemas."""

    def __init__(self, paths: Sequence[Path], places: Sequence[str], schemas: Sequence[pa.Schema]) -> None:
        self.paths, self.places, self.schemas = paths, places, schemas
        self.names = list(dict.fromkeys(name for schema in schemas for name in schema.names))

    def field(self, name: str, needed: bool, notes: list[str]) -> pa.Field:
        """The column of this name in the table of all files; what is to be told of it is added to the notes."""
        has = [name in schema.names for schema in self.schemas]
        if not all(has):
            with_it, without = (
                self.places[has.index(True)],
                [place for place, there in zip(self.places, has, strict=True) if not there],
            )
            if needed:
                raise ValueError(f"{without[0]}: there is no column {name!r}, which {with_it} has")
            notes.append(f"column {name!r} is missing in {_listed(without)}")
        types = {
            place: without_view(schema.field(name).type)
            for place, schema, there in zip(self.places, self.schemas, has, strict=True)
            if there
        }
        first = next(iter(types.values()))
        if all(type == first for type in types.values()):
            return pa.field(name, first)
        type = _common(list(types.values())) or self._common_of_filled(name, types)
        if told := _difference(types, type):
            notes.append(f"column {name!r} holds {told}: read as {type}")
        return pa.field(name, type)

    def _common_of_filled(self, name: str, types: dict[str, pa.DataType]) -> pa.DataType:
        """The type of a column whose values are there in files of one kind only.

        pandas writes numbers where a column of words has no value.
        """
        filled = {place: type for place, type in types.items() if not self._is_empty(name, place)}
        if (type := _common(list(filled.values()))) is not None:
            return type
        (place, type), *others = filled.items()
        other, wrong = next((other, own) for other, own in others if _common([type, own]) is None)
        raise ValueError(
            f"{other}: column {name!r} holds {wrong}, and {type} in {place}; write both files alike, or leave the "
            "column out of both"
        )

    def _is_empty(self, name: str, place: str) -> bool:
        path = self.paths[self.places.index(place)]
        for batch in pq.ParquetFile(path).iter_batches(columns=[name]):
            if not pc.all(pc.is_null(batch.column(0), nan_is_null=True)).as_py():
                return False
        return True


def _schema(path: Path, where: str) -> pa.Schema:
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{where}: is no Parquet file, or a damaged one: {error}") from error
    refuse_twins(schema.names, where)
    return schema


def _common(types: Sequence[pa.DataType]) -> pa.DataType | None:
    """The type that holds all values of some types of one kind; None if they are of several."""
    known = list(dict.fromkeys(type for type in types if not pa.types.is_null(type)))
    if len(known) < 2:
        return known[0] if known else pa.null()
    if all(map(is_number, known)):
        return pa.int64() if all(map(pa.types.is_integer, known)) else pa.float64()
    if all(pa.types.is_date(type) or pa.types.is_timestamp(type) for type in known):
        zoned = {getattr(type, "tz", None) is not None for type in known}
        return None if len(zoned) > 1 else pa.timestamp("us", "UTC" if True in zoned else None)
    plain = [type.value_type if pa.types.is_dictionary(type) else type for type in known]
    if all(map(is_words, plain)):
        words = pa.large_string() if pa.large_string() in plain else pa.string()
        return pa.dictionary(pa.int32(), words) if all(map(pa.types.is_dictionary, known)) else words
    return None


def _difference(types: dict[str, pa.DataType], common: pa.DataType) -> str:
    """Which types files hold, in words; nothing of words of several sorts."""
    plain = [type.value_type if pa.types.is_dictionary(type) else type for type in types.values()]
    if all(is_words(type) for type in plain if not pa.types.is_null(type)):
        return ""
    by_type: dict[str, list[str]] = {}
    for place, type in types.items():
        by_type.setdefault(str(type), []).append(place)
    return ", ".join(f"{type} in {_listed(places)}" for type, places in by_type.items())


def _listed(places: Sequence[str]) -> str:
    shown = ", ".join(places[:_NAMED])
    return shown if len(places) <= _NAMED else f"{shown} and {len(places) - _NAMED} more"
