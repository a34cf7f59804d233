"""A version of ours as a run of MLflow: scores as metrics, files as artifacts, and a model that MLflow can load."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classification_assets.learning.registry.registry import MANIFEST, Registry
from classification_assets.publishing.pyfunc_loader import MODEL

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from classification_assets.learning.registry.records import Version


def logged_run(
    client: MlflowClient, name: str, registry: Registry, version: Version, tags: dict[str, str]
) -> str:
    """Log the scores, the files and the model as a run, which ends as failed if not all of it could be."""
    from mlflow.entities import Metric, Param

    with tempfile.TemporaryDirectory(prefix="classification-assets-mlflow-") as folder:
        files, model = Path(folder) / "version", Path(folder) / "model"
        _copy(registry, version, files)
        experiment = client.get_experiment_by_name(name)
        experiment_id = client.create_experiment(name) if experiment is None else experiment.experiment_id
        run_id: str = client.create_run(experiment_id, run_name=version.name, tags=tags).info.run_id
        try:
            _save_model(files, model, run_id)
            time = int(version.created.timestamp() * 1000)
            client.log_batch(
                run_id,
                metrics=[
                    Metric(score, value, time, version.number) for score, value in version.scores.items()
                ],
                params=[Param("architecture", version.architecture), Param("metric", version.metric)],
            )
            client.log_artifacts(run_id, str(files), "version")
            client.log_artifacts(run_id, str(model), "model")
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, "FINISHED")
    return run_id


def _copy(registry: Registry, version: Version, target: Path) -> None:
    """Copy a version's files, checksums compared, from wherever the registry is."""
    target.mkdir()
    for name in version.files:
        (target / name).write_bytes(registry.file(version.number, name).read_bytes())
    (target / MANIFEST).write_bytes((registry.folder_of(version.number) / MANIFEST).read_bytes())


def _save_model(files: Path, target: Path, run_id: str) -> None:
    """Write MLflow's model folder: our file as it is, and the module that opens it."""
    from importlib.metadata import version as installed

    import mlflow.pyfunc
    from mlflow.models import Model

    data = target.with_name("data")
    data.mkdir()
    for name in (MODEL, MANIFEST):
        shutil.copy(files / name, data)
    with warnings.catch_warnings():
        # Rows are not to be shown to whoever sees the registry.
        warnings.filterwarnings("ignore", ".*input example was not provided")
        mlflow.pyfunc.save_model(
            target,
            loader_module="classification_assets.publishing.pyfunc_loader",
            data_path=data,
            mlflow_model=Model(run_id=run_id),
            signature=_signature(files / MODEL),
            pip_requirements=[f"classification-assets=={installed('classification-assets')}"],
        )


def _signature(file: Path) -> Any:
    """The columns by name, of any type and each of them optional: our preprocessing takes more than MLflow's types."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType
    from safetensors import safe_open

    from classification_assets.learning.artifacts.files import HEADER
    from classification_assets.learning.models.fitted import Provenance

    # Its header alone: a person's own network cannot be opened here, and need not be.
    with safe_open(file, framework="np") as opened:
        provenance = Provenance.model_validate(json.loads(opened.metadata()[HEADER])["provenance"])
    columns = provenance.preprocessing.names
    return ModelSignature(
        inputs=Schema([ColSpec(AnyType(), name=column, required=False) for column in columns]),
        outputs=Schema([ColSpec("double", name=str(label)) for label in provenance.classes]),
    )
