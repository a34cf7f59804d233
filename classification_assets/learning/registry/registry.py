"""Registry of an experiment: immutable versions of promoted models, one pointer to the champion, and the log.

Below the storage's root::

    moons/champion.json                the pointer, replaced in one step
    moons/champion/v0007/              a version: model.safetensors, evaluation.parquet, MODEL_CARD.md, decision.json,
                                       reference.parquet, perhaps model.onnx, and version.json with their checksums
    moons/champion/decisions/000012.json   an entry of the log, refusals included

Here it is read; `change` says how it is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter
from upath import UPath

from classification_assets.learning.artifacts.files import ArtifactError, is_file, names_in
from classification_assets.learning.artifacts.origin import COMMAND
from classification_assets.learning.declaration import Name
from classification_assets.learning.registry.files import (
    read_record,
    sha256,
)
from classification_assets.learning.registry.records import Entry, Pointer, Version, folder_name

MANIFEST = "version.json"
Model = TypeVar("Model", bound=BaseModel)
_NAME: TypeAdapter[str] = TypeAdapter(Name)


class NoChampionError(ArtifactError):
    """An experiment that has no champion yet."""


class NoVersionError(ArtifactError):
    """A version that is not in the registry."""


class DamagedPointerError(ArtifactError):
    """A pointer that cannot be believed; the log says what it said."""


@dataclass(frozen=True)
class Registry:
    """The versions, the champion and the log of one experiment.

    Attributes
    ----------
    root : UPath
        The storage's root.
    experiment : str
    """

    root: UPath
    experiment: str

    def __post_init__(self) -> None:
        _NAME.validate_python(self.experiment)  # a name that is none could lead out of the root

    @property
    def folder(self) -> UPath:
        """The folder of versions and of the log."""
        return self.root / self.experiment / "champion"

    @property
    def pointer_file(self) -> UPath:
        return self.root / self.experiment / "champion.json"

    def folder_of(self, number: int) -> UPath:
        """The folder of a version."""
        return self.folder / folder_name(number)

    def pointer(self) -> Pointer | None:
        """The pointer to the champion; None if there is no champion yet.

        Raises
        ------
        ArtifactError
            If its file is damaged.
        """
        try:
            return read_record(Pointer, self.pointer_file)
        except FileNotFoundError:
            return None
        except ArtifactError as error:
            raise DamagedPointerError(
                f"{error}. Materialize {self.experiment}/champion, which writes it again from the log: "
                f"{COMMAND} {self.experiment}/champion"
            ) from error

    def champion(self) -> Version:
        """The version that serves.

        Raises
        ------
        NoChampionError
            If nothing was promoted yet.
        """
        if (pointer := self.pointer()) is None:
            refused = [entry.reason for entry in self.entries() if entry.action == "refused"]
            why = f" (the last challenger was refused: {refused[-1]})" if refused else ""
            raise NoChampionError(
                f"{self.experiment} has no champion in {self.root}: nothing was promoted yet{why}. Materialize it: "
                f"{COMMAND} '+key:\"{self.experiment}/champion\"'"
            )
        return self.version(pointer.version)

    def version(self, number: int) -> Version:
        """The manifest of a version.

        Raises
        ------
        NoVersionError
            If there is none of that number (any more).
        """
        file = self.folder_of(number) / MANIFEST
        try:
            return read_record(Version, file)
        except FileNotFoundError as error:
            there = ", ".join(str(own) for own in self.numbers()) or "none"
            raise NoVersionError(
                f"{self.experiment} has no version {number} in {self.folder}; there are: {there}"
            ) from error
        except ArtifactError as error:
            raise ArtifactError(f"{error}. {self._way_out}") from error

    def numbers(self) -> list[int]:
        """The numbers of all versions that are kept, ascending."""
        names = [name for name in names_in(self.folder) if name[:1] == "v" and name[1:].isdigit()]
        return sorted(int(name[1:]) for name in names if is_file(self.folder / name / MANIFEST))

    def versions(self) -> list[Version]:
        """All versions that are kept, the oldest first; one whose manifest is damaged is left out."""
        return list(readable(Version, [self.folder_of(number) / MANIFEST for number in self.numbers()]))

    def entries(self) -> list[Entry]:
        """The log, the oldest entry first; what is damaged is left out."""
        return list(
            readable(Entry, [self.log_folder / f"{number:06d}.json" for number in self.entry_numbers()])
        )

    def file(self, number: int, name: str) -> UPath:
        """A file of a version, after its checksum was compared.

        Raises
        ------
        NoVersionError
            If there is no such version.
        ArtifactError
            If the version has no such file, or it is damaged.
        """
        version = self.version(number)
        path = self.folder_of(number) / name
        if name not in version.files:
            raise ArtifactError(
                f"{path}: version {number} has no such file; it has {', '.join(version.files)}"
            )
        if not is_file(path) or sha256(path) != version.files[name]:
            raise ArtifactError(
                f"{path} is damaged: its checksum is not that of the manifest. {self._way_out}"
            )
        return path

    @property
    def _way_out(self) -> str:
        """Advice about a damaged version."""
        return (
            f"Materialize {self.experiment}/champion, which replaces it: {COMMAND} {self.experiment}/champion; or "
            f"take another version: python -m classification_assets.registry rollback {self.experiment}"
        )

    @property
    def log_folder(self) -> UPath:
        """The folder of the log."""
        return self.folder / "decisions"

    def entry_numbers(self) -> list[int]:
        """The numbers of all entries of the log, ascending."""
        stems = [name.removesuffix(".json") for name in names_in(self.log_folder)]
        return sorted(int(stem) for stem in stems if stem.isdigit())


def readable(model: type[Model], files: Iterable[UPath]) -> Iterator[Model]:
    """The records that are there and undamaged."""
    for file in files:
        try:
            yield read_record(model, file)
        except (ArtifactError, FileNotFoundError):
            continue  # damaged, or removed meanwhile
