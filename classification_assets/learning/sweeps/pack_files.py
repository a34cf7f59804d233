"""Files of a sweep's packs: what came of each task, written whole or not at all, until the sweep has ended."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor

from classification_assets.learning.packed.paused import PausedPack

_SUFFIX = ".safetensors"

_FILE = re.compile(r"(\.partial-\d+-)?[0-9a-f]{32}\.safetensors|\.tmp\w+")
"""A pack, one that is being written, or a part of that, by safetensors."""


def write(folder: Path, key: str, tensors: Mapping[str, Tensor], about: Mapping[str, float]) -> None:
    """Write a pack's file whole or not at all."""
    path = _path(folder, key)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    # As arrays: of tensors, safetensors looks for memory that they share, for longer than writing takes.
    contents = {name: value.detach().cpu().contiguous().numpy() for name, value in tensors.items()}
    try:
        save_file(contents, partial, {"about": json.dumps({**about, "checksum": _checksum(contents)})})
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def stored(folder: Path, key: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The same that `write` was given; None if there is no such file, or none that can be read."""
    path = _path(folder, key)
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = json.loads((file.metadata() or {}).get("about", "{}"))
    except (SafetensorError, OSError, ValueError):
        return None
    arrays = {name: value.numpy() for name, value in tensors.items()}
    # Training goes on from these numbers: one that has changed on the disk would go unseen.
    return (tensors, about) if about.get("checksum") == _checksum(arrays) else None


def states(folder: Path, key: str) -> dict[str, Tensor]:
    """The states (K', ...) of the members of a file whose loss was finite, on the CPU."""
    with safe_open(_path(folder, key), framework="pt") as file:
        names = [name for name in file.keys() if name.startswith("state/")]  # noqa: SIM118
        return {name.removeprefix("state/"): file.get_tensor(name) for name in names}


def paused(folder: Path, key: str, device: torch.device) -> PausedPack:
    """The members of a file whose loss was finite, to go on with."""
    with safe_open(_path(folder, key), framework="pt", device=str(device)) as file:
        tensors = {
            name: file.get_tensor(name)
            for name in file.keys()  # noqa: SIM118
            if name.startswith(("state/", "mean/", "square/"))
        }
        return PausedPack.of_tensors(json.loads(file.metadata()["about"])["step"], tensors)


def remove_packs(folder: Path) -> None:
    """Remove the files of packs, finished or not, and the folder unless something else is in it."""
    for path in folder.iterdir():
        if _FILE.fullmatch(path.name):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}{_SUFFIX}"


def _checksum(arrays: Mapping[str, np.ndarray]) -> int:
    """A number that follows from every bit of some arrays."""
    found = 0
    for name in sorted(arrays):
        found = zlib.crc32(np.ascontiguousarray(arrays[name]).data, zlib.crc32(name.encode(), found))
    return found
