"""An MLflow server of one's own, and a registry with promoted versions."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
from upath import UPath

from classification_assets import NeuralClassifier
from classification_assets.learning.registry.change import changing
from classification_assets.learning.registry.records import Version
from classification_assets.learning.registry.registry import Registry
from tests.learning.two_moons import FRAME, classifier, y

COMMAND = "MLFLOW_SERVER_COMMAND"
"""The command that starts a server: all of MLflow is in an environment of its own, since it holds pyarrow back."""


def server_command() -> list[str] | None:
    if given := os.environ.get(COMMAND):
        return shlex.split(given)
    found = shutil.which("mlflow")
    # The client alone brings a command, too, which cannot serve.
    return None if found is None or _is_client(found) else [found, "server"]


def _is_client(command: str) -> bool:
    python = Path(command).resolve().with_name("python")
    done = subprocess.run([python, "-c", "import mlflow.server, huey"], capture_output=True, check=False)
    return done.returncode != 0


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with SQLite and a folder of its own, on the loopback."""
    if (command := server_command()) is None:
        reason = f"no MLflow server here: install mlflow into an environment of its own and set {COMMAND}"
        pytest.fail(reason) if os.environ.get("CI_REQUIRES_MLFLOW") else pytest.skip(reason)
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    stored = [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *where, *stored],
            cwd=folder,
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    uri = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(uri, process, folder / "log")
        yield uri
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # nothing of it is wanted any more
        process.wait()


def _wait_until_it_answers(uri: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(f"{uri}/health", timeout=5).close()
            return
        except OSError:
            time.sleep(0.25)
    pytest.fail(f"the MLflow server does not answer:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def classifiers() -> tuple[NeuralClassifier, NeuralClassifier]:
    """Two that differ."""
    return classifier("linear").fit(FRAME, y), classifier("shallow_relu").fit(FRAME, y)


@pytest.fixture
def registry(tmp_path: Path, request: pytest.FixtureRequest) -> Registry:
    """An empty registry, of an experiment that no other test has."""
    name = "".join(character if character.isalnum() else "_" for character in request.node.name.lower())
    return Registry(UPath(tmp_path / "artifacts"), name[:60].strip("_"))


def promote(registry: Registry, model: NeuralClassifier, log_loss: float = 0.25) -> int:
    """Make a classifier the champion, as a run does; return its number."""
    with changing(registry) as change:
        staged = change.staged()
        model.save(staged / "model.safetensors")
        (staged / "MODEL_CARD.md").write_text("# A model")
        now = datetime.now(UTC)
        version = Version(
            number=change.next_number,
            experiment=registry.experiment,
            architecture="shallow_relu",
            model_version="0" * 64,
            data_version="1" * 64,
            run="a-run",
            created=now,
            as_of=now,
            metric="log_loss",
            scores={"log_loss": log_loss, "accuracy": 0.9},
        )
        decision = {"promoted": True, "reason": "better by 0.05 log loss"}
        return change.promote(staged, version, decision).version
