"""Files of artifacts: the header that says what is in one, the entry for its origin, and local copies to read from."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from classification_assets.learning.artifacts.attempts import is_local, reached

if TYPE_CHECKING:
    from upath import UPath

HEADER = "classification_assets"
"""The metadata entry of a file that says what it holds."""

ORIGIN = "classification_assets.origin"
"""The metadata entry of a file that says what it was made of; it has no influence on the version."""

CHECKSUM = "classification_assets.checksum"
"""The metadata entry of a file that holds its seal, see `checksum`."""


class ArtifactError(ValueError):
    """A file that holds no artifact of ours, or a damaged one."""


def is_file(path: UPath) -> bool:
    """Whether there is a file.

    Raises
    ------
    OSError
        If that cannot be told: fsspec's own answer would be no, and what is stored would seem to be lost.
    """
    if is_local(path):
        return Path(path.path).is_file()
    try:
        return reached(path, lambda: path.fs.info(path.path)["type"] == "file")
    except (FileNotFoundError, NotADirectoryError):
        return False


def names_in(folder: UPath) -> list[str]:
    """The names in a folder, ascending; none if there is no folder.

    Raises
    ------
    OSError
        If that cannot be told.
    """
    try:
        if is_local(folder):
            return sorted(os.listdir(folder.path))
        found = reached(folder, lambda: folder.fs.ls(folder.path, detail=False))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name.rstrip("/").rpartition("/")[2] for name in found)


def header_of(format: str, **content: Any) -> dict[str, str]:
    """The header of a file, as metadata."""
    return {HEADER: json.dumps({"format": format} | content, sort_keys=True)}


class HashedFile:
    """A file to be written from its beginning to its end that knows the SHA-256 of what has been written so far."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.hash, self.closed = file, hashlib.sha256(), False

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        return self.file.write(data)

    def tell(self) -> int:
        return self.file.tell()

    def flush(self) -> None:
        self.file.flush()

    def close(self) -> None:
        """Leave closing to whoever opened the file."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


class LocalCopy:
    """A file where Parquet can be read at will: itself, or a copy that lives as long as this object."""

    def __init__(self, path: UPath) -> None:
        if is_local(path):
            self.path = Path(path.path)
            return
        self.folder = tempfile.TemporaryDirectory(prefix="classification-assets-")
        self.path = Path(self.folder.name) / path.name
        try:
            with path.open("rb") as remote, self.path.open("wb") as local:
                shutil.copyfileobj(remote, local, 2**22)
        except Exception as error:  # of as many kinds as there are protocols
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise OSError(errno.EIO, f"{path} could not be read: {error}") from error
