"""The deployment's own files: units, settings and the compose file, read so that tests run what they say."""

from __future__ import annotations

import shlex
import string
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SYSTEMD = DEPLOY / "systemd"
INSTALLED = "/opt/classification-assets"
"""Where the units say that the project is."""


@dataclass(frozen=True)
class Unit:
    """A unit file: the values of each of its keys, in order."""

    path: Path
    values: dict[str, list[str]]

    @classmethod
    def read(cls, path: Path) -> Unit:
        values: dict[str, list[str]] = {}
        for line in path.read_text().splitlines():
            if "=" in line and not line.startswith("#"):
                name, value = line.split("=", 1)
                values.setdefault(name, []).append(value)
        return cls(path, values)

    @classmethod
    def named(cls, name: str) -> Unit:
        return cls.read(SYSTEMD / f"classification-assets-{name}.service")

    def commands(self, key: str, settings: dict[str, str]) -> list[list[str]]:
        """The commands of a key, in order, as systemd would make them of these settings, here instead of in `/opt`."""
        return [
            [string.Template(here(word)).safe_substitute(settings) for word in shlex.split(line)]
            for line in self.values.get(key, [])
        ]


def program(name: str) -> str:
    """A command of the environment that the tests run in."""
    return here(f"{INSTALLED}/.venv/bin/{name}")


def here(word: str) -> str:
    """A path of the installation as it is in this checkout."""
    scripts = sysconfig.get_path("scripts")
    return word.replace(f"{INSTALLED}/.venv/bin", scripts).replace(INSTALLED, str(ROOT))


def all_units() -> list[Path]:
    return sorted(SYSTEMD.iterdir())


def example_settings() -> dict[str, str]:
    """The settings of `environment.example`."""
    lines = (DEPLOY / "environment.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
