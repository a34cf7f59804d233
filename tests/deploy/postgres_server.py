"""A PostgreSQL server of one's own: in a new folder, on a free port of the loopback, with a password."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "p@ss: w/rd%25#'ü"
"""Every character that a URL would have to quote."""


@dataclass(frozen=True)
class Postgres:
    """A running server, and how it is reached."""

    port: int

    @property
    def settings(self) -> dict[str, str]:
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGDATABASE": "classification_assets",
            "PGUSER": "classification_assets",
            "PGPASSWORD": PASSWORD,
        }

    def ask(self, statement: str, database: str = "classification_assets") -> str:
        """What psql answers, values only."""
        done = subprocess.run(
            ["psql", "-XAtc", statement],
            env=os.environ | self.settings | {"PGDATABASE": database},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl; Debian has them outside of the path, one folder a version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if (found := shutil.which("initdb")) and not folders:
        folders = [Path(found).parent]
    return folders[-1] if folders and shutil.which("psql") else None


@contextmanager
def serving(folder: Path, port: int) -> Iterator[Postgres]:
    """Start a server and end it; it refuses to run as root, so then it runs as the user postgres or nobody."""
    # The parents of pytest's folders are closed to other users.
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    data, password = home / "data", home / "password"
    password.write_text(PASSWORD)
    become: list[str] = []
    if os.geteuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
        for path in (home, password):
            shutil.chown(path, user)
        become = ["runuser", "-u", user, "--"]
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {home} -c fsync=off"
    log = home / "log"
    initdb = ["initdb", "-D", data, "-U", "classification_assets", "-A", "scram-sha-256", "-E", "UTF8"]
    start = ["pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start"]

    def run(command: list[object]) -> None:
        program = folder / str(command[0])
        done = subprocess.run(
            [*become, program, *map(str, command[1:])], cwd=home, capture_output=True, text=True, check=False
        )
        logged = log.read_text() if log.exists() else ""
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}{logged}"

    try:
        run([*initdb, "--locale=C.UTF-8", f"--pwfile={password}"])
        # pg_ctl's child would keep a captured pipe open, so its output goes to the log.
        subprocess.run(
            [*become, folder / start[0], *start[1:]], cwd=home, stdout=subprocess.DEVNULL, check=True
        )
        server = Postgres(port)
        server.ask("create database classification_assets", "postgres")
        yield server
    finally:
        if (data / "postmaster.pid").exists():
            run(["pg_ctl", "-D", data, "-m", "immediate", "stop"])
        shutil.rmtree(home)
