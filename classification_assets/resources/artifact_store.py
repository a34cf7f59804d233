"""ArtifactStore: where assets' artifacts are, and their publication in one step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from classification_assets.learning.artifacts.root import ENVIRONMENT, storage_root
from classification_assets.resources.retries import attempts_of, retrying

if TYPE_CHECKING:
    from upath import UPath

    from classification_assets.learning.artifacts.formats import Artifact
    from classification_assets.learning.artifacts.origin import Origin
    from classification_assets.learning.artifacts.storage import Published, Staged
    from classification_assets.learning.preparation.fold_memory import FoldMemory

NOTHING: Mapping[str, Any] = MappingProxyType({})
URL = "CLASSIFICATION_ASSETS_URL"
_READABLE = (".parquet", ".safetensors", ".png")


class MissingArtifactError(Exception):
    """An upstream asset has not been materialized yet."""


@dataclass(frozen=True)
class Loaded:
    """An artifact, and what it was made of; None if its file does not say."""

    value: Any
    origin: Origin | None


class ArtifactStore(dg.ConfigurableIOManager):
    """One file an asset, at `<folder>/<asset key>.<suffix>`, on a local disk or any fsspec URL."""

    folder: str = Field(
        "", description=f"A folder or URL; by default {ENVIRONMENT}, else beside Dagster's own."
    )

    @property
    def root(self) -> UPath:
        """The folder of all artifacts."""
        return storage_root(self.folder)

    def path_of(self, key: dg.AssetKey, suffix: str) -> UPath:
        """Where an asset's artifact lies; parts of keys are `[a-z0-9_]+`, so it stays below the root."""
        return self.root.joinpath(*key.path[:-1], f"{key.path[-1]}.{suffix}")

    def stage(
        self,
        key: dg.AssetKey,
        suffix: str,
        value: Artifact | Published,
        sidecars: Mapping[str, Any] = NOTHING,
        origin: Origin | None = None,
    ) -> Staged | Published:
        """Write an artifact, and what is to be read beside it; `handle_output` publishes them."""
        from classification_assets.learning.artifacts import storage

        if isinstance(value, storage.Published):
            return value
        return storage.stage(value, self.path_of(key, suffix), sidecars, origin)

    def load(self, key: dg.AssetKey) -> Loaded:
        """An asset's artifact, and what it was made of.

        Raises
        ------
        MissingArtifactError
            If it has none.
        ArtifactError
            If its file is damaged.
        """
        from classification_assets.learning.artifacts import storage
        from classification_assets.learning.artifacts.files import ArtifactError

        name = key.to_user_string()
        advice = (
            f"dagster asset materialize -m classification_assets.definitions --select {name} "
            f"(or with all that it needs: --select '+key:\"{name}\"')"
        )
        if (found := self._found(key)) is None:
            raise MissingArtifactError(
                f"{name} is needed and has no artifact in {self.root}. Materialize it first: {advice}"
            )
        try:
            # The origin first: what is published meanwhile is newer than it says, and is refused.
            return Loaded(origin=storage.origin_of(found), value=storage.load(found))
        except ArtifactError as error:
            raise ArtifactError(f"{error}. Materialize {name} again: {advice}") from error

    def origin_of(self, key: str) -> Origin | None:
        """The origin of an artifact, by its key (``moons/split``); None if it must be made anew to have one.

        That is so if there is none, if its file is damaged, or does not say.
        """
        from classification_assets.learning.artifacts import storage
        from classification_assets.learning.artifacts.files import ArtifactError

        found = self._found(dg.AssetKey(key.split("/")))
        try:
            return None if found is None else storage.origin_of(found)
        except ArtifactError:
            return None

    def stored(self, key: dg.AssetKey) -> Any:
        """An asset's artifact; None if it has none.

        Raises
        ------
        ArtifactError
            If its file is damaged.
        """
        from classification_assets.learning.artifacts import storage

        found = self._found(key)
        return None if found is None else storage.load(found)

    def fold_memory(self, key: dg.AssetKey) -> FoldMemory | None:
        """How a stored split has dealt its rows; None if there is none that says so."""
        from classification_assets.learning.artifacts import storage

        found = self._found(key)
        return None if found is None else storage.load_memory(found)

    def sidecar(self, key: dg.AssetKey, name: str) -> bytes | None:
        """A file that an asset has published beside its artifact, if it has."""
        path = self.path_of(key, "").with_name(name)
        return path.read_bytes() if path.is_file() else None

    def _found(self, key: dg.AssetKey) -> UPath | None:
        for suffix in _READABLE:
            if (path := self.path_of(key, suffix[1:])).is_file():
                return path
        return None

    def link(self, path: UPath) -> str | None:
        """Where a browser finds an artifact, if the environment says at which address the folder is served."""
        base = os.environ.get(URL, "").rstrip("/")
        return f"{base}/{path.relative_to(self.root).as_posix()}" if base else None

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        if context.log:
            context.log.info(f"artifacts are stored in {self.root}")

    def handle_output(self, context: dg.OutputContext, obj: Staged | Published) -> None:
        with retrying(attempts_of(context)):
            obj.publish()

    def load_input(self, context: dg.InputContext) -> Loaded:
        with retrying(attempts_of(context)):
            return self.load(context.asset_key)
