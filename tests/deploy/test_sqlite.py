"""Backup and restore of the default instance, whose records are SQLite files."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg
import pytest

from tests.deploy.deployment import Deployment
from tests.deploy.units import DEPLOY, ROOT, program

DECLARED = '''
import dagster as dg

@dg.asset(key=["moons", "dataset"])
def dataset():
    """An asset that materializes fast."""

@dg.schedule(cron_schedule="0 0 29 2 *", job=dg.define_asset_job("all", "*"))
def retraining():
    return dg.RunRequest()

definitions = dg.Definitions([dataset], schedules=[retraining])
'''


@pytest.fixture(scope="module")
def materialized(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """An instance with a run, an artifact, and a schedule that is on; tests read it, and change copies."""
    home = tmp_path_factory.mktemp("sqlite") / "home"
    instance = Deployment.new(home, {}, ROOT / ".dagster" / "dagster.yaml")
    declared = instance.logs / "declared.py"
    declared.write_text(DECLARED)
    instance.succeeds([program("dagster"), "asset", "materialize", "-f", str(declared), "--select", "*"])
    instance.succeeds([program("dagster"), "schedule", "start", "-f", str(declared), "retraining"])
    artifact = home / "artifacts" / "moons" / "dataset.parquet"
    artifact.parent.mkdir(parents=True)
    artifact.write_bytes(b"rows")
    return instance


@pytest.fixture(scope="module")
def archive(materialized: Deployment) -> Path:
    return materialized.backup(materialized.home.with_name("backups"))


@pytest.fixture
def copied(materialized: Deployment, tmp_path: Path) -> Deployment:
    """A copy of the instance, for one test to change."""
    copied = Deployment.new(tmp_path / "home", {}, materialized.home / "dagster.yaml")
    shutil.copytree(materialized.home, copied.home, dirs_exist_ok=True)
    return copied


@pytest.fixture
def target(tmp_path: Path) -> Deployment:
    """Where nothing is yet but the shipped settings."""
    return Deployment.new(tmp_path / "target", {}, ROOT / ".dagster" / "dagster.yaml")


def restored(target: Deployment, archive: Path) -> str:
    done = target.restore(archive)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refused(target: Deployment, archive: Path) -> str:
    """The message of a refusal, after which the target is what it was."""
    before = sorted(target.home.rglob("*"))
    done = target.restore(archive)
    assert done.returncode == 1, done.stdout + done.stderr
    assert sorted(target.home.rglob("*")) == before
    return done.stderr


@contextmanager
def meanwhile(write: Callable[[int], None]) -> Iterator[None]:
    """Call `write` with 1, 2, 3 … in a thread until the block ends."""
    over, failed = threading.Event(), []

    def loop() -> None:
        number = 0
        try:
            while not over.is_set():
                write(number := number + 1)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not failed, failed


def test_runs_artifacts_and_schedules_are_there_after_a_restore(
    materialized: Deployment, archive: Path, target: Deployment
) -> None:
    restored(target, archive)
    with dg.DagsterInstance.from_config(str(target.home)) as instance:
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.SUCCESS
        assert instance.get_latest_materialization_event(dg.AssetKey(["moons", "dataset"])) is not None
        (schedule,) = instance.all_instigator_state()
        assert schedule.status.value == "RUNNING"
        assert instance.all_logs(run.run_id)
        assert instance.create_run_for_job(_job).run_id  # it goes on
    kept = Path("artifacts") / "moons" / "dataset.parquet"
    assert (target.home / kept).read_bytes() == (materialized.home / kept).read_bytes()
    assert (target.home / "dagster.yaml").is_file()


def test_a_home_without_settings_takes_those_of_the_archive(archive: Path, target: Deployment) -> None:
    shutil.rmtree(target.home)
    restored(target, archive)
    assert (target.home / "dagster.yaml").read_text() == (ROOT / ".dagster" / "dagster.yaml").read_text()


def test_records_are_whole_though_they_are_written_meanwhile(copied: Deployment, target: Deployment) -> None:
    with dg.DagsterInstance.from_config(str(copied.home)) as instance:

        def write(number: int) -> None:
            instance.report_runless_asset_event(dg.AssetMaterialization("x", metadata={"n": number}))
            instance.create_run_for_job(_job, tags={"number": str(number)})

        # It is in the write-ahead log, which a copy of the file would leave behind.
        early = instance.create_run_for_job(_job)
        with meanwhile(write):
            archive = copied.backup(copied.home.with_name("backups"))
    restored(target, archive)
    files = [*target.home.glob("history/**/*.db"), *target.home.glob("schedules/*.db")]
    assert len(files) > 3
    for file in files:
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",), file
    with dg.DagsterInstance.from_config(str(target.home)) as instance:
        assert instance.get_run_by_id(early.run_id) is not None


def test_a_copy_in_which_a_champions_pointer_has_no_version_is_made_again(
    copied: Deployment, target: Deployment, tmp_path: Path
) -> None:
    version = copied.home / "artifacts" / "moons" / "champion" / "v0002"
    version.mkdir(parents=True)
    (version / "version.json").write_text("{}")
    version.parent.with_suffix(".json").write_text(json.dumps({"version": 2}))
    (version.parent / ".partial-v0003").mkdir()
    # The first copy misses the version, as it does where a promotion is made between its two files.
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin" / "cp"
    slow.write_text(
        f"""#!/bin/sh
{shutil.which("cp")} "$@" || exit 1
case $1 in -al) [ -e "{tmp_path}/again" ] || rm -r "$3/moons/champion/v0002"; touch "{tmp_path}/again" ;; esac
"""
    )
    slow.chmod(0o755)
    copied.settings["PATH"] = f"{slow.parent}:{os.environ['PATH']}"
    restored(target, copied.backup(tmp_path / "backups"))
    assert (tmp_path / "again").exists()
    champion = target.home / "artifacts" / "moons" / "champion"
    assert [path.name for path in champion.rglob("*")] == ["v0002", "version.json"]


def test_a_run_whose_process_is_gone_is_marked_as_failed(copied: Deployment, target: Deployment) -> None:
    with dg.DagsterInstance.from_config(str(copied.home)) as instance:
        lost = instance.create_run_for_job(_job, status=dg.DagsterRunStatus.STARTED)
    told = restored(target, copied.backup(copied.home.with_name("backups")))
    assert "2 runs; 1 that were in progress are marked as failed" in told
    with dg.DagsterInstance.from_config(str(target.home)) as instance:
        run = instance.get_run_by_id(lost.run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.FAILURE


def test_a_home_in_use_is_refused(archive: Path, copied: Deployment) -> None:
    assert f"{copied.home} must be empty but for dagster.yaml, and holds" in refused(copied, archive)


def test_a_folder_of_artifacts_in_use_is_refused(archive: Path, target: Deployment, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    target.settings["CLASSIFICATION_ASSETS_STORAGE"] = str(tmp_path / "elsewhere")
    assert f"CLASSIFICATION_ASSETS_STORAGE={tmp_path / 'elsewhere'} must be empty" in refused(target, archive)


def test_artifacts_elsewhere_are_put_back_there(
    copied: Deployment, target: Deployment, tmp_path: Path
) -> None:
    shutil.move(copied.home / "artifacts", tmp_path / "elsewhere")
    copied.settings["CLASSIFICATION_ASSETS_STORAGE"] = str(tmp_path / "elsewhere")
    target.settings["CLASSIFICATION_ASSETS_STORAGE"] = str(tmp_path / "restored")
    restored(target, copied.backup(tmp_path / "backups"))
    assert (tmp_path / "restored" / "moons" / "dataset.parquet").is_file()
    assert sorted(path.name for path in tmp_path.glob(".backup*")) == []


def test_other_settings_than_the_archives_are_refused(archive: Path, target: Deployment) -> None:
    shutil.copy(DEPLOY / "dagster.yaml", target.home)
    assert "says postgres" in refused(target, archive)


def test_a_damaged_archive_is_refused(archive: Path, target: Deployment, tmp_path: Path) -> None:
    damaged = tmp_path / archive.name
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    assert f"{damaged} is damaged" in refused(target, damaged)


def test_an_archive_with_a_changed_file_is_refused(archive: Path, target: Deployment, tmp_path: Path) -> None:
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path / "content", filter="data")
    (tmp_path / "content" / "artifacts" / "moons" / "dataset.parquet").write_bytes(b"other rows")
    changed = tmp_path / "changed.tar.gz"
    with tarfile.open(changed, "w:gz") as written:
        written.add(tmp_path / "content", ".")
    assert "a checksum is not that of SHA256SUMS" in refused(target, changed)


def test_the_last_archives_are_kept(materialized: Deployment, tmp_path: Path) -> None:
    old = [f"classification-assets-2020010{day}T000000Z.tar.gz" for day in (1, 2, 3)]
    for name in (*old, "of-somebody-else.tar.gz"):
        (tmp_path / name).touch()
    new = materialized.backup(tmp_path, "--keep", "2")
    assert {path.name for path in tmp_path.iterdir()} == {old[2], new.name, "of-somebody-else.tar.gz"}
    assert new.stat().st_mode & 0o077 == 0


def test_a_folder_that_does_not_exist_is_told_with_the_command_that_makes_it(
    materialized: Deployment, tmp_path: Path
) -> None:
    done = materialized.run(DEPLOY / "backup", tmp_path / "missing")
    assert done.returncode == 1
    assert f"{tmp_path / 'missing'} must be a folder" in done.stderr
    assert "install -d" in done.stderr


def test_artifacts_on_an_object_store_are_left_to_it(materialized: Deployment, tmp_path: Path) -> None:
    store = {"CLASSIFICATION_ASSETS_STORAGE": "s3://bucket/artifacts"}
    done = materialized.run(DEPLOY / "backup", tmp_path, **store)
    assert done.returncode == 1
    assert "CLASSIFICATION_ASSETS_STORAGE=s3://bucket/artifacts is no local folder" in done.stderr
    assert materialized.run(DEPLOY / "backup", tmp_path, "--without-artifacts", **store).returncode == 0


@dg.job
def _job() -> None:
    """No step."""
