"""Dagster's command line and `dagster dev` as processes, each with an instance in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import dagster as dg
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

DAGSTER = Path(sysconfig.get_path("scripts")) / "dagster"

PATIENCE = 300.0
"""Seconds until something that should have happened counts as not happening."""


@dataclass(frozen=True)
class Project:
    """A source tree, and the Dagster instance it is run with.

    Attributes
    ----------
    home : Path
        `DAGSTER_HOME`, and where commands are given; it starts with nothing but the shipped settings.
    source : Path
        Where the package and `workspace.yaml` are: the repository, or a copy of it.
    """

    home: Path
    source: Path = ROOT

    @classmethod
    def new(cls, folder: Path, source: Path = ROOT) -> Project:
        folder.mkdir(parents=True)
        shutil.copy(ROOT / ".dagster" / "dagster.yaml", folder)
        return cls(folder, source)

    @property
    def artifacts(self) -> Path:
        return self.home / "artifacts"

    def copied(self, folder: Path) -> Project:
        """The same project, with a copy of all that was materialized."""
        shutil.copytree(self.home, folder)
        return Project(folder, self.source)

    def environment(self, **variables: str | None) -> dict[str, str]:
        """The environment without what a person may have set; None is no such variable.

        The source tree comes first on the path, so that its package is the one imported. Bytecode is written, as it is
        for a person: without it each process compiles the package anew.
        """
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CLASSIFICATION_ASSETS_", "DAGSTER_", "PYTHONDONTWRITE"))
        }
        set_here = {"DAGSTER_HOME": str(self.home), "PYTHONPATH": str(self.source)} | variables
        return inherited | {name: value for name, value in set_here.items() if value is not None}

    def started(self, *arguments: str, log: Path, **variables: str | None) -> subprocess.Popen[bytes]:
        """A `dagster` command that runs on, in a process group of its own."""
        with log.open("wb") as opened:
            return subprocess.Popen(
                [DAGSTER, *arguments],
                cwd=self.source,
                env=self.environment(**variables),
                stdin=subprocess.DEVNULL,
                stdout=opened,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @staticmethod
    def materializing(selection: str) -> list[str]:
        """The arguments of the command that materializes a selection."""
        return ["asset", "materialize", "-m", "classification_assets.definitions", "--select", selection]

    def materialize(
        self, selection: str, config: dict[str, Any] | None = None, **variables: str | None
    ) -> Finished:
        """`dagster asset materialize` in a process of its own, until it ends."""
        configured = ["--config-json", json.dumps(config)] if config else []
        done = subprocess.run(
            [DAGSTER, *self.materializing(selection), *configured],
            cwd=self.home,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Finished(done.returncode, done.stdout)

    def processes_of_steps(self) -> int:
        """How many processes have executed steps of the latest run."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            run = instance.get_runs(limit=1)[0]
            begun = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START)
            return len({entry.dagster_event.pid for entry in begun if entry.dagster_event is not None})

    def latest_metadata(self, *key: str) -> dict[str, Any]:
        """The metadata of an asset's latest materialization, in the order in which it is shown."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey(list(key)))
        assert event is not None, f"{'/'.join(key)} has no materialization in {self.home}"
        assert event.asset_materialization is not None
        return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def copied_source(folder: Path, **experiments: dict[str, Any]) -> Path:
    """A copy of the source tree in which some experiments of one's own take the place of the shipped ones."""
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "workspace.yaml"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "classification_assets",
        source / "classification_assets",
        ignore=lambda below, names: [name for name in names if (Path(below) / name / "defs.yaml").exists()],
    )
    for name, attributes in experiments.items():
        declare(source, name, attributes)
    return source


def declare(source: Path, name: str, attributes: dict[str, Any]) -> None:
    """Write an experiment's YAML into a copy of the source tree."""
    file = source / "classification_assets" / "defs" / name / "defs.yaml"
    file.parent.mkdir(exist_ok=True)
    content = {"type": "classification_assets.ClassificationExperiment", "attributes": attributes}
    file.write_text(yaml.safe_dump(content))


@dataclass(frozen=True)
class Finished:
    """How a command ended, and all that it wrote."""

    status: int
    output: str

    def succeeded(self) -> Finished:
        assert self.status == 0, self.output[-4000:]
        return self


