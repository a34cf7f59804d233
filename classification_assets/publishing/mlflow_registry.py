"""Publication of an experiment's versions to the model registry of an MLflow server, where an alias is the champion.

Our registry decides; MLflow's shows what it decided to those who look there. What is published::

    registered model  classification_assets.moons       alias `champion`: the version that serves here
    its versions      tags: our number, the manifest's SHA-256, architecture, run, the reason of the promotion
    their runs        the scores as metrics, the version's files as artifacts, a model that MLflow can load
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from filelock import FileLock, Timeout

from classification_assets.learning.registry.change import DECISION
from classification_assets.learning.registry.files import sha256
from classification_assets.learning.registry.registry import MANIFEST, Registry
from classification_assets.publishing.mlflow_run import logged_run

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from classification_assets.learning.registry.records import Version

VARIABLE = "MLFLOW_TRACKING_URI"
ALIAS = "champion"
MANIFEST_TAG = "manifest_sha256"
PATIENCE = 10.0
"""Seconds in which a server must answer; MLflow's own client would ask for minutes."""
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # it would stand between what `--json` prints
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # 7 take minutes, and a run may wait
}
"""Settings that MLflow's client has otherwise, unless the environment says so."""
LONGEST_TAG = 5000
"""Characters that MLflow's registry stores of a tag's value."""


class PublicationError(RuntimeError):
    """An MLflow server that cannot be reached, or refuses: what was asked for may succeed later."""


@dataclass(frozen=True)
class Published:
    """A version of ours as it is in MLflow.

    Attributes
    ----------
    name : str
        The registered model.
    version : int
        Our number.
    mlflow_version : str
        MLflow's own number, which counts what was published.
    run_id : str
        MLflow's run, which holds the metrics and the files.
    champion : int
        Our number of the version that has the alias.
    new : bool
        False if it had been published before.
    """

    name: str
    version: int
    mlflow_version: str
    run_id: str
    champion: int
    new: bool

    @property
    def uri(self) -> str:
        """The address that `mlflow.pyfunc.load_model` takes."""
        return f"models:/{self.name}/{self.mlflow_version}"


def publish(registry: Registry, number: int | None = None, tracking_uri: str = "") -> Published:
    """Publish a version, by default the champion, and move the alias to the champion; again, it changes nothing.

    Call it after each promotion and each rollback. A champion that was not published yet is published too, so that
    the alias always says what the registry says.

    Parameters
    ----------
    tracking_uri : str
        The server's address; by default the environment's `MLFLOW_TRACKING_URI`.

    Raises
    ------
    ValueError
        If the address is none of a server, or the MLflow client is not installed.
    NoChampionError, NoVersionError
        If there is no such version.
    PublicationError
        If the server cannot be reached or refuses.
    """
    uri = server_address(tracking_uri)
    client = _client(uri)
    _refuse_unreachable(uri)
    name = f"classification_assets.{registry.experiment}"
    with _one_at_a_time(f"{uri} {name}"), _told(uri):
        champion = registry.champion()  # read under the lock: whoever is last has seen the newest
        version = champion if number is None else registry.version(number)
        _create_registered_model(client, name, registry.experiment)
        mlflow_version, run_id, new = _published(client, name, registry, version)
        serving = mlflow_version
        if champion.number != version.number:
            serving, _, _ = _published(client, name, registry, champion)
        if client.get_registered_model(name).aliases.get(ALIAS) != serving:
            client.set_registered_model_alias(name, ALIAS, serving)
    return Published(name, version.number, mlflow_version, run_id, champion.number, new)


def server_address(given: str = "") -> str:
    """The address given, else the environment's.

    Raises
    ------
    ValueError
        If there is none, or it is no server's.
    """
    uri = given or os.environ.get(VARIABLE, "")
    if not uri:
        raise ValueError(
            f"no MLflow server is named: set {VARIABLE} or give --tracking-uri, such as http://127.0.0.1:5000"
        )
    if urlsplit(uri).scheme not in ("http", "https"):
        raise ValueError(
            f"the tracking URI must be the address of an MLflow server, such as http://127.0.0.1:5000 (MLflow 3 "
            f"refuses folders; start one by `mlflow server`), got {uri!r}"
        )
    return uri.rstrip("/")


def _client(uri: str) -> MlflowClient:
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise ValueError(
            "publishing needs the MLflow client: pip install 'classification-assets[mlflow]'"
        ) from error
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _refuse_unreachable(uri: str) -> None:
    try:
        urlopen(f"{uri}/health", timeout=PATIENCE).close()  # noqa: S310 (`server_address` takes http and https alone)
    except HTTPError:
        return  # something answers; what is wrong with it, MLflow's client says
    except (URLError, HTTPException, OSError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise PublicationError(
            f"no MLflow server answers at {uri}: {reason}. Start it (mlflow server --host 127.0.0.1 --port 5000), "
            f"or name another one by {VARIABLE} or --tracking-uri"
        ) from error


@contextmanager
def _one_at_a_time(key: str) -> Iterator[None]:
    """Keep two processes of a user from publishing the same version beside each other."""
    # Another user could not open this one's lock.
    digest = hashlib.sha256(f"{getpass.getuser()} {key}".encode()).hexdigest()[:16]
    file = Path(tempfile.gettempdir()) / f"classification-assets-mlflow-{digest}.lock"
    try:
        with FileLock(file, timeout=600):
            yield
    except Timeout as error:
        raise PublicationError(
            f"{file}: another process has published for 600 s; end it, then try again"
        ) from error


@contextmanager
def _told(uri: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException
    from requests import RequestException

    try:
        yield
    except (MlflowException, RequestException) as error:
        raise PublicationError(f"the MLflow server at {uri} refused: {error}") from error


def _create_registered_model(client: MlflowClient, name: str, experiment: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(
            name, description=f"Champions of {experiment}, published by classification_assets, which decides."
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _published(
    client: MlflowClient, name: str, registry: Registry, version: Version
) -> tuple[str, str, bool]:
    """MLflow's version of one of ours, its run, and whether it is new: the manifest's checksum says which it is."""
    manifest = sha256(registry.folder_of(version.number) / MANIFEST)
    found = client.search_model_versions(f"name = '{name}' and tags.{MANIFEST_TAG} = '{manifest}'")
    if found:
        first = min(found, key=lambda one: int(one.version))
        return str(first.version), str(first.run_id), False
    decision = json.loads(registry.file(version.number, DECISION).read_text(encoding="utf-8"))
    tags = {
        "version": str(version.number),
        MANIFEST_TAG: manifest,
        "model_version": version.model_version,
        "data_version": version.data_version,
        "architecture": version.architecture,
        "dagster_run": version.run,
        "as_of": version.as_of.isoformat(),
        "decision": str(decision.get("reason", "")),
    }
    tags = {tag: value[:LONGEST_TAG] for tag, value in tags.items() if value}
    run_id = logged_run(client, name, registry, version, tags)
    created = client.create_model_version(
        name,
        source=f"{client.get_run(run_id).info.artifact_uri}/model",
        run_id=run_id,
        tags=tags,
        description=f"{version.name} ({version.architecture}): {tags.get('decision', '')}"[:LONGEST_TAG],
        await_creation_for=0,  # a server's versions are ready when they are made
    )
    return str(created.version), run_id, True
