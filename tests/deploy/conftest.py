"""A PostgreSQL server, and the deployment's processes on it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from tests.deploy.deployment import Deployment
from tests.deploy.postgres_server import Postgres, binaries, serving
from tests.deploy.units import DEPLOY, example_settings


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server with an empty database."""
    if (folder := binaries()) is None:
        reason = "no PostgreSQL server here: apt-get install postgresql"
        pytest.fail(reason) if os.environ.get("CI_REQUIRES_POSTGRES") else pytest.skip(reason)
    with serving(folder, free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def deployment(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """An opened instance on PostgreSQL with the settings of `environment.example`, but for what must be one's own."""
    ports = {"WEBSERVER_PORT": str(free_port()), "CODE_SERVER_PORT": str(free_port())}
    home = tmp_path_factory.mktemp("deployment") / "home"
    settings = example_settings() | {"DAGSTER_HOME": str(home)} | postgres.settings | ports
    deployment = Deployment.new(home, settings, DEPLOY / "dagster.yaml")
    deployment.open_instance()
    yield deployment
    deployment.stop()