@dataclass
class Server:
    """A running `dagster dev`: the web server, the daemon, and the code location's process."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]
    _location: dict[str, str] = field(default_factory=dict)

    def ask(self, query: str, **variables: Any) -> Any:
        """GraphQL's answer: the one field that was asked for."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=PATIENCE) as response:
            answer = json.load(response)
        assert "errors" not in answer, self.told(json.dumps(answer["errors"])[:2000])
        (content,) = answer["data"].values()
        return content

    def wait_until(self, what: str, happened: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """The first truthy answer of `happened`; what the server logged is in the message if none comes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.told(f"the server ended before {what}")
            if answer := happened():
                return answer
            time.sleep(0.25)
        pytest.fail(self.told(f"not within {seconds:.0f} s: {what}"))

    def wait_until_loaded(self) -> None:
        self.wait_until("the server answers and has loaded the code location", self._loaded)

    def assets(self, fields: str) -> dict[str, dict[str, Any]]:
        """Some fields of every asset, by the asset's name."""
        nodes = self.ask(f"{{ assetNodes {{ assetKey {{ path }} {fields} }} }}")
        return {"/".join(node["assetKey"]["path"]): node for node in nodes}

    def selector(self, **own: Any) -> dict[str, Any]:
        return self._location | own

    def launch(self, *names: str) -> str:
        """Launch a run of some assets as the UI does, and return its id."""
        keys = [{"path": name.split("/")} for name in names]
        launched = self.ask(
            """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
                 __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
                 ... on InvalidSubsetError { message } } }""",
            params={
                "selector": self.selector(jobName="__ASSET_JOB", assetSelection=keys),
                "runConfigData": {},
            },
        )
        assert launched["__typename"] == "LaunchRunSuccess", self.told(str(launched))
        return launched["run"]["runId"]

    def run_status(self, run: str) -> str:
        query = "query ($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
        return self.ask(query, run=run)["status"]

    def wait_until_done(self, run: str) -> str:
        """How a run ended."""
        ended = ("SUCCESS", "FAILURE", "CANCELED")
        return self.wait_until(
            f"run {run} ends", lambda: (status := self.run_status(run)) in ended and status
        )

    def terminate(self, run: str) -> None:
        terminated = self.ask(
            """mutation ($run: String!) { terminateRun(runId: $run, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) {
                 __typename } }""",
            run=run,
        )
        assert terminated["__typename"] == "TerminateRunSuccess", self.told(str(terminated))

    def reload(self) -> None:
        """Read the source tree again, as the UI's "Reload definitions" does."""
        reloaded = self.ask(
            """mutation ($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) {
                 __typename ... on WorkspaceLocationEntry { loadStatus locationOrLoadError {
                   __typename ... on PythonError { message } } } } }""",
            name=self._location["repositoryLocationName"],
        )
        assert reloaded["__typename"] == "WorkspaceLocationEntry", self.told(str(reloaded))
        self.wait_until_loaded()

    def told(self, message: str) -> str:
        logged = self.log.read_text(errors="replace")[-4000:]
        return f"{message}\n--- the end of what `dagster dev` logged:\n{logged}"

    def end(self) -> None:
        """Kill the whole process group at once: nothing of it is wanted any more, and some wait seconds for others."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _loaded(self) -> bool:
        try:
            workspace = self.ask(
                """{ workspaceOrError { ... on PythonError { message }
                     ... on Workspace { locationEntries { name loadStatus locationOrLoadError {
                       __typename ... on PythonError { message }
                       ... on RepositoryLocation { repositories { name } } } } } } }"""
            )
        except (URLError, ConnectionError):
            return False
        entries = workspace["locationEntries"]
        if not entries or any(entry["loadStatus"] != "LOADED" for entry in entries):
            return False
        location = entries[0]["locationOrLoadError"]
        assert location["__typename"] == "RepositoryLocation", self.told(str(location))
        self._location = {
            "repositoryLocationName": entries[0]["name"],
            "repositoryName": location["repositories"][0]["name"],
        }
        return True


@contextmanager
def served(project: Project, **variables: str) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = project.home / "dagster-dev.log"
    where = ("-w", "workspace.yaml", "--host", "127.0.0.1", "--port", str(port))
    process = project.started("dev", *where, log=log, **variables)
    server = Server(f"http://127.0.0.1:{port}", log, process)
    try:
        yield server
    finally:
        server.end()
