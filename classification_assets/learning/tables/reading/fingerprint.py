"""Fingerprint of declared files: whether their content is still what it was, without reading them as a table."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from upath import UPath

from classification_assets.learning.tables.reading.location import LOCAL, PARQUET, files_of

SETTLED_AFTER = 2.0
"""Seconds since its last change after which a local file is taken for complete."""


class UnsettledError(ValueError):
    """A file that is being written."""


def fingerprint(*paths: str, settled: bool = False) -> str:
    """A text that changes with the content of some files, or folders of Parquet.

    Of local files it is their SHA-256, as tables keep it too, and a file whose size and time have not changed is not
    read again. Of files elsewhere it is what the server says of the content (an ETag, a checksum), else size and time.

    Parameters
    ----------
    settled : bool
        Whether a file that is perhaps still being written is refused.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it may not be read.
    UnsettledError
        If a local file was changed a moment ago: it may be incomplete.
    """
    return "+".join(_of_files(files_of(path, PARQUET), settled) for path in paths)


def fingerprint_elsewhere(*paths: str) -> str:
    """The fingerprint of files of which some are not on this machine; empty of local ones, whose bytes say it all."""
    found = [file for path in paths for file in files_of(path, PARQUET)]
    return fingerprint(*paths) if any(file.protocol not in LOCAL for file in found) else ""


def _of_files(files: Sequence[UPath], settled: bool) -> str:
    if any(file.protocol not in LOCAL for file in files):
        told = "\n".join(f"{file}\t{_told(file)}" for file in files)
        return hashlib.sha256(told.encode()).hexdigest()
    states = tuple(_state(Path(file.path)) for file in files)
    newest = max(modified for _, _, modified, _ in states) / 1e9
    if settled and 0 <= time.time() - newest < SETTLED_AFTER:
        raise UnsettledError(f"{files[0]}: was changed a moment ago, and may be incomplete")
    digest = _content(states)
    if settled and tuple(_state(Path(file.path)) for file in files) != states:
        raise UnsettledError(f"{files[0]}: changed while it was read")
    return digest


def _state(path: Path) -> tuple[str, int, int, int]:
    found = path.stat()
    return str(path), found.st_size, found.st_mtime_ns, found.st_ino


@lru_cache(maxsize=256)
def _content(states: tuple[tuple[str, int, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, *_ in states:
        with open(path, "rb") as opened:
            while part := opened.read(2**22):
                digest.update(part)
    return digest.hexdigest()


def _told(file: UPath) -> str:
    told: dict[str, Any] = file.fs.info(file.path)
    for name in ("ETag", "etag", "md5", "md5Hash", "content_md5", "checksum"):
        if told.get(name):
            return str(told[name])
    return f"{told.get('size')} {told.get('Last-Modified') or told.get('LastModified') or told.get('mtime')}"
