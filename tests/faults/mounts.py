"""Small disks of their own: a tmpfs that is soon full, and one that may only be read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk may be mounted here (it needs root and CAP_SYS_ADMIN): {done.stderr.strip()}")


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of its own, mounted at a folder."""
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def make_read_only(folder: Path, read_only: bool = True) -> None:
    """Mount a disk again so that nothing on it can be changed, root or not; or undo it."""
    _mount("-o", f"remount,{'ro' if read_only else 'rw'}", str(folder))


def free(folder: Path) -> int:
    """Bytes that are free."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def fill(folder: Path, leave: int) -> Path:
    """Fill a disk but for some bytes; the file that does is to be removed to free it again."""
    filler = folder / "filler"
    filler.write_bytes(bytes(max(0, free(folder) - leave)))
    return filler
