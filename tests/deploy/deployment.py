"""A deployment: the processes of the units with settings of one's own, and the backup and restore scripts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy.units import DEPLOY, ROOT, Unit
from tests.e2e.processes import Server

NEVER = "0 0 29 2 *"
"""When the switched-on schedule ticks: not during a test."""


@dataclass
class Deployment:
    """An instance's folder, the settings that the units and scripts are given, and what runs.

    Attributes
    ----------
    home : Path
        `DAGSTER_HOME`.
    settings : dict
        As in `environment.example`.
    """

    home: Path
    settings: dict[str, str]
    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    def new(cls, home: Path, settings: dict[str, str], dagster_yaml: Path) -> Deployment:
        home.mkdir(parents=True)
        shutil.copy(dagster_yaml, home / "dagster.yaml")
        logs = home.with_name(f"{home.name}-logs")
        logs.mkdir()
        return cls(home, settings, logs)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CLASSIFICATION_ASSETS_", "DAGSTER_", "PG"))
        }
        ours = {
            "DAGSTER_HOME": str(self.home),
            "PYTHON": sys.executable,
            "CLASSIFICATION_ASSETS_CRON": NEVER,
            "PYTHONPATH": str(ROOT),  # this checkout, wherever the environment's own is
        }
        return inherited | ours | self.settings

    def open_instance(self) -> None:
        """Run the unit that everything else waits for, to its end."""
        unit = Unit.named("instance")
        for key in ("ExecStartPre", "ExecStart"):
            for command in unit.commands(key, self.settings):
                self.succeeds(command)

    def start(self) -> Server:
        """Start the code server, the webserver and the daemon by the units' commands."""
        for name in ("code", "webserver", "daemon"):
            unit = Unit.named(name)
            (command,) = unit.commands("ExecStart", self.settings)
            with (self.logs / name).open("ab") as log:
                self.running[name] = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            for command in unit.commands("ExecStartPost", self.settings):
                self.succeeds(command)
        url = f"http://{self.settings['WEBSERVER_HOST']}:{self.settings['WEBSERVER_PORT']}"
        server = Server(url, self.logs / "webserver", self.running["webserver"])
        server.wait_until_loaded()
        return server

    def stop(self) -> None:
        """End every process as systemd does: SIGTERM to the whole group, then SIGKILL."""
        for sent in (signal.SIGTERM, signal.SIGKILL):
            for process in self.running.values():
                try:
                    os.killpg(process.pid, sent)
                except ProcessLookupError:
                    continue
            for process in self.running.values():
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    continue
        self.running.clear()

    def run(self, *command: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command with the deployment's settings, until it ends."""
        return subprocess.run(
            [str(word) for word in command],
            cwd=self.logs,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def succeeds(self, command: list[str]) -> str:
        done = self.run(*command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def backup(self, folder: Path, *options: str) -> Path:
        """The archive that `deploy/backup` has written."""
        folder.mkdir(exist_ok=True)
        return Path(self.succeeds([str(DEPLOY / "backup"), str(folder), *options]).strip())

    def restore(self, archive: Path) -> subprocess.CompletedProcess[str]:
        return self.run(DEPLOY / "restore", archive)
