"""Training, comparing and re-training neural-network classifiers as Dagster assets.

Names are imported when they are first used, so that importing the package loads neither torch nor Dagster.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classification_assets.component import ClassificationExperiment
    from classification_assets.learning.classifier import NeuralClassifier, PackedSearchCV, load_classifier

__all__ = ["ClassificationExperiment", "NeuralClassifier", "PackedSearchCV", "load_classifier"]

_HOMES = {
    "ClassificationExperiment": "classification_assets.component",
    "NeuralClassifier": "classification_assets.learning.classifier",
    "PackedSearchCV": "classification_assets.learning.classifier",
    "load_classifier": "classification_assets.learning.classifier",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    # Dagster looks for components at every name listed here: one that imports torch would make loading slow.
    return sorted({*globals(), "ClassificationExperiment"})
