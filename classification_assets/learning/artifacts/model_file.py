"""A trained model as one safetensors file, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from upath import UPath

from classification_assets.learning.artifacts.files import HEADER, LocalCopy, header_of
from classification_assets.learning.models.fitted import FittedModel, Provenance

_CHECKPOINTS = "checkpoints/"


def write_model(value: FittedModel, file: Path) -> None:
    import torch

    tensors = {f"state/{name}": tensor.contiguous() for name, tensor in value.state.items()}
    arrays = {f"history/{name}": array for name, array in value.history.items()}
    arrays |= {"best_step": value.best_step, "validation_probabilities": value.validation_probabilities}
    tensors |= {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
    for step, state in value.checkpoints.items():
        tensors |= {f"{_CHECKPOINTS}{step}/{name}": tensor.contiguous() for name, tensor in state.items()}
    save_file(
        tensors, file, metadata=header_of("fitted", provenance=value.provenance.model_dump(mode="json"))
    )
    # Safetensors lets nobody else read its files, and a web server is somebody else.
    file.chmod(0o644)


def read_model(place: UPath, module: Callable[..., nn.Module] | None) -> FittedModel:
    local = LocalCopy(place)
    opened = safe_open(local.path, framework="pt")
    header = json.loads((opened.metadata() or {})[HEADER])
    checkpoints = [name for name in opened.keys() if name.startswith(_CHECKPOINTS)]  # noqa: SIM118 (it is no mapping)
    tensors = {name: opened.get_tensor(name) for name in set(opened.keys()) - set(checkpoints)}

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
        checkpoints=_StoredCheckpoints(opened, checkpoints, local),
        module=module,
    )


class _StoredCheckpoints(Mapping[int, dict[str, Any]]):
    """States of a training that stay in their file until asked for.

    The open file is what it was when it was loaded, also once another has been published in its place.
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
