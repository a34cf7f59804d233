"""The registry: versions that never change, one pointer, a log without gaps, and recovery from any kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import ValidationError
from upath import UPath

from classification_assets.learning.artifacts.files import ArtifactError
from classification_assets.learning.registry import history
from classification_assets.learning.registry.by_hand import roll_back
from classification_assets.learning.registry.change import changing
from classification_assets.learning.registry.contest import Told
from classification_assets.learning.registry.registry import NoChampionError, NoVersionError, Registry
from tests.learning.registry.promoted import promoted

CHURN = Path(__file__).with_name("churn.py")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def registry(tmp_path) -> Registry:
    return Registry(UPath(tmp_path), "moons")


def consistent(registry: Registry) -> None:
    """What must hold after whatever happened, once the next change has been made."""
    pointer, entries = registry.pointer(), registry.entries()
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    if pointer is None:
        assert not [entry for entry in entries if entry.champion]
        assert not registry.numbers()
        return
    assert pointer.version in registry.numbers()
    assert max(registry.numbers()) <= pointer.highest
    serving = [entry.champion for entry in entries if entry.champion is not None]
    assert serving[-1] == pointer.version
    made = [entry.version for entry in entries if entry.action == "promoted"]
    assert made == list(range(1, pointer.highest + 1))
    for version in registry.versions():
        for name in version.files:
            registry.file(version.number, name)
    left = [path.name for path in registry.folder.iterdir() if path.name.startswith(".partial")]
    assert not left


def test_versions_are_numbered_and_the_last_one_serves(registry):
    assert [promoted(registry) for _ in range(3)] == [1, 2, 3]
    assert registry.champion().name == "v0003"
    consistent(registry)


def test_without_a_promotion_it_is_said_what_to_do(registry):
    assert registry.pointer() is None
    with pytest.raises(NoChampionError, match=r"dagster asset materialize .*moons/champion"):
        registry.champion()


def test_a_version_that_is_not_there_is_told_with_those_that_are(registry):
    promoted(registry)
    with pytest.raises(NoVersionError, match=r"has no version 7.*there are: 1"):
        registry.version(7)


@pytest.mark.parametrize("name", ["../other", "a/b", "", "Moons", ".."])
def test_a_name_cannot_lead_out_of_the_storage(tmp_path, name):
    with pytest.raises(ValidationError, match="a-z0-9_"):
        Registry(UPath(tmp_path), name)


def test_a_file_that_was_changed_is_told_by_its_checksum(registry):
    promoted(registry)
    (registry.folder_of(1) / "model.safetensors").write_text("another")
    with pytest.raises(ArtifactError, match=r"damaged.*rollback moons"):
        registry.file(1, "model.safetensors")


def test_a_refusal_is_logged_and_changes_nothing_else(registry):
    promoted(registry)
    with changing(registry) as change:
        change.refuse({"promoted": False, "reason": "not better"}, run="night")
    assert registry.champion().number == 1
    assert registry.entries()[-1].reason == "not better"
    consistent(registry)


def test_a_lost_pointer_is_written_again_from_the_log(registry):
    promoted(registry)
    promoted(registry)
    with changing(registry) as change:
        change.pin(1)
    registry.pointer_file.unlink()
    with changing(registry) as change:
        assert (change.pointer.version, change.pointer.pinned, change.pointer.highest) == (2, (1,), 2)
    consistent(registry)


@pytest.mark.parametrize("lost", ["the pointer and the log", "the pointer and the newest entry"])
def test_what_is_lost_costs_no_version(registry, lost):
    for index in range(3):
        promoted(registry, f"model {index}")
    registry.pointer_file.unlink()
    entries = sorted((registry.folder / "decisions").iterdir())
    for entry in entries if lost == "the pointer and the log" else entries[-1:]:
        entry.unlink()
    with changing(registry) as change:
        assert change.pointer.highest == 3
    assert registry.numbers() == [1, 2, 3]
    assert registry.champion().number == (3 if lost == "the pointer and the log" else 2)
    assert promoted(registry) == 4


def test_two_rollbacks_go_two_versions_back(registry):
    for index in range(3):
        promoted(registry, f"model {index}")
    assert [roll_back(registry, None, Told()).version for _ in range(2)] == [2, 1]
    with pytest.raises(ArtifactError, match="no version that served before version 1"):
        roll_back(registry, None, Told())


def test_asking_for_a_change_of_what_is_not_there_makes_nothing(registry):
    with pytest.raises(NoChampionError):
        roll_back(registry, None, Told())
    assert not registry.folder.parent.exists()


@pytest.mark.parametrize("text", ["{", "[]", "\x00" * 40, "another version"])
def test_a_damaged_pointer_is_an_error_that_names_the_command_which_restores_it(registry, text):
    promoted(registry), promoted(registry)
    whole = registry.pointer_file.read_text()
    registry.pointer_file.write_text(
        whole.replace('"version": 2', '"version": 1', 1) if text == "another version" else text
    )
    with pytest.raises(ArtifactError, match=r"champion\.json is damaged.*--select moons/champion"):
        registry.champion()
    with changing(registry):
        pass
    assert registry.pointer_file.read_text() == whole
    consistent(registry)


def test_a_pointer_of_an_earlier_version_of_the_project_is_believed(registry):
    promoted(registry)
    pointer = json.loads(registry.pointer_file.read_text())
    del pointer["crc32"]
    registry.pointer_file.write_text(json.dumps(pointer))
    assert registry.champion().number == 1


def test_the_newest_entry_of_the_log_is_restored_from_the_pointer(registry):
    promoted(registry)
    entry = registry.folder / "decisions" / "000001.json"
    whole = entry.read_text()
    entry.write_text(whole.replace('"action": "promoted"', '"action": "released"'))
    with changing(registry):
        pass
    assert entry.read_text() == whole


def test_a_number_is_never_given_again(registry):
    for _ in range(3):
        promoted(registry)
    with changing(registry) as change:
        change.serve(1, "rolled back")
        change.retain(1)
    assert registry.numbers() == [1, 3]
    assert promoted(registry) == 4


def test_the_log_as_a_table_begins_with_the_newest(registry):
    promoted(registry)
    promoted(registry, "other", because="a reason")
    table = history.decisions(registry)
    assert table["champion"].tolist() == ["v0002", "v0001"]
    assert table["reason"].iloc[0] == "a reason"
    versions = history.versions(registry)
    assert versions[["version", "champion"]].to_numpy().tolist() == [["v0002", True], ["v0001", False]]


def test_a_reader_always_finds_a_version_while_others_promote(registry):
    promoted(registry)
    churn = churning(registry, "promote", 40)
    seen = set()
    while churn.poll() is None:
        pointer = registry.pointer()
        seen.add(json.loads((registry.folder_of(pointer.version) / "version.json").read_text())["number"])
    assert churn.returncode == 0
    assert len(seen) > 1


def test_promotions_of_several_processes_at_once_are_all_kept(registry):
    processes = [churning(registry, "promote", 12) for _ in range(4)]
    assert [process.wait(120) for process in processes] == [0] * 4
    assert registry.champion().number == 48
    assert len(registry.entries()) == 48
    consistent(registry)


def test_a_kill_at_any_moment_leaves_a_registry_that_the_next_change_completes(registry):
    promoted(registry)
    for round in range(int(os.environ.get("SOAK", "8"))):
        process = churning(registry, "everything", 10_000)
        started = time.monotonic()
        before = len(list((registry.folder / "decisions").iterdir()))
        while time.monotonic() - started < 30:  # until it works
            if len(list((registry.folder / "decisions").iterdir())) > before + round % 5:
                break
            time.sleep(0.001 * (1 + round % 7))
        process.send_signal(signal.SIGKILL)
        process.wait()
        readable = registry.champion()  # what serves can be read at once, before anything is completed
        assert readable.number in registry.numbers()
        with changing(registry):
            pass
        consistent(registry)
    with changing(registry) as change:
        change.retain(3)
    assert len(registry.numbers()) <= 4  # the last three, and the champion if it is an older one


def churning(registry: Registry, what: str, times: int) -> subprocess.Popen:
    """A process that changes a registry many times."""
    command = [sys.executable, str(CHURN), str(registry.root), registry.experiment, what, str(times)]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)})
