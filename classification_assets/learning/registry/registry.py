"""Registry of an experiment: immutable versions of promoted models, one pointer to the champion, and the log.

Below the storage's root::

    moons/champion.json                the pointer, replaced in one step
    moons/champion/v0007/              a version: model.safetensors, evaluation.parquet, MODEL_CARD.md, decision.json,
                                       reference.parquet, perhaps model.onnx, and version.json with their checksums
    moons/champion/decisions/000012.json   an entry of the log, refusals included

Every change holds a lock and is made in an order that a kill at any moment leaves consistent: the version's folder
appears, the pointer is replaced, the entry, which the pointer holds too, is written. `_recovered` completes what was
begun.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter
from upath import UPath

from classification_assets.learning.artifacts.checksum import sealed_record
from classification_assets.learning.artifacts.files import ArtifactError, is_file, names_in
from classification_assets.learning.artifacts.origin import COMMAND
from classification_assets.learning.declaration import Name
from classification_assets.learning.registry.files import (
    locked,
    publish_folder,
    read_record,
    remove_abandoned,
    remove_folder,
    sha256,
    staging_folder,
    write_record,
)
from classification_assets.learning.registry.records import Action, Entry, Pointer, Version, folder_name

MANIFEST, DECISION = "version.json", "decision.json"
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
        return list(_readable(Version, [self.folder_of(number) / MANIFEST for number in self.numbers()]))

    def entries(self) -> list[Entry]:
        """The log, the oldest entry first; what is damaged is left out."""
        return list(_readable(Entry, [self._log / f"{number:06d}.json" for number in self._entry_numbers()]))

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
        """What to do about a damaged version."""
        return (
            f"Materialize {self.experiment}/champion, which replaces it: {COMMAND} {self.experiment}/champion; or "
            f"take another version: python -m classification_assets.registry rollback {self.experiment}"
        )

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """Hold the lock, complete what a killed process has begun, and change the registry."""
        with locked(self.folder):
            change = Change(self, self._recovered())
            try:
                yield change
            finally:
                change.discard()

    @property
    def _log(self) -> UPath:
        return self.folder / "decisions"

    def _entry_numbers(self) -> list[int]:
        stems = [name.removesuffix(".json") for name in names_in(self._log)]
        return sorted(int(stem) for stem in stems if stem.isdigit())

    def _recovered(self) -> Pointer | None:
        """The pointer, after what was begun by a killed process is complete, or gone."""
        for folder in (self.folder, self._log, self.folder.parent):
            remove_abandoned(folder)
        try:
            pointer = self.pointer()
        except DamagedPointerError:
            pointer = None
        if pointer is None:
            # Without a pointer nothing is known to be too much, so that nothing is removed.
            return self._found_again()
        number = pointer.entry.number
        if number >= max(self._entry_numbers(), default=0) and not self._readable_entry(number):
            self._write_entry(pointer.entry)
        # A version that appeared before its pointer did was never a champion.
        for number in self.numbers():
            if number > pointer.highest:
                remove_folder(self.folder_of(number), MANIFEST)
        return pointer

    def _found_again(self) -> Pointer | None:
        """The pointer of a registry that has lost it: as the log says, else to the newest version that is there."""
        entries, versions = self.entries(), self.versions()
        if not versions:
            return None
        kept = {version.number: version for version in versions}
        serving = [entry for entry in entries if entry.champion in kept]
        if serving:
            last = serving[-1]
        else:
            newest = versions[-1]
            last = Entry(
                number=max(self._entry_numbers(), default=0) + 1,
                time=datetime.now(UTC),
                action="promoted",
                version=newest.number,
                champion=newest.number,
                because="pointer and log were lost: the newest version that is there serves",
                **_of(newest),
            )
        pinned: set[int] = set()
        for entry in entries:
            if entry.version is not None and entry.action == "pinned":
                pinned.add(entry.version)
            if entry.version is not None and entry.action == "released":
                pinned.discard(entry.version)
        assert last.champion is not None
        pointer = Pointer(
            experiment=self.experiment,
            version=last.champion,
            highest=max(
                *self.numbers(), *(entry.champion for entry in entries if entry.champion is not None), 1
            ),
            pinned=tuple(sorted(pinned)),
            entry=last,
        )
        write_record(self.pointer_file, pointer)
        if not serving:
            self._write_entry(last)
        return pointer

    def _readable_entry(self, number: int) -> bool:
        return any(True for _ in _readable(Entry, [self._log / f"{number:06d}.json"]))

    def _write_entry(self, entry: Entry) -> None:
        write_record(self._log / f"{entry.number:06d}.json", entry)


class Change:
    """A change of a registry, whose lock is held.

    Attributes
    ----------
    pointer : Pointer or None
        As it is now.
    """

    def __init__(self, registry: Registry, pointer: Pointer | None) -> None:
        self.registry, self.pointer = registry, pointer
        self._staged: list[Path] = []

    def staged(self) -> Path:
        """A local folder for the files of the next version."""
        self._staged.append(staging_folder(self.registry.folder, folder_name(self.next_number)))
        return self._staged[-1]

    def discard(self) -> None:
        """Remove what was staged and not published: a full disk shall not stay full."""
        for folder in self._staged:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def next_number(self) -> int:
        """The number of the next version; one that was given is never given again."""
        return 1 if self.pointer is None else self.pointer.highest + 1

    def promote(self, staged: Path, version: Version, decision: dict[str, Any], **told: Any) -> Pointer:
        """Make a staged folder a version and the champion; `told` is what else its entry says."""
        (staged / DECISION).write_text(json.dumps(decision, indent=1), encoding="utf-8")
        files = {file.name: sha256(file) for file in sorted(staged.iterdir())}
        version = version.model_copy(update={"files": files})
        (staged / MANIFEST).write_text(sealed_record(version.model_dump_json()), encoding="utf-8")
        publish_folder(staged, self.registry.folder_of(version.number), MANIFEST)
        return self._point("promoted", version.number, decision=decision, **_of(version), **told)

    def refuse(self, decision: dict[str, Any], **told: Any) -> Entry:
        """Record that a challenger was not promoted."""
        champion = None if self.pointer is None else self.pointer.version
        entry = self._entry("refused", None, champion, decision=decision, **told)
        self.registry._write_entry(entry)
        return entry

    def serve(self, number: int, action: Action, **told: Any) -> Pointer:
        """Make a version that is kept the champion again.

        Raises
        ------
        NoVersionError
            If it is not kept.
        """
        return self._point(action, number, **_of(self.registry.version(number)), **told)

    def pin(self, number: int, pinned: bool = True, **told: Any) -> Pointer:
        """Keep a version for good; while it is the champion, only a person replaces it. Or release it.

        Raises
        ------
        NoVersionError
            If it is not kept.
        """
        version = self.registry.version(number)
        assert self.pointer is not None  # where there is a version, there is a champion
        now = set(self.pointer.pinned) | {number} if pinned else set(self.pointer.pinned) - {number}
        action: Action = "pinned" if pinned else "released"
        entry = self._entry(action, number, self.pointer.version, **_of(version), **told)
        return self._write(self.pointer.model_copy(update={"pinned": tuple(sorted(now)), "entry": entry}))

    def retain(self, keep: int) -> list[int]:
        """Remove old versions, but for the champion, pinned ones and the last `keep`; return their numbers."""
        if self.pointer is None:
            return []
        numbers = self.registry.numbers()
        kept = {self.pointer.version, *self.pointer.pinned, *numbers[-keep:]}
        removed = [number for number in numbers if number not in kept]
        for number in removed:
            remove_folder(self.registry.folder_of(number), MANIFEST)
        return removed

    def _point(self, action: Action, number: int, **told: Any) -> Pointer:
        entry = self._entry(action, number, number, **told)
        highest, pinned = (0, ()) if self.pointer is None else (self.pointer.highest, self.pointer.pinned)
        return self._write(
            Pointer(
                experiment=self.registry.experiment,
                version=number,
                highest=max(highest, number),
                pinned=pinned,
                entry=entry,
            )
        )

    def _write(self, pointer: Pointer) -> Pointer:
        write_record(self.registry.pointer_file, pointer)
        self.registry._write_entry(pointer.entry)
        self.pointer = pointer
        return pointer

    def _entry(self, action: Action, version: int | None, champion: int | None, **told: Any) -> Entry:
        numbers = self.registry._entry_numbers()
        return Entry(
            number=numbers[-1] + 1 if numbers else 1,
            time=datetime.now(UTC),
            action=action,
            version=version,
            champion=champion,
            **told,
        )


def _of(version: Version) -> dict[str, str]:
    return {"architecture": version.architecture, "model_version": version.model_version}


def _readable(model: type[Model], files: Iterable[UPath]) -> Iterator[Model]:
    for file in files:
        try:
            yield read_record(model, file)
        except (ArtifactError, FileNotFoundError):
            continue  # damaged, or removed meanwhile
