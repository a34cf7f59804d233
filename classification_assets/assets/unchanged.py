"""An artifact stays where a step would only make it again: nothing of what it is made of has changed.

That is told by the stored artifact, which says of what it was made, and by its last materialization, whose metadata say
by which code and what was written; so a file that was damaged, changed or removed since is written again.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from classification_assets.assets import pictures
from classification_assets.learning.artifacts.attempts import reached
from classification_assets.learning.artifacts.origin import Origin

if TYPE_CHECKING:
    from upath import UPath

    from classification_assets.learning.artifacts.storage import Published, Staged

ANEW = "classification_assets/anew"
"""The tag of a run that makes everything again, whatever has changed."""

BUILD, FILES = "code", "files"
"""Entries of the metadata: the code that made it, and the CRC-32 of each file that was written, by name."""

_LIBRARIES = ("matplotlib", "numpy", "pandas", "pillow", "pyarrow", "scikit-learn", "scipy", "torch")


def told(staged: Staged | Published) -> dict[str, dg.MetadataValue]:
    """The metadata of what is about to be published, by which a later run knows it again."""
    files = {final.name: _crc32(written.read_bytes()) for written, final in getattr(staged, "files", ())}
    return {BUILD: dg.MetadataValue.text(build()), FILES: dg.MetadataValue.json(files)} if files else {}


def last(
    context: dg.AssetExecutionContext,
    path: UPath,
    stored: Origin | None,
    now: Origin,
    device: Mapping[str, Any],
) -> Mapping[str, Any] | None:
    """The metadata of the last materialization, where a step would only make the same again; else None.

    Parameters
    ----------
    path : UPath
        Where the artifact lies.
    stored, now : Origin
        What it was made of, and of what it would be made now.
    device : mapping
        On what, as metadata.
    """
    if stored is None or ANEW in context.run.tags:
        return None
    if any(getattr(stored, part) != getattr(now, part) for part in ("inputs", "ancestors", "code_version")):
        return None
    event = context.instance.get_latest_materialization_event(context.asset_key)
    if event is None or (made := event.asset_materialization) is None:
        return None
    values = {name: entry.value for name, entry in made.metadata.items()}
    if (made.tags or {}).get("dagster/data_version") != stored.version:
        return None
    if values.get(BUILD) != build() or any(values.get(name) != value for name, value in device.items()):
        return None
    files: Any = values.get(FILES)
    there = files and all(_is(path.with_name(name), told) for name, told in files.items())
    return made.metadata if there and pictures.are_there(made.metadata, context) else None


@cache
def build() -> str:
    """The versions of this project and of the libraries that compute and draw, as a hash of their code and names."""
    folder = Path(__file__).parents[1]
    hashed = hashlib.sha256(" ".join(f"{name} {version(name)}" for name in _LIBRARIES).encode())
    for file in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".jinja")):
        hashed.update(f"{file.relative_to(folder)} ".encode() + file.read_bytes())
    return hashed.hexdigest()[:16]


def _is(path: UPath, told: str) -> bool:
    try:
        return _crc32(reached(path, path.read_bytes)) == told
    except (FileNotFoundError, NotADirectoryError):
        return False


def _crc32(content: bytes) -> str:
    return f"{zlib.crc32(content):08x}"
