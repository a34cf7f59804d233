"""A trained model as one safetensors file, and back; snapshots of its training are in it, or in a file beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load, save, save_file
from torch import Tensor, nn
from upath import UPath

from classification_assets.learning.artifacts.checksum import BLANK, SEAL, refuse_damaged, seal
from classification_assets.learning.artifacts.files import CHECKSUM, HEADER, LocalCopy
from classification_assets.learning.artifacts.origin import Origin
from classification_assets.learning.artifacts.snapshots_file import (
    SnapshotsBeside,
    StoredSnapshots,
    beside,
    tensors_version,
)
from classification_assets.learning.models.fitted import FittedModel, Provenance
from classification_assets.learning.models.learned_rows import LearnedRows
from classification_assets.learning.packed.torch_state import usual_state
from classification_assets.learning.preparation.fold_memory import RowIdentity

_CHECKPOINTS, _LEARNED = "checkpoints/", "learned/"
_LEARNED_ARRAYS = (
    "training",
    "training_labels",
    "validation",
    "validation_labels",
    "validation_content",
)


def write_model(value: FittedModel, file: Path, origin: Origin | None = None) -> str:
    """Write a model and return its version."""
    header, tensors = _parts(value)
    version = tensors_version(tensors, json.dumps(header, sort_keys=True))
    if origin is not None:
        header["origin"] = origin.versioned(version).to_json()
    header[CHECKSUM] = SEAL + BLANK
    # One entry alone: several come in a changing order.
    save_file(tensors, file, metadata={HEADER: json.dumps(header, sort_keys=True)})
    seal(file)
    # Safetensors lets nobody else read its files, and a web server is somebody else.
    file.chmod(0o644)
    return version


def model_bytes(value: FittedModel) -> bytes:
    """A model as the bytes of a safetensors file, for `model_of_bytes`: the same for the same model."""
    header, tensors = _parts(value)
    return save(tensors, {HEADER: json.dumps(header, sort_keys=True)})


def _parts(value: FittedModel) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header and tensors of a model's file."""
    tensors = {f"state/{name}": tensor.contiguous() for name, tensor in value.state.items()}
    arrays = {f"history/{name}": array for name, array in value.history.items()}
    arrays |= {"best_step": value.best_step, "validation_probabilities": value.validation_probabilities}
    header: dict[str, Any] = {"format": "fitted", "provenance": value.provenance.model_dump(mode="json")}
    if (learned := value.learned) is not None:
        header["identity"] = learned.identity.model_dump(mode="json")
        arrays |= {f"{_LEARNED}{name}": _signed(getattr(learned, name)) for name in _LEARNED_ARRAYS}
    tensors |= {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
    if isinstance(value.checkpoints, SnapshotsBeside):
        header["snapshots"] = {"steps": list(value.checkpoints), "version": value.checkpoints.version}
        return header, tensors
    for step, state in value.checkpoints.items():
        tensors |= {f"{_CHECKPOINTS}{step}/{name}": tensor.contiguous() for name, tensor in state.items()}
    return header, tensors


def _signed(array: np.ndarray) -> np.ndarray:
    """Unsigned numbers as signed ones of the same bytes: PyTorch hardly knows the others."""
    return array.view({"u8": np.int64, "u4": np.int32}.get(array.dtype.str[1:], array.dtype))


def read_model_origin(path: UPath) -> Origin | None:
    """The origin of a model, as its file says; None if it does not say."""
    with path.open("rb") as opened:  # of a file elsewhere no more than its beginning
        size = int.from_bytes(opened.read(8), "little")
        header = json.loads(json.loads(opened.read(size))["__metadata__"][HEADER])
    return Origin.from_json(header["origin"]) if "origin" in header else None


@usual_state()
def read_model(path: UPath, module: Callable[..., nn.Module] | None) -> FittedModel:
    local = LocalCopy(path)
    refuse_damaged(local.path, path)
    opened = safe_open(local.path, framework="pt")
    header = json.loads((opened.metadata() or {})[HEADER])
    inside = [name for name in opened.keys() if name.startswith(_CHECKPOINTS)]  # noqa: SIM118 (it is no mapping)
    tensors = {name: opened.get_tensor(name) for name in set(opened.keys()) - set(inside)}
    checkpoints: Mapping[int, dict[str, Tensor]] = _StoredCheckpoints(opened, inside, local)
    if (told := header.get("snapshots")) is not None:
        checkpoints = StoredSnapshots(beside(path), told["steps"], told["version"])
    return _model(header, tensors, checkpoints, module)


@usual_state()
def model_of_bytes(content: bytes, module: Callable[..., nn.Module] | None) -> FittedModel:
    """The model that `model_bytes` has made bytes of."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"][HEADER])
    checkpoints: dict[int, dict[str, Tensor]] = {}
    tensors = load(content)
    for name in [name for name in tensors if name.startswith(_CHECKPOINTS)]:
        _, step, of = name.split("/", 2)
        checkpoints.setdefault(int(step), {})[of] = tensors.pop(name)
    return _model(header, tensors, dict(sorted(checkpoints.items())), module)


def _model(
    header: dict[str, Any],
    tensors: dict[str, Tensor],
    checkpoints: Mapping[int, dict[str, Tensor]],
    module: Callable[..., nn.Module] | None,
) -> FittedModel:
    def below(prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)
        }

    return FittedModel(
        state=below("state/"),
        provenance=Provenance.model_validate(header["provenance"]),
        history={name: tensor.numpy() for name, tensor in below("history/").items()},
        best_step=tensors["best_step"].numpy(),
        validation_probabilities=tensors["validation_probabilities"].numpy(),
        checkpoints=checkpoints,
        module=module,
        learned=_learned(below(_LEARNED), header),
    )


def _learned(tensors: dict[str, Tensor], header: dict[str, Any]) -> LearnedRows | None:
    if "identity" not in header:
        return None
    arrays = {name: tensors[name].numpy() for name in _LEARNED_ARRAYS}
    unsigned = {"i8": np.uint64, "i4": np.uint32}
    for name in ("training", "validation", "validation_content"):
        arrays[name] = arrays[name].view(unsigned[arrays[name].dtype.str[1:]])
    return LearnedRows(RowIdentity.model_validate(header["identity"]), **arrays)


class _StoredCheckpoints(Mapping[int, dict[str, Any]]):
    """States of a training that stay in their file until asked for.

    The open file is what it was when it was loaded, also once another has been published in its path.
    """

    def __init__(self, opened: safe_open, names: list[str], local: LocalCopy) -> None:
        self._opened, self._local = opened, local
        self._names: dict[int, list[str]] = {}
        for name in names:
            self._names.setdefault(int(name.split("/")[1]), []).append(name)

    def __getitem__(self, step: int) -> dict[str, Any]:
        return {name.split("/", 2)[2]: self._opened.get_tensor(name) for name in self._names[step]}

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._names))

    def __len__(self) -> int:
        return len(self._names)

    def __reduce__(self) -> tuple[type[dict], tuple[dict]]:
        return dict, (dict(self),)  # an open file cannot be copied, what is in it can
