"""Files as they lie on this machine: unpacked, copied here if they were elsewhere, and watched for changes."""

from __future__ import annotations

import bz2
import errno
import gzip
import hashlib
import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import pyarrow as pa
from upath import UPath

from classification_assets.learning.tables.reading.location import LOCAL, name_of

CHUNK = 2**22
LEAST_LIMIT = 2**30
MOST_RATIO = 200
"""A file may unpack to `LEAST_LIMIT` bytes, or to so many times its own size: real tables do not reach that."""


@dataclass(frozen=True)
class LocalFiles:
    """Files to read from, and what is known of their content.

    Attributes
    ----------
    paths : list of Path
    names : list of str
        As they were declared, without the endings of compression.
    sha256 : str
        Of the files' bytes as they lie at their places.
    unchanged : callable
        Raises if a file is no longer what it was when it was first read.
    keeps : object
        Must live as long as the files are needed.
    """

    paths: list[Path]
    names: list[str]
    sha256: str
    unchanged: Callable[[], None]
    keeps: Any


def local_files(files: Sequence[UPath]) -> LocalFiles:
    """Read the files once to know their content, and unpack or fetch those that cannot be read in place.

    Raises
    ------
    ValueError
        If one is empty, damaged, changes meanwhile or unpacks to far more than a table would.
    """
    before = [_state(file) for file in files]
    digest, folder = hashlib.sha256(), tempfile.TemporaryDirectory(prefix="classification-assets-")
    paths, names = [], []
    for number, file in enumerate(files):
        name, unpack = _unpacked(name_of(file))
        target = Path(file.path)
        with file.open("rb") as opened:
            source = _Hashed(opened, digest, str(file))
            if file.protocol not in LOCAL or unpack is not None:
                target = Path(folder.name) / f"{number}"
                _copy(source, unpack, target)
            source.finish()
        paths.append(target)
        names.append(name)

    def unchanged() -> None:
        for file, state in zip(files, before, strict=True):
            if _state(file) != state:
                raise ValueError(
                    f"{file}: changed while it was read; nothing was stored: run again when it is complete"
                )

    unchanged()
    return LocalFiles(paths, names, digest.hexdigest(), unchanged, folder)


class _Hashed:
    """A stream whose bytes go into a digest as they are read."""

    closed = False

    def __init__(self, opened: IO[bytes], digest: Any, where: str) -> None:
        self.opened, self.digest, self.where, self.size = opened, digest, where, 0

    def read(self, size: int = -1) -> bytes:
        try:
            data = self.opened.read(size)
        except Exception as error:  # of as many kinds as there are protocols
            raise ValueError(f"{self.where}: could not be read to its end: {error}") from error
        self.digest.update(data)
        self.size += len(data)
        if not self.size:
            raise ValueError(f"{self.where}: is empty; a table has a header and rows")
        return data

    def close(self) -> None:
        """Arrow asks for it; whoever opened the stream closes it."""

    def finish(self) -> None:
        """Read what is left."""
        while self.read(CHUNK):
            pass


def _state(file: UPath) -> tuple[Any, ...]:
    try:
        found = file.stat()
        if file.protocol in LOCAL:
            return (found.st_size, found.st_mtime_ns, found.st_ino)
        # Web servers know no time of change, or none that is one number.
        told = file.fs.info(file.path)
    except FileNotFoundError:
        return (None,)
    return (found.st_size, found.st_mtime, *(str(told.get(name)) for name in ("ETag", "Last-Modified")))


def _zipped(source: _Hashed) -> IO[bytes]:
    # A zip's directory is at its end, so it must lie in memory or on disk as a whole.
    whole = tempfile.TemporaryFile()  # noqa: SIM115 (it goes with the archive)
    shutil.copyfileobj(source, whole, CHUNK)
    archive = zipfile.ZipFile(whole)
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise ValueError(f"{source.where}: a zip file must hold one file, got {len(members)}")
    return archive.open(members[0])


def _arrow(codec: str) -> Callable[[Any], Any]:
    return lambda source: pa.CompressedInputStream(pa.PythonFile(source, mode="r"), codec)


_UNPACK: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        ".gz": lambda source: gzip.GzipFile(fileobj=source),
        ".bz2": bz2.BZ2File,
        ".xz": lzma.LZMAFile,
        ".zst": _arrow("zstd"),
        ".zip": _zipped,
    }
)
COMPRESSED = tuple(_UNPACK)
# Zip raises the last two of what is encrypted, and of ways to compress that it does not know.
_NO_ARCHIVE = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    pa.ArrowInvalid,
    RuntimeError,
    NotImplementedError,
)


def _unpacked(name: str) -> tuple[str, Callable[[Any], Any] | None]:
    for ending, unpack in _UNPACK.items():
        if name.lower().endswith(ending):
            return name[: -len(ending)], unpack
    return name, None


def _copy(source: _Hashed, unpack: Callable[[Any], Any] | None, target: Path) -> None:
    room, written = shutil.disk_usage(target.parent).free, 0
    try:
        stream = unpack(source) if unpack else source
        with target.open("wb") as out:
            while data := stream.read(CHUNK):
                written += len(data)
                if unpack and written > max(LEAST_LIMIT, MOST_RATIO * source.size):
                    raise ValueError(
                        f"{source.where}: unpacks to more than {MOST_RATIO} times its size, which no table does "
                        f"({written:,} bytes from {source.size:,}); if it is meant, unpack it yourself and give "
                        "that path"
                    )
                if written > room:
                    raise ValueError(
                        f"{source.where}: needs more room than the {room:,} bytes that are free in "
                        f"{target.parent}; set TMPDIR to a larger disk, or give a file that is local and not "
                        "compressed"
                    )
                out.write(data)
    except _NO_ARCHIVE as error:
        number = getattr(error, "errno", None)
        if isinstance(error, ConnectionError | TimeoutError) or number not in (None, errno.EINVAL):
            raise  # the connection or the disk; what is wrong inside comes without a number, or is a place that is none
        raise ValueError(
            f"{source.where}: is damaged, or not compressed as its ending says: {error}"
        ) from error
