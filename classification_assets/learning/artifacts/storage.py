"""Storing and loading: one artifact is one file, published whole or not at all; see `formats` for what is in it."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from safetensors import SafetensorError
from torch import nn
from upath import UPath

from classification_assets.learning.artifacts import formats
from classification_assets.learning.artifacts.attempts import is_local, is_of_storage, reached
from classification_assets.learning.artifacts.files import ArtifactError, is_file
from classification_assets.learning.artifacts.formats import (
    files_of,
    format_of,
    is_figure,
    read,
    write_sidecar,
)
from classification_assets.learning.artifacts.origin import Origin
from classification_assets.learning.artifacts.parquet_files import read_memory
from classification_assets.learning.artifacts.partial_files import PARTIAL, is_abandoned, partial_name
from classification_assets.learning.preparation.fold_memory import FoldMemory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from classification_assets.learning.artifacts.formats import Artifact

T = TypeVar("T")
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Staged:
    """An artifact written beside its file, not yet published.

    Attributes
    ----------
    path : UPath
        Where it will be.
    version : str
        SHA-256 of its content; when, where and of what it was made has no influence.
    files : tuple of (Path, UPath)
        What was written, and where each goes; the artifact itself is the last.
    draw_seconds : float
        What rendering figures took.
    outdated : tuple of UPath
        What may lie there from before and would show something older: the SVG of a figure that is a PNG alone now.
    """

    path: UPath
    version: str
    files: tuple[tuple[Path, UPath], ...]
    draw_seconds: float = 0.0
    outdated: tuple[UPath, ...] = ()

    def publish(self) -> None:
        """Replace what was there, in one step a file.

        Raises
        ------
        OSError
            If that cannot be done; then nothing is left behind, and of the artifact itself nothing has changed.
        """
        try:
            for file in self.outdated:
                reached(file, partial(file.unlink, missing_ok=True))
            for written, file in self.files:
                with _told(file):
                    if is_local(file):
                        os.replace(written, file.path)
                    else:
                        reached(file, partial(file.write_bytes, written.read_bytes()))
                        _remove(written, file)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove what was written; what was there stays."""
        for written, file in self.files:
            _remove(written, file)


@dataclass(frozen=True)
class Published:
    """An artifact that has been published already, by its own rules; otherwise as `Staged`."""

    path: UPath
    version: str
    draw_seconds: float = 0.0

    def publish(self) -> None:
        """Nothing is left to do."""

    def discard(self) -> None:
        """Nothing can be undone."""


def stage(
    value: Artifact,
    path: UPath | Path | str,
    sidecars: Mapping[str, Figure | str | bytes] = NOTHING,
    origin: Origin | None = None,
    svg: bool = False,
) -> Staged:
    """Write an artifact beside its file, so that publishing it is a rename.

    What an earlier, killed run had left there unpublished is removed.

    Parameters
    ----------
    sidecars : mapping
        Files for reading that are published in the same folder, by name: a figure as PNG, a text or bytes under the
        name as it is.
    origin : Origin, optional
        What it was made of, which its file then says.
    svg : bool
        Whether figures are published as SVG, too.

    Raises
    ------
    TypeError
        If the value is nothing that is stored.
    ValueError
        If files of that suffix do not hold such a value.
    OSError
        If it cannot be written: the disk is full, or may only be read. Then nothing is left behind.
    """
    target = UPath(path)
    suffix, write = format_of(value, target)
    if target.suffix != suffix:
        raise ValueError(f"a {type(value).__name__} is stored in a {suffix} file, got {target}")
    with _told(target):
        folder = _staging_folder(target)
    for left in folder.glob(f"{PARTIAL}{target.stem}-*"):
        if is_abandoned(left):
            left.unlink(missing_ok=True)
    written: list[tuple[Path, UPath]] = []
    draw_seconds, version = 0.0, ""
    contents = [(target.with_name(name), content) for name, content in sidecars.items()] + [(target, value)]
    parts = [(final, content) for named, content in contents for final in files_of(named, content, svg)]
    for final, part in parts:
        file = folder / partial_name(target.stem, final.suffix)
        written.append((file, final))
        started = time.perf_counter()
        try:
            with _told(final):
                if final == target:
                    version = write(part, file, origin)
                else:
                    write_sidecar(part, file)
                with file.open("rb+") as opened:
                    os.fsync(opened.fileno())
        except BaseException:
            for left, _ in written:
                _remove(left, target)
            raise
        if is_figure(part):
            draw_seconds += time.perf_counter() - started
    without = () if svg else tuple(final.with_suffix(".svg") for final, part in parts if is_figure(part))
    return Staged(target, version, tuple(written), draw_seconds, without)


def save(
    value: Artifact, path: UPath | Path | str, origin: Origin | None = None, *, svg: bool = False
) -> str:
    """Store an artifact atomically and return its version; see `stage`."""
    staged = stage(value, path, origin=origin, svg=svg)
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
    file = UPath(path)
    if not is_file(file):
        raise FileNotFoundError(f"no artifact at {file}")
    return _read(lambda file: read(file, module), file)


def origin_of(path: UPath | Path | str) -> Origin | None:
    """The origin of an artifact; None if there is none, or its file does not say.

    Raises
    ------
    ArtifactError
        If the file is damaged or holds something else.
    """
    return _read(formats.origin_of, UPath(path))


def load_memory(path: UPath | Path | str) -> FoldMemory | None:
    """How a stored split has dealt its rows, without loading them; None if its file does not say.

    Raises
    ------
    ArtifactError
        If the file is damaged or holds something else.
    """
    return _read(read_memory, UPath(path))


def _read(reader: Callable[[UPath], T], path: UPath) -> T:
    try:
        return reached(path, lambda: reader(path))
    except ArtifactError:
        raise
    except Exception as error:
        if is_of_storage(error):
            raise
        raise ArtifactError(f"{path} is damaged, or not written by this project: {error!r}") from error


@contextmanager
def _told(file: UPath) -> Iterator[None]:
    """Name the file that could not be written; of an error of the operating system, the number stays.

    Raises
    ------
    OSError
        Naming the file.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        # Safetensors tells the number in words alone.
        number = getattr(error, "errno", None) or _number_in(str(error))
        about = str(getattr(error, "filename", None) or PARTIAL)
        if number is None or (PARTIAL not in about and about != file.path):
            raise  # somebody else's: of rows that are read while they are written
        raise OSError(
            number,
            f"{os.strerror(number)}: {file} could not be written; what was there before is unchanged",
        ) from error


def _number_in(message: str) -> int | None:
    found = re.search(r"os error (\d+)", message)
    return int(found[1]) if found else None


def _remove(written: Path, file: UPath) -> None:
    """Remove a staged file, and the folder that was made for files that go elsewhere."""
    written.unlink(missing_ok=True)
    if not is_local(file) and written.parent.is_dir() and not any(written.parent.iterdir()):
        written.parent.rmdir()


def _staging_folder(file: UPath) -> Path:
    if not is_local(file):
        return Path(tempfile.mkdtemp(prefix="classification-assets-"))
    folder = Path(file.path).parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder
