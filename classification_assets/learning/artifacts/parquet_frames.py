"""Frames and batches of rows as one sealed Parquet file each, under a header, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from classification_assets.learning.artifacts.checksum import BLANK, SEAL, seal
from classification_assets.learning.artifacts.files import CHECKSUM, HEADER, ORIGIN, HashedFile, LocalCopy
from classification_assets.learning.artifacts.origin import Origin

NOTHING: Mapping[str, str] = MappingProxyType({})


def write_headed_frame(
    frame: pd.DataFrame,
    header: dict[str, str],
    file: Path,
    origin: Origin | None,
    aside: Mapping[str, str] = NOTHING,
) -> str:
    """Write a frame under a header and return its version; see `write_batches`."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    schema = table.schema.with_metadata((table.schema.metadata or {}) | _encoded(header))
    return write_batches([table.replace_schema_metadata(schema.metadata)], schema, file, origin, aside)


def write_batches(
    batches: Iterable[pa.RecordBatch | pa.Table],
    schema: pa.Schema,
    file: Path,
    origin: Origin | None,
    aside: Mapping[str, str] = NOTHING,
    **encoding: Any,
) -> str:
    """A row group a batch, so that no more than one is ever in memory.

    The version follows from all but the origin and what is written `aside`, as further entries of the metadata.
    """
    with file.open("wb") as opened:
        hashed = HashedFile(opened)
        # What the header says comes at the end of a Parquet file, behind the origin.
        hashed.hash.update(json.dumps(sorted(map(_as_text, (schema.metadata or {}).items()))).encode())
        hashed.hash.update(str(schema.remove_metadata()).encode())
        entries = dict(schema.metadata or {})
        # With the schema the header would be written twice, the second time in base64.
        apart = {HEADER.encode(): entries.pop(HEADER.encode())}
        with pq.ParquetWriter(
            hashed, schema.with_metadata(entries), compression="zstd", **encoding
        ) as writer:
            for batch in batches:
                writer.write(batch)
            version = hashed.hash.hexdigest()
            writer.add_key_value_metadata(apart)
            if origin is not None:
                told = json.dumps(origin.versioned(version).to_json(), sort_keys=True)
                writer.add_key_value_metadata({ORIGIN: told})
            writer.add_key_value_metadata(dict(aside))
            writer.add_key_value_metadata({CHECKSUM: SEAL + BLANK})
    seal(file)
    return version


def _encoded(header: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): text.encode() for name, text in header.items()}


def _as_text(entry: tuple[bytes, bytes]) -> tuple[str, str]:
    return entry[0].decode(), entry[1].decode()


def frame_to_json(frame: pd.DataFrame) -> dict[str, Any]:
    """A small frame for a header."""
    return json.loads(frame.to_json(orient="split", index=False, double_precision=15))


def frame_from_json(content: dict[str, Any], *texts: str) -> pd.DataFrame:
    """A frame out of a header: of numbers but for the columns that are text."""
    columns = content["columns"]
    frame = pd.DataFrame(content["data"], columns=columns)
    return frame.astype({name: float for name in columns if name not in texts})


def read_frame(local: LocalCopy) -> pd.DataFrame:
    """The frame in a file."""
    return pq.read_table(local.path).to_pandas()
