"""ArtifactStore: where assets' artifacts are, and their publication in one step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

if TYPE_CHECKING:
    from upath import UPath

    from classification_assets.learning.artifacts.storage import Artifact, Staged

ENVIRONMENT = "CLASSIFICATION_ASSETS_STORAGE"
NOTHING: Mapping[str, Any] = MappingProxyType({})
URL = "CLASSIFICATION_ASSETS_URL"
_READABLE = (".parquet", ".safetensors", ".png")


class MissingArtifactError(Exception):
    """An upstream asset has not been materialized yet."""


class ArtifactStore(dg.ConfigurableIOManager):
    """One file an asset, at `<folder>/<asset key>.<suffix>`, on a local disk or any fsspec URL."""

    folder: str = Field(
        "", description=f"A folder or URL; by default {ENVIRONMENT}, else beside Dagster's own."
    )

    @property
    def root(self) -> UPath:
        """The folder of all artifacts."""
        return storage_root(self.folder)

    def place(self, key: dg.AssetKey, suffix: str) -> UPath:
        """Where an asset's artifact lies; parts of keys are `[a-z0-9_]+`, so it stays below the root."""
        return self.root.joinpath(*key.path[:-1], f"{key.path[-1]}.{suffix}")

    def stage(
        self, key: dg.AssetKey, suffix: str, value: Artifact, beside: Mapping[str, Any] = NOTHING
    ) -> Staged:
        """Write an artifact, and what is to be read beside it; `handle_output` publishes them."""
        from classification_assets.learning.artifacts import storage as artifacts

        return artifacts.stage(value, self.place(key, suffix), beside)

    def beside(self, key: dg.AssetKey, name: str) -> bytes | None:
        """What an asset has published beside its artifact, if it has."""
        place = self.place(key, "").with_name(name)
        return place.read_bytes() if place.is_file() else None

    def link(self, place: UPath) -> str | None:
        """Where a browser finds an artifact, if the environment says at which address the folder is served."""
        base = os.environ.get(URL, "").rstrip("/")
        return f"{base}/{place.relative_to(self.root).as_posix()}" if base else None

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        if context.log:
            context.log.info(f"artifacts are stored in {self.root}")

    def handle_output(self, context: dg.OutputContext, obj: Staged) -> None:
        obj.publish()

    def load_input(self, context: dg.InputContext) -> Any:
        from classification_assets.learning.artifacts import storage as artifacts

        key = context.asset_key
        for suffix in _READABLE:
            place = self.place(key, suffix[1:])
            if place.is_file():
                return artifacts.load(place)
        name = key.to_user_string()
        raise MissingArtifactError(
            f"{name} is needed and has no artifact in {self.root}. Materialize it first: "
            f"dagster asset materialize -m classification_assets.definitions --select {name} "
            f"(or with all that it needs: --select '+key:\"{name}\"')"
        )


def storage_root(folder: str = "") -> UPath:
    """The folder given, else the environment's, else `$DAGSTER_HOME/artifacts`, else `.dagster/artifacts` here."""
    from upath import UPath

    if chosen := folder or os.environ.get(ENVIRONMENT):
        return UPath(chosen)
    home = os.environ.get("DAGSTER_HOME")
    return UPath((Path(home) if home else Path.cwd() / ".dagster") / "artifacts")
