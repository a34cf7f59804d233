"""Publication that cannot be: each refusal says what is wrong and what would be right; no server is needed."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner, Result

from classification_assets.learning.registry.registry import Registry
from classification_assets.publish import main
from classification_assets.publishing.mlflow_registry import PublicationError, publish


@pytest.fixture(autouse=True)
def _no_server_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def published(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_without_an_address_the_variable_is_named(registry: Registry) -> None:
    with pytest.raises(ValueError, match="set MLFLOW_TRACKING_URI or give --tracking-uri"):
        publish(registry)


@pytest.mark.parametrize("uri", ["mlruns", "file:///tmp/mlruns", "sqlite:///mlflow.db", "/tmp/mlruns"])
def test_a_folder_or_a_file_is_no_server(registry: Registry, uri: str) -> None:
    with pytest.raises(ValueError, match=f"must be the address of an MLflow server, .*, got '{uri}'"):
        publish(registry, tracking_uri=uri)


def test_a_server_that_does_not_answer_is_told_at_once(registry: Registry) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(PublicationError, match=f"no MLflow server answers at {uri}: .*refused"):
            publish(registry, tracking_uri=uri)
    assert time.monotonic() - started < 10


def test_exit_codes_tell_what_may_pass_from_what_is_wrong() -> None:
    assert published("moons").exit_code == 2
    assert published("moons", "--tracking-uri", "http://127.0.0.1:9").exit_code == 1
    assert published("../moons", "--tracking-uri", "http://127.0.0.1:9").exit_code == 2
    assert published("moons", "--version", "0").exit_code == 2


def test_without_the_client_the_extra_is_named(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ValueError, match=r"pip install 'classification-assets\[mlflow\]'"):
        publish(registry, tracking_uri="http://127.0.0.1:9")


def test_the_project_starts_without_the_client() -> None:
    program = "import sys; sys.modules['mlflow'] = None; import classification_assets.publish"
    subprocess.run([sys.executable, "-c", program], check=True)
