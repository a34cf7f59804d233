"""Folders for work that takes long, kept beside the artifact until it is done, so that a killed run's is not lost."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from upath import UPath

from classification_assets.learning.artifacts.attempts import is_local
from classification_assets.learning.artifacts.partial_files import PARTIAL, is_abandoned, partial_name

SUFFIX = ".unfinished"


def unfinished_folder(artifact: UPath) -> Path | None:
    """A hidden folder of this process alone beside an artifact; None if that does not lie on a local disk.

    The newest one that a process has left which is no more is taken over, and others are removed. Whoever finishes the
    work removes the folder.

    Raises
    ------
    OSError
        If there cannot be a folder.
    """
    if not is_local(artifact):
        return None
    beside = Path(artifact.path).parent
    beside.mkdir(parents=True, exist_ok=True)
    stem = f"work_on_{artifact.stem}"
    folder = beside / partial_name(stem, SUFFIX)
    left = [each for each in beside.glob(f"{PARTIAL}{stem}-*{SUFFIX}") if is_abandoned(each)]
    for each in sorted(left, key=_age):
        if folder.exists():
            shutil.rmtree(each, ignore_errors=True)
        else:
            with suppress(FileNotFoundError):  # another run was faster
                each.rename(folder)
    folder.mkdir(exist_ok=True)
    return folder


def _age(folder: Path) -> float:
    try:
        return -folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0
