"""A deployment on PostgreSQL for real: its units' processes, a run, a backup, a loss, a restore."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.deploy.deployment import Deployment
from tests.deploy.postgres_server import Postgres
from tests.deploy.units import DEPLOY, program
from tests.e2e.processes import Server

SCHEDULE = """query ($selector: ScheduleSelector!) { scheduleOrError(scheduleSelector: $selector) {
    ... on Schedule { scheduleState { status } } } }"""
START = """mutation ($selector: ScheduleSelector!) { startSchedule(scheduleSelector: $selector) {
    __typename ... on ScheduleStateResult { scheduleState { status } } } }"""


@pytest.fixture(scope="module")
def server(deployment: Deployment) -> Server:
    """The webserver of the running deployment."""
    return deployment.start()


@pytest.fixture(scope="module")
def run(server: Server) -> str:
    """A run that was launched as the UI does."""
    run = server.launch("moons/dataset")
    assert server.wait_until_done(run) == "SUCCESS"
    return run


@pytest.fixture(scope="module")
def archive(deployment: Deployment, server: Server, run: str) -> Path:
    """A backup, made while everything goes on, of an instance whose schedule is on."""
    selector = server.selector(scheduleName="retraining")
    assert server.ask(START, selector=selector)["scheduleState"]["status"] == "RUNNING"
    return deployment.backup(deployment.home.with_name("backups"))


@pytest.fixture(scope="module")
def restored(deployment: Deployment, postgres: Postgres, archive: Path) -> Iterator[Server]:
    """The deployment after everything but the archive was lost, started again."""
    deployment.stop()
    shutil.rmtree(deployment.home)
    postgres.ask("drop database classification_assets with (force)", "postgres")
    postgres.ask("create database classification_assets", "postgres")
    done = deployment.restore(archive)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 runs; 0 that were in progress" in done.stdout
    yield deployment.start()
    deployment.stop()


def test_a_run_launched_by_the_web_ui_is_stored_in_postgresql(postgres: Postgres, run: str) -> None:
    assert postgres.ask(f"select status from runs where run_id = '{run}'") == "SUCCESS"


def test_a_runs_events_are_stored_in_postgresql_and_its_artifact_in_the_home(
    deployment: Deployment, postgres: Postgres, run: str
) -> None:
    stored = postgres.ask(f"select count(*) from event_logs where run_id = '{run}' and asset_key is not null")
    assert int(stored) > 0
    assert (deployment.home / "artifacts" / "moons" / "dataset.parquet").is_file()
    assert not list(deployment.home.rglob("*.db"))


def test_all_processes_listen_on_the_loopback_only(deployment: Deployment, server: Server) -> None:
    parents = [psutil.Process(started.pid) for started in deployment.running.values()]
    processes = [process for parent in parents for process in [parent, *parent.children(recursive=True)]]
    listening = [
        (process.name(), socket.laddr)
        for process in processes
        for socket in process.net_connections("inet")
        if socket.status == psutil.CONN_LISTEN
    ]
    ports = {address.port for _, address in listening}
    assert {int(deployment.settings[name]) for name in ("WEBSERVER_PORT", "CODE_SERVER_PORT")} <= ports
    # gRPC's addresses are IPv4 in the clothes of IPv6.
    assert {address.ip.removeprefix("::ffff:") for _, address in listening} == {"127.0.0.1"}, listening


def test_the_daemons_are_alive(deployment: Deployment, run: str) -> None:
    assert deployment.run(program("dagster-daemon"), "liveness-check").returncode == 0


def test_a_restore_into_a_home_in_use_is_refused(deployment: Deployment, archive: Path) -> None:
    done = deployment.restore(archive)
    assert done.returncode == 1
    assert f"{deployment.home} must be empty but for dagster.yaml, and holds" in done.stderr


def test_a_restore_into_a_database_in_use_is_refused(
    deployment: Deployment, archive: Path, tmp_path: Path
) -> None:
    done = deployment.run(DEPLOY / "restore", archive, DAGSTER_HOME=str(tmp_path / "home"))
    assert done.returncode == 1
    assert "must be empty, got" in done.stderr


def test_a_wrong_password_is_told_with_what_could_not_be_reached(
    deployment: Deployment, archive: Path, tmp_path: Path
) -> None:
    done = deployment.run(DEPLOY / "backup", tmp_path, PGPASSWORD="wrong")
    assert done.returncode == 1
    assert "pg_dump could not read PGDATABASE=classification_assets at PGHOST=127.0.0.1" in done.stderr
    assert not list(tmp_path.iterdir())


def test_after_a_restore_runs_schedules_and_artifacts_are_there(
    deployment: Deployment, restored: Server, run: str
) -> None:
    assert restored.run_status(run) == "SUCCESS"
    selector = restored.selector(scheduleName="retraining")
    assert restored.ask(SCHEDULE, selector=selector)["scheduleState"]["status"] == "RUNNING"
    assert (deployment.home / "artifacts" / "moons" / "dataset.parquet").is_file()


def test_after_a_restore_runs_can_be_launched(restored: Server, postgres: Postgres) -> None:
    run = restored.launch("moons/dataset")
    assert restored.wait_until_done(run) == "SUCCESS"
    assert postgres.ask("select count(*) from runs") == "2"
