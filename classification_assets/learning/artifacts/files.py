"""Files of artifacts: the header that says what is in one, and where it can be read at will."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from upath import UPath

HEADER = "classification_assets"


class ArtifactError(ValueError):
    """A file that holds no artifact of ours, or a damaged one."""


def is_local(path: UPath) -> bool:
    return path.protocol in ("", "file", "local")


def header_of(format: str, **content: Any) -> dict[str, str]:
    return {HEADER: json.dumps({"format": format} | content, sort_keys=True)}


class LocalCopy:
    """A file where Parquet can be read at will: itself, or a copy that lives as long as this object."""

    def __init__(self, place: UPath) -> None:
        if is_local(place):
            self.path = Path(place.path)
            return
        self.folder = tempfile.TemporaryDirectory(prefix="classification-assets-")
        self.path = Path(self.folder.name) / place.name
        with place.open("rb") as remote, self.path.open("wb") as local:
            shutil.copyfileobj(remote, local, 2**22)
