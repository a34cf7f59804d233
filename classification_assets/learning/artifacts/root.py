"""The folder of all artifacts, as the environment says it. Light to import."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upath import UPath

ENVIRONMENT = "CLASSIFICATION_ASSETS_STORAGE"


def storage_root(folder: str = "") -> UPath:
    """The folder given, else the environment's, else `$DAGSTER_HOME/artifacts`, else `.dagster/artifacts` here."""
    from upath import UPath

    if chosen := folder or os.environ.get(ENVIRONMENT):
        return UPath(chosen)
    home = os.environ.get("DAGSTER_HOME")
    return UPath((Path(home) if home else Path.cwd() / ".dagster") / "artifacts")
