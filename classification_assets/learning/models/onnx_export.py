"""A fitted classifier as an ONNX graph, for use without Python."""

from __future__ import annotations

import io
import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from classification_assets.learning.models.architectures import Module
from classification_assets.learning.models.blend import Blend
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.packed.torch_state import usual_defaults, usual_state
from classification_assets.learning.preparation.columns import Categorical
from classification_assets.learning.preparation.features import Features
from classification_assets.learning.tables import labels

OPSET = 17
"""Version of the operators: any ONNX Runtime since 2022 has them."""

_ABOUT = (
    "X is (N, D) float32, the columns feature_names in that order: numbers as they are; true 1 and false 0; dates "
    "as days since 2000-01-01 UTC; of a column in categories the index of the value there, counted from 0, and "
    "their number for any other value; NaN where the value is missing (in Python, NeuralClassifier.encode does all "
    "this). probabilities is (N, C) float32, the columns classes in that order; label is (N,), the most probable class."
)


@dataclass(frozen=True)
class OnnxModel:
    """The bytes of an ONNX file; see `exported`."""

    content: bytes


class _Served(nn.Module):
    """Encoded rows (N, D) to probabilities (N, C)."""

    def __init__(self, features: Features, blend: Blend) -> None:
        super().__init__()
        self.features, self.blend = features, blend

    def forward(self, X: Tensor) -> Tensor:
        return self.blend(self.features(X))


@usual_state()
def exported(fitted: FittedModel) -> OnnxModel:
    """The classifier from encoded rows on: the arithmetic of the preprocessing, networks, blend and calibration.

    Input ``X`` and outputs ``probabilities`` and ``label``, of any number of rows. The file's metadata hold, as JSON,
    ``classes``, ``feature_names`` and the ``categories`` of each column that has some; its description says how rows
    are encoded.

    Raises
    ------
    ImportError
        If the extra `onnx` is not installed.
    ValueError
        If the network is a class of a person's own.
    """
    onnx = _library()
    provenance = fitted.provenance
    if isinstance(provenance.architecture, Module):
        raise ValueError(
            f"networks of a class of one's own ({provenance.architecture.path}) are not exported; "
            "architectures of kind mlp and tabular are"
        )
    preprocessing = provenance.preprocessing
    served = _Served(preprocessing.arithmetic, fitted.blend.cpu()).eval()
    # Rows with a gap, and far out: what is left out of the arithmetic where a table has none must be in the graph.
    rows = torch.from_numpy(np.array([[math.nan], [np.finfo(np.float32).max]], np.float32))
    rows, content = rows.repeat(1, len(preprocessing.columns)), io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad(), usual_defaults(torch.device("cpu")):
        # Tracing takes what is decided by a model's own state, the same for all rows, as decided. The newer
        # exporter would refuse to, and needs three more packages.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            served,
            (rows,),
            content,  # type: ignore[arg-type]  # a path, says the other exporter's signature
            dynamo=False,
            opset_version=OPSET,
            input_names=["X"],
            output_names=["probabilities"],
            dynamic_axes={"X": {0: "N"}, "probabilities": {0: "N"}},
        )
    model = onnx.load_model_from_string(content.getvalue())
    _add_labels(onnx, model, provenance.classes)
    model.producer_name, model.doc_string = "classification-assets", _ABOUT
    model.producer_version = provenance.versions["classification-assets"]
    told = {
        "classes": labels.to_json(provenance.classes),
        "feature_names": preprocessing.names,
        "categories": {
            column.name: column.categories
            for column in preprocessing.columns
            if isinstance(column, Categorical)
        },
    }
    onnx.helper.set_model_props(model, {name: json.dumps(value) for name, value in told.items()})
    onnx.checker.check_model(model)
    return OnnxModel(model.SerializeToString(deterministic=True))


def _add_labels(onnx: Any, model: Any, classes: Sequence[Any]) -> None:
    """Give a graph the output ``label`` (N,): the class with the largest probability, as it was; a date as a word."""
    known = np.array([label.isoformat() if isinstance(label, date) else label for label in classes])
    if known.dtype.kind == "U":
        known = known.astype(object)
    kind = onnx.helper.np_dtype_to_tensor_dtype(known.dtype)
    graph = model.graph
    graph.initializer.append(onnx.numpy_helper.from_array(known, "classes"))
    graph.node.append(onnx.helper.make_node("ArgMax", ["probabilities"], ["code"], axis=1, keepdims=0))
    graph.node.append(onnx.helper.make_node("Gather", ["classes", "code"], ["label"], axis=0))
    graph.output.append(onnx.helper.make_tensor_value_info("label", kind, ["N"]))


def _library() -> ModuleType:
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            f"to_onnx needs a package that is not installed ({error.name}): "
            "pip install 'classification-assets[onnx]'"
        ) from error
    return onnx
