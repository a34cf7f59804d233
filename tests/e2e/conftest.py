"""Instances in which something is materialized, a server, and a browser."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.e2e.processes import Finished, Project, Server, served

CHROMIUM = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1600,1000",
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: waits for a clock (up to a minute and a half)")


@pytest.fixture(scope="session")
def serving() -> Callable[..., Any]:
    """`with serving(project, **variables) as server`: `dagster dev`, started; it may not answer yet."""
    return served


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Finished]:
    """The experiment moons_small, materialized by the command line into a new instance: once for all workers."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "first"
    told = folder / "told.json"
    with FileLock(f"{folder}.lock"):
        if not told.exists():
            shutil.rmtree(folder, ignore_errors=True)  # what another worker could not end
            finished = Project.new(folder / "home").materialize("group:moons_small")
            told.write_text(json.dumps(asdict(finished)))
    return Project(folder / "home"), Finished(**json.loads(told.read_text()))


@pytest.fixture(scope="session")
def trained(first_run: tuple[Project, Finished]) -> Project:
    """An instance in which moons_small is materialized; tests read it, and change copies."""
    project, finished = first_run
    finished.succeeded()
    return project


@pytest.fixture
def retrained(trained: Project, tmp_path: Path) -> Project:
    """A copy of the trained instance, for one test to change."""
    return trained.copied(tmp_path / "home")


@pytest.fixture
def untrained(tmp_path: Path) -> Project:
    """A new instance, without any artifact."""
    return Project.new(tmp_path / "home")


# Servers and browsers are hardly ever idle, so they are there for the tests of a file, not for all that come later.
@pytest.fixture(scope="module")
def server(trained: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`dagster dev` as a person starts it, moons_small materialized."""
    with served(trained.copied(tmp_path_factory.mktemp("served") / "home")) as server:
        server.wait_until_loaded()
        yield server


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser that nobody has used before."""
    if missing := [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]:
        reason = f"no {' and no '.join(missing)} here: apt-get install chromium chromium-driver"
        pytest.fail(reason) if os.environ.get("CI_REQUIRES_BROWSER") else pytest.skip(reason)
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = shutil.which("chromium")
    for flag in (*CHROMIUM, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    driver = Chrome(options, Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()
