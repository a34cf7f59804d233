"""The end of a Parquet file, which says what is in it and of what it was made. Light to import: no PyTorch."""

from __future__ import annotations

import json
from typing import Any

import pyarrow.parquet as pq
from upath import UPath

from classification_assets.learning.artifacts.files import HEADER, ORIGIN
from classification_assets.learning.artifacts.origin import Origin


def read_origin(path: UPath) -> Origin | None:
    """The origin of a Parquet file's artifact; None if it does not say."""
    return read_end(path)[1]


def read_end(path: UPath) -> tuple[dict[str, Any], Origin | None]:
    """The header and the origin of a Parquet file's artifact.

    Raises
    ------
    Exception
        Of many kinds, if the file is damaged or somebody else's.
    """
    with path.open("rb") as opened:  # of a file elsewhere no more than its end
        metadata = pq.read_metadata(opened).metadata or {}
    header = json.loads(metadata.get(HEADER.encode(), b"{}"))
    origin = metadata.get(ORIGIN.encode())
    return header, None if origin is None else Origin.from_json(json.loads(origin))
