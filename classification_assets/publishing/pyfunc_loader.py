"""The door through which MLflow opens a published version: our model file, read as everywhere else, never a pickle.

MLflow's `MLmodel` file names this module, so what loads a model must have the package installed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from classification_assets.learning.classifier import NeuralClassifier

MODEL, MANIFEST = "model.safetensors", "version.json"
"""Files of the folder that MLflow keeps for a model."""


class ProbabilityModel:
    """A published version, as `mlflow.pyfunc.load_model` calls it."""

    def __init__(self, classifier: NeuralClassifier) -> None:
        self.classifier = classifier

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Probabilities of N rows: a frame (N, C) whose columns are the classes.

        Parameters
        ----------
        model_input : frame (N, D)
            With the columns that the model has learned from.
        params : mapping, optional
            MLflow's; there are none.
        """
        import pandas as pd

        classes = [str(label) for label in self.classifier.fitted_.provenance.classes]
        index = model_input.index if isinstance(model_input, pd.DataFrame) else None
        return pd.DataFrame(self.classifier.predict_proba(model_input), index=index, columns=classes)


def _load_pyfunc(path: str, model_config: Mapping[str, Any] | None = None) -> ProbabilityModel:
    """Open the folder of a published version; MLflow calls it, by this name.

    Parameters
    ----------
    model_config : mapping, optional
        ``{"module": "package.module:Class"}`` for a person's own network: a model file never brings code with it.

    Raises
    ------
    ArtifactError
        If the file is not the one that was published.
    """
    from classification_assets.learning.artifacts.files import ArtifactError
    from classification_assets.learning.classifier import load_classifier
    from classification_assets.learning.declaration import imported
    from classification_assets.learning.registry.files import sha256

    file = Path(path) / MODEL
    expected = json.loads((Path(path) / MANIFEST).read_text(encoding="utf-8"))["files"][MODEL]
    if (found := sha256(file)) != expected:
        raise ArtifactError(
            f"{file} is damaged: its SHA-256 must be {expected}, got {found}; download it again"
        )
    module = (model_config or {}).get("module")
    return ProbabilityModel(
        load_classifier(file, imported(module, "model_config: module") if module else None)
    )
