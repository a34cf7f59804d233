"""The deployment's files agree with one another and with what reads them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.units import DEPLOY, SYSTEMD, Unit, all_units, example_settings, here

PROCESSES = ("code", "webserver", "daemon")


@pytest.fixture
def compose() -> dict[str, dict[str, object]]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for unit in all_units():
        (tmp_path / unit.name).write_text(here(unit.read_text()))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "classification-assets" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_what_a_target_starts_exists() -> None:
    target = Unit.read(SYSTEMD / "classification-assets.target")
    (wanted,) = target.values["Wants"]
    assert {(SYSTEMD / name).is_file() for name in wanted.split()} == {True}


@pytest.mark.parametrize("name", PROCESSES)
def test_every_process_waits_for_the_opened_instance(name: str) -> None:
    unit = Unit.named(name)
    assert unit.values["Requires"] == ["classification-assets-instance.service"]
    assert "classification-assets-instance.service" in unit.values["After"][0].split()
    assert unit.values["Restart"] == ["on-failure"]


@pytest.mark.parametrize("name", ["instance", *PROCESSES, "backup"])
def test_every_process_is_a_users_of_its_own_and_hardened_alike(name: str) -> None:
    unit, reference = Unit.named(name), Unit.named("daemon")
    for key in ("User", "EnvironmentFile", "WorkingDirectory", "ProtectSystem", "NoNewPrivileges", "UMask"):
        assert unit.values[key] == reference.values[key]
    hardening = [key for key in reference.values if key.startswith(("Protect", "Restrict", "Private"))]
    assert [unit.values.get(key) for key in hardening] == [reference.values[key] for key in hardening]


def test_by_default_everything_listens_on_the_loopback() -> None:
    settings = example_settings()
    assert {settings["WEBSERVER_HOST"], settings["CODE_SERVER_HOST"], settings["PGHOST"]} == {"127.0.0.1"}


def test_containers_publish_the_webserver_alone_and_on_the_loopback(
    compose: dict[str, dict[str, object]],
) -> None:
    published = {name: service["ports"] for name, service in compose.items() if "ports" in service}
    assert published == {"webserver": ["127.0.0.1:3000:3000"]}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_container_runs_what_the_unit_runs(name: str, compose: dict[str, dict[str, object]]) -> None:
    in_container = example_settings() | {"WEBSERVER_HOST": "0.0.0.0", "CODE_SERVER_HOST": "0.0.0.0"}
    (command,) = Unit.named(name).commands("ExecStart", in_container)
    assert compose[name]["command"] == [Path(command[0]).name, *command[1:]]


@pytest.mark.parametrize("name", ["instance", "backup"])
def test_a_containers_single_step_is_that_of_the_unit(
    name: str, compose: dict[str, dict[str, object]]
) -> None:
    (line,) = Unit.named(name).values["ExecStart"]
    unit = line.removeprefix("/opt/classification-assets/").removeprefix(".venv/bin/")
    assert compose[name]["command"] == shlex.split(unit)


def test_compose_finds_nothing_wrong_with_its_file() -> None:
    with_plugin = subprocess.run("docker compose version", shell=True, capture_output=True, check=False)
    command = ["docker", "compose"] if with_plugin.returncode == 0 else ["docker-compose"]
    if shutil.which(command[0]) is None:
        pytest.skip("neither docker compose nor docker-compose here")
    done = subprocess.run(
        [*command, "-f", DEPLOY / "compose.yaml", "config"],
        env=os.environ | {"PGPASSWORD": "secret"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
