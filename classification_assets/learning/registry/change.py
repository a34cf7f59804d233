"""Changes of a registry: each holds a lock, and is made in an order that a kill at any moment leaves consistent.

The version's folder appears, the pointer is replaced, the entry, which the pointer holds too, is written. What a killed
process has begun is completed, or removed, when the next change begins.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from classification_assets.learning.artifacts.checksum import sealed_record
from classification_assets.learning.registry.files import (
    locked,
    publish_folder,
    remove_abandoned,
    remove_folder,
    sha256,
    staging_folder,
    write_record,
)
from classification_assets.learning.registry.records import Action, Entry, Pointer, Version, folder_name
from classification_assets.learning.registry.registry import MANIFEST, DamagedPointerError, Registry, readable

DECISION = "decision.json"


@contextmanager
def changing(registry: Registry) -> Iterator[Change]:
    """Hold the lock, complete what a killed process has begun, and change the registry."""
    with locked(registry.folder):
        change = Change(registry, _recovered(registry))
        try:
            yield change
        finally:
            change.discard()


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
        _write_entry(self.registry, entry)
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
        _write_entry(self.registry, pointer.entry)
        self.pointer = pointer
        return pointer

    def _entry(self, action: Action, version: int | None, champion: int | None, **told: Any) -> Entry:
        numbers = self.registry.entry_numbers()
        return Entry(
            number=numbers[-1] + 1 if numbers else 1,
            time=datetime.now(UTC),
            action=action,
            version=version,
            champion=champion,
            **told,
        )


def _recovered(registry: Registry) -> Pointer | None:
    """The pointer, after what was begun by a killed process is complete, or gone."""
    for folder in (registry.folder, registry.log_folder, registry.folder.parent):
        remove_abandoned(folder)
    try:
        pointer = registry.pointer()
    except DamagedPointerError:
        pointer = None
    if pointer is None:
        # Without a pointer nothing is known to be too much, so that nothing is removed.
        return _found_again(registry)
    number = pointer.entry.number
    if number >= max(registry.entry_numbers(), default=0) and not _readable_entry(registry, number):
        _write_entry(registry, pointer.entry)
    # A version that appeared before its pointer did was never a champion.
    for number in registry.numbers():
        if number > pointer.highest:
            remove_folder(registry.folder_of(number), MANIFEST)
    return pointer


def _found_again(registry: Registry) -> Pointer | None:
    """The pointer of a registry that has lost it: as the log says, else to the newest version that is there."""
    entries, versions = registry.entries(), registry.versions()
    if not versions:
        return None
    kept = {version.number: version for version in versions}
    serving = [entry for entry in entries if entry.champion in kept]
    if serving:
        last = serving[-1]
    else:
        newest = versions[-1]
        last = Entry(
            number=max(registry.entry_numbers(), default=0) + 1,
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
        experiment=registry.experiment,
        version=last.champion,
        highest=max(
            *registry.numbers(), *(entry.champion for entry in entries if entry.champion is not None), 1
        ),
        pinned=tuple(sorted(pinned)),
        entry=last,
    )
    write_record(registry.pointer_file, pointer)
    if not serving:
        _write_entry(registry, last)
    return pointer


def _readable_entry(registry: Registry, number: int) -> bool:
    return any(True for _ in readable(Entry, [registry.log_folder / f"{number:06d}.json"]))


def _write_entry(registry: Registry, entry: Entry) -> None:
    write_record(registry.log_folder / f"{entry.number:06d}.json", entry)


def _of(version: Version) -> dict[str, str]:
    return {"architecture": version.architecture, "model_version": version.model_version}
