"""Storing and loading: one artifact is one file, published whole or not at all; see `formats` for what is in it."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from matplotlib.figure import Figure
from torch import nn
from upath import UPath

from classification_assets.learning.artifacts.files import ArtifactError, is_local
from classification_assets.learning.artifacts.formats import Artifact, files_of, format_of, read, writer
from classification_assets.learning.reports.report import Page

NOTHING: Mapping[str, Any] = MappingProxyType({})
_PARTIAL = ".partial-"


@dataclass(frozen=True)
class Staged:
    """An artifact written beside its place, not yet published.

    Attributes
    ----------
    path : UPath
        Where it will be.
    version : str
        SHA-256 of its bytes; of a page, of what it says but for when it was made.
    files : tuple of (Path, UPath)
        What was written, and where each goes; the artifact itself is the last.
    draw_seconds : float
        What rendering figures took.
    """

    path: UPath
    version: str
    files: tuple[tuple[Path, UPath], ...]
    draw_seconds: float = 0.0

    def publish(self) -> None:
        """Replace what was there, in one step a file."""
        for written, place in self.files:
            if is_local(place):
                os.replace(written, place.path)
            else:
                place.write_bytes(written.read_bytes())
                written.unlink()
                if not any(written.parent.iterdir()):
                    written.parent.rmdir()


def stage(
    value: Artifact, path: UPath | Path | str, beside: Mapping[str, Figure | str | bytes] = NOTHING
) -> Staged:
    """Write an artifact beside its place, so that publishing it is a rename.

    What an earlier, killed run had left there unpublished is removed. `beside` are files for reading that are
    published in the same folder, by name: a figure as PNG and SVG, a text or bytes under the name as it is.

    Raises
    ------
    TypeError
        If the value is nothing that is stored.
    ValueError
        If files of that suffix do not hold such a value.
    """
    place = UPath(path)
    suffix, _ = format_of(value, place)
    if place.suffix != suffix:
        raise ValueError(f"a {type(value).__name__} is stored in a {suffix} file, however: {place}")
    folder = _staging_folder(place)
    for left in folder.glob(f"{_PARTIAL}{place.stem}-*"):
        if not _is_running(left):
            left.unlink(missing_ok=True)
    content = [(place.with_name(name), kept) for name, kept in beside.items()] + [(place, value)]
    targets = [(target, kept) for file, kept in content for target in files_of(file, kept)]
    written, draw_seconds = [], 0.0
    for target, kept in targets:
        # The process is named, so that a later one knows whose file may be removed.
        name = f"{_PARTIAL}{place.stem}-{os.getpid()}-{secrets.token_hex(4)}{target.suffix}"
        file = folder / name
        started = time.perf_counter()
        writer(kept)(kept, file)
        if isinstance(kept, Figure):
            draw_seconds += time.perf_counter() - started
        with file.open("rb+") as opened:
            os.fsync(opened.fileno())
        written.append(file)
    with written[-1].open("rb") as opened:
        version = hashlib.file_digest(opened, "sha256").hexdigest()
    if isinstance(value, Page):
        version = value.version
    files = tuple(zip(written, (target for target, _ in targets), strict=True))
    return Staged(place, version, files, draw_seconds)


def save(value: Artifact, path: UPath | Path | str) -> str:
    """Store an artifact atomically and return the SHA-256 of its bytes."""
    staged = stage(value, path)
    staged.publish()
    return staged.version


def load(path: UPath | Path | str, module: Callable[..., nn.Module] | None = None) -> Any:
    """Load what a file holds, by its header.

    Parameters
    ----------
    path : path or URL
    module : callable, optional
        The class of a person's own network, for a model of that kind.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ArtifactError
        If the file is damaged or holds something else.
    """
    place = UPath(path)
    if not place.is_file():
        raise FileNotFoundError(f"no artifact at {place}")
    try:
        return read(place, module)
    except ArtifactError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file could not be opened; what is wrong inside one comes without an error number
        raise ArtifactError(f"{place} is damaged, or not written by this project: {error!r}") from error


def _staging_folder(place: UPath) -> Path:
    if not is_local(place):
        return Path(tempfile.mkdtemp(prefix="classification-assets-"))
    folder = Path(place.path).parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _is_running(left: Path) -> bool:
    pid = left.name.rsplit("-", 2)[-2]
    return pid.isdigit() and (int(pid) == os.getpid() or Path(f"/proc/{pid}").exists())
