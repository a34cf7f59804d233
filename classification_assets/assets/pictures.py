"""Pictures of a materialization as files beside the logs of its run, where Dagster's web server serves them.

Inside an event each would be stored four times, as text: of the log of a night nine tenths were pictures.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from classification_assets.assets.shown import file_name

ENVIRONMENT = "CLASSIFICATION_ASSETS_PREVIEWS"
CHOICES = ("served", "inline")

_LINK = re.compile(r"!\[[^\]]*\]\(/logs/([^)]*)/(\w+)\)")
_INLINE = re.compile(r"!\[([^\]]*)\]\(data:image/(\w+);base64,([^)]*)\)")


def chosen() -> str:
    """Where pictures are to be: ``served`` or ``inline``.

    Raises
    ------
    ValueError
        If the environment variable says neither.
    """
    choice = os.environ.get(ENVIRONMENT) or CHOICES[0]
    if choice not in CHOICES:
        raise ValueError(f"{ENVIRONMENT} must be served or inline, got {choice!r}")
    return choice


def linked(metadata: Mapping[str, Any], context: dg.AssetExecutionContext, step: str) -> dict[str, Any]:
    """The metadata, its inline pictures stored as files and shown from there; as it is, where nothing serves files.

    Dagster's web server serves files beside a run's captured output (``/logs/<run>/…``) if these lie on its own disk,
    as they do unless `dagster.yaml` says otherwise.

    Raises
    ------
    ValueError
        If the environment variable says neither ``served`` nor ``inline``.
    OSError
        If a picture cannot be written.
    """
    # Only of the manager of local files; those that load files up serve their own kinds alone.
    path_of = getattr(context.instance.compute_log_manager, "get_captured_local_path", None)
    if chosen() == "inline" or path_of is None or context.instance.is_ephemeral:
        return dict(metadata)

    def stored(picture: re.Match[str]) -> str:
        name, kind, encoded = picture.groups()
        key = [context.run.run_id, "pictures", f"{step}-{file_name(name)}"]
        _write(Path(path_of(key, kind)), base64.b64decode(encoded))
        return f"![{name}](/logs/{'/'.join(key)}/{kind})"

    return {
        name: dg.MetadataValue.md(_INLINE.sub(stored, value.value or ""))
        if isinstance(value, dg.MarkdownMetadataValue)
        else value
        for name, value in metadata.items()
    }


def are_there(metadata: Mapping[str, Any], context: dg.AssetExecutionContext) -> bool:
    """Whether all pictures that an earlier materialization links to are still served."""
    links = [
        link.groups()
        for value in metadata.values()
        if isinstance(value, dg.MarkdownMetadataValue)
        for link in _LINK.finditer(value.value or "")
    ]
    if not links:
        return True
    path_of = getattr(context.instance.compute_log_manager, "get_captured_local_path", None)
    return path_of is not None and all(Path(path_of(key.split("/"), kind)).exists() for key, kind in links)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
