"""Files of a registry: written whole or not at all, folders that appear and go in one step, and the lock."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError
from upath import UPath

from classification_assets.learning.artifacts.attempts import is_local, reached
from classification_assets.learning.artifacts.checksum import opened_record, sealed_record
from classification_assets.learning.artifacts.files import ArtifactError, names_in
from classification_assets.learning.artifacts.partial_files import PARTIAL, is_abandoned, partial_name
from classification_assets.learning.declaration import broken_rules

Model = TypeVar("Model", bound=BaseModel)
PATIENCE = 600.0
"""Seconds for which a registry that others change is waited for."""


@contextmanager
def locked(folder: UPath) -> Iterator[None]:
    """Let one process at a time change what is in a folder; the lock of a killed one is free.

    Of a folder on an object store, only the processes of this machine wait for one another.

    Raises
    ------
    ArtifactError
        If another process has held the lock for `PATIENCE` seconds.
    """
    if is_local(folder):
        Path(folder.path).mkdir(parents=True, exist_ok=True)
        file = Path(folder.path) / ".lock"
    else:
        name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        file = Path(tempfile.gettempdir()) / f"classification-assets-{name}.lock"
    try:
        with FileLock(file, timeout=PATIENCE):
            yield
    except Timeout as error:
        raise ArtifactError(
            f"{file}: another process has held this lock for {PATIENCE:.0f} s; end it, then try again"
        ) from error


def write_text(path: UPath, text: str) -> None:
    """Write a file in one step."""
    if not is_local(path):
        reached(path, lambda: path.write_text(text, encoding="utf-8"))
        return
    target = Path(path.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(partial_name(target.stem, target.suffix))
    try:
        with partial.open("w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_record(path: UPath, record: BaseModel) -> None:
    """Write a record in one step, with its checksum."""
    write_text(path, sealed_record(record.model_dump_json()))


def read_record(model: type[Model], path: UPath) -> Model:
    """Read a record back.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ArtifactError
        If it is not what was written.
    """
    content = reached(path, path.read_bytes)
    try:
        return model.model_validate(opened_record(content.decode()))
    except ValueError as error:  # also of bytes that are no text, and of pydantic's rules
        reason = broken_rules(error, path.name) if isinstance(error, ValidationError) else error
        raise ArtifactError(f"{path} is damaged, or not written by this project: {reason}") from error


def staging_folder(folder: UPath, name: str) -> Path:
    """A local folder in which to write what `publish_folder` then makes appear as `folder / name`."""
    if not is_local(folder):
        return Path(tempfile.mkdtemp(prefix="classification-assets-"))
    staged = Path(folder.path) / partial_name(name, ".folder")
    staged.mkdir(parents=True)
    return staged


def publish_folder(staged: Path, target: UPath, last: str) -> None:
    """Make a staged folder appear: by a rename, or where there is none by files of which `last` is the last."""
    for file in staged.iterdir():
        with file.open("rb+") as opened:
            os.fsync(opened.fileno())
    if is_local(target):
        os.rename(staged, target.path)
        return
    for file in sorted(staged.iterdir(), key=lambda file: file.name == last):
        goes = target / file.name
        reached(goes, partial(goes.write_bytes, file.read_bytes()))
    shutil.rmtree(staged)


def remove_folder(folder: UPath, first: str) -> None:
    """Remove a folder in one step: by a rename, or where there is none beginning with the file `first`."""
    if is_local(folder):
        path = Path(folder.path)
        gone = path.with_name(partial_name(path.name, ".folder"))
        os.rename(path, gone)
        shutil.rmtree(gone)
        return
    for name in sorted(names_in(folder), key=lambda name: name != first):
        reached(folder / name, partial((folder / name).unlink, missing_ok=True))


def remove_abandoned(folder: UPath) -> None:
    """Remove what killed processes have left in a folder."""
    if not is_local(folder) or not folder.is_dir():
        return
    for left in Path(folder.path).glob(f"{PARTIAL}*"):
        if is_abandoned(left):
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


def sha256(path: Path | UPath) -> str:
    """SHA-256 of a file, in hexadecimal digits."""

    def digest() -> str:
        found = hashlib.sha256()
        with path.open("rb") as opened:
            while part := opened.read(2**20):
                found.update(part)
        return found.hexdigest()

    return reached(UPath(path), digest)
