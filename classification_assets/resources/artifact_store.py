"""ArtifactStore: where assets' artifacts are, and their publication in one step."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
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
    """An artifact that is read when it is asked for, and what it was made of; None if its file does not say."""

    origin: Origin | None
    read: Callable[[], Any]

    @cached_property
    def value(self) -> Any:
        """The artifact.

        Raises
        ------
        ArtifactError
            If its file is damaged.
        """
        return self.read()


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
        svg: bool = False,
    ) -> Staged | Published:
        """Write an artifact, and what is to be read beside it; `publish` of what is returned does the rest."""
        from classification_assets.learning.artifacts import storage

        if isinstance(value, storage.Published):
            return value
        with self.advising(key):
            return storage.stage(value, self.path_of(key, suffix), sidecars, origin, svg)

    def advising(self, key: dg.AssetKey) -> AbstractContextManager[None]:
        """While an asset is made and stored: errors of the operating system name the command that makes it again."""
        from classification_assets.learning.artifacts.origin import making

        name = key.to_user_string()
        return _advising(f"When that has passed, materialize {name} again: {making(name)}")

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
        from classification_assets.learning.artifacts.origin import making

        name = key.to_user_string()
        if (found := self._found(key)) is None:
            raise MissingArtifactError(
                f"{name} is needed and has no artifact in {self.root}. Materialize it first: {making(name)}"
            )

        def told(read: Callable[[UPath], Any]) -> Any:
            try:
                with _advising(
                    f"Nothing of {name} has changed: when that has passed, run what needs it again"
                ):
                    return read(found)
            except ArtifactError as error:
                raise ArtifactError(f"{error}. Materialize {name} again: {making(name)}") from error

        # The origin first: what is published meanwhile is newer than it says, and is refused.
        return Loaded(told(storage.origin_of), lambda: told(storage.load))

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
        """A file that an asset has published beside its artifact, if it has.

        Raises
        ------
        ArtifactError
            If it is a damaged picture.
        """
        from classification_assets.learning.artifacts import storage
        from classification_assets.learning.artifacts.files import ArtifactError, is_file
        from classification_assets.learning.artifacts.origin import making

        path = self.path_of(key, "").with_name(name)
        if not is_file(path):
            return None
        try:
            return storage.load(path) if path.suffix == ".png" else path.read_bytes()
        except ArtifactError as error:
            made = key.to_user_string()
            raise ArtifactError(f"{error}. Materialize {made} again: {making(made)}") from error

    def _found(self, key: dg.AssetKey) -> UPath | None:
        from classification_assets.learning.artifacts.files import is_file

        for suffix in _READABLE:
            if is_file(path := self.path_of(key, suffix[1:])):
                return path
        return None

    def link(self, path: UPath) -> str | None:
        """Where a browser finds an artifact, if the environment says at which address the folder is served."""
        base = os.environ.get(URL, "").rstrip("/")
        return f"{base}/{path.relative_to(self.root).as_posix()}" if base else None

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Nothing comes here: a step publishes its artifact itself, see `assets.step`.

        Raises
        ------
        TypeError
            If an asset of one's own leaves its value to this store.
        """
        raise TypeError(
            f"{context.asset_key.to_user_string()}: the resource 'artifacts' stores what experiments make; give an "
            "asset of your own another I/O manager (io_manager_key)"
        )

    def load_input(self, context: dg.InputContext) -> Loaded:
        with retrying(attempts_of(context)):
            return self.load(context.asset_key)


@contextmanager
def _advising(advice: str) -> Iterator[None]:
    """Say of an error of the operating system what makes good for it; its number stays.

    Raises
    ------
    OSError
        With the advice.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or error.strerror is None:
            raise
        about = "" if error.filename is None else f": {error.filename}"
        raise OSError(error.errno, f"{error.strerror}{about}. {advice}") from error
