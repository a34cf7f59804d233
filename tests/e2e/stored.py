"""Artifacts that a project has stored, for comparisons."""

from __future__ import annotations

from pathlib import Path

from classification_assets.learning.artifacts.storage import origin_of
from tests.e2e.processes import Project


def files_of(project: Project) -> dict[str, Path]:
    """All artifacts, by their names in the store."""
    found = (path for path in project.artifacts.rglob("*") if path.is_file())
    return {str(path.relative_to(project.artifacts)): path for path in found}


def content_of(path: Path) -> str | bytes:
    """The version of an artifact, which its run has no influence on; the bytes of any other file."""
    origin = origin_of(path)
    return path.read_bytes() if origin is None else origin.version
