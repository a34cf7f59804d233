"""Snapshots of a training in a file beside the model's own, which whoever uses the model need not read.

They are for pictures: large matrices are stored in steps of a 127th of the largest number of a row, all else as
float16, which moves a probability by a hundredth, in the steepest places of a boundary by three. Before the training,
where all classes are nearly as likely, a hundredth would move the boundary, and everything is float16. From one
snapshot to the next a weight changes by a tenth of its size: differences take half the bytes.

A file holds, by name of a tensor, its `series` of all steps (of a large matrix without step 0), and the `scales` of
large matrices; what is no series, under ``states/<step>/``. Files of earlier versions hold each step by itself,
and each with scales of its own, under ``scales/<step>/``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from upath import UPath

from classification_assets.learning.artifacts.attempts import reached
from classification_assets.learning.artifacts.checksum import BLANK, SEAL, refuse_damaged, seal
from classification_assets.learning.artifacts.files import CHECKSUM, HEADER, ArtifactError, LocalCopy, is_file
from classification_assets.learning.artifacts.origin import Origin
from classification_assets.learning.artifacts.series import compressed, restored

P = TypeVar("P", Path, UPath)
SUFFIX = ".snapshots.safetensors"
NAME = f"model{SUFFIX}"
"""The file of a model asset's snapshots, in its folder."""

LEAST_SIDE = 32
"""Rows and columns of a matrix, at least, that is stored in 8 bits: of a smaller one there is little to save."""

_LEVELS = 127
_STATES, _SCALES, _SERIES = "states/", "scales/", "series/"


class SnapshotsBeside(Mapping[int, dict[str, Tensor]]):
    """Snapshots that are to be stored beside their model; a model that has them refers to their file.

    Attributes
    ----------
    tensors : dict
        What the file holds as it is.
    series : dict
        What it holds compressed: whole numbers (S, ...) of the last S steps.
    version : str
        SHA-256 of it.
    losses : dict
        Loss of each snapshot as it was, before it is rounded, by its step.
    """

    def __init__(
        self, states: Mapping[int, Mapping[str, Tensor]], losses: Mapping[int, float] | None = None
    ) -> None:
        self.states, self.losses = states, dict(losses or {})
        self.tensors: dict[str, Tensor] = {}
        self.series: dict[str, np.ndarray] = {}
        for name in dict.fromkeys(name for state in states.values() for name in state):
            self._add(name, {step: state[name] for step, state in states.items() if name in state})
        # Not of what is compressed, which need not be the same bytes everywhere.
        series = {f"{_SERIES}{name}": torch.from_numpy(values) for name, values in self.series.items()}
        self.version = tensors_version(self.tensors | series)

    def _add(self, name: str, values: Mapping[int, Tensor]) -> None:
        """Round the values of one tensor at all steps, if they can be, and note what the file is to hold of them."""
        plain = dict(values)
        if len(values) == len(self.states) and _are_one_series(list(values.values())):
            coarse = [step for step in values if step != 0] if _is_large(next(iter(values.values()))) else []
            if coarse:
                stacked = torch.stack([plain.pop(step) for step in coarse])
                scale = stacked.abs().amax((0, -1), keepdim=True)[0].clamp(min=1e-30) / _LEVELS
                self.series[name] = (stacked / scale).round().to(torch.int8).numpy()
                self.tensors[f"{_SCALES}{name}"] = scale.contiguous()
            else:
                halves = torch.stack([plain.pop(step) for step in values]).half()
                self.series[name] = halves.numpy().view(np.int16)
        for step, value in plain.items():
            self.tensors[f"{_STATES}{step}/{name}"] = _rounded(value)

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        return dict(self.states[step])

    def __iter__(self) -> Iterator[int]:
        return iter(self.states)

    def __len__(self) -> int:
        return len(self.states)


class StoredSnapshots(Mapping[int, dict[str, Tensor]]):
    """Snapshots in a file that is opened when the first of them is asked for."""

    def __init__(self, path: UPath, steps: Sequence[int], version: str) -> None:
        self._path, self._steps, self._version = path, tuple(steps), version

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        if step not in self._steps:
            raise KeyError(step)
        opened, _, _ = self._opened
        names = set(opened.keys())
        last = len(self._steps) - self._steps.index(step)
        state = {name: series[-last] for name, series in self._series.items() if last <= len(series)}
        for name in (name for name in names if name.startswith(f"{_STATES}{step}/")):
            own, scale = name.split("/", 2)[2], name.replace(_STATES, _SCALES, 1)
            stored = opened.get_tensor(name)
            if scale in names:
                state[own] = stored.float() * opened.get_tensor(scale)
            else:
                state[own] = stored.float() if stored.dtype == torch.float16 else stored
        return dict(sorted(state.items()))

    def __iter__(self) -> Iterator[int]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)

    def __reduce__(self) -> tuple[type[dict], tuple[dict]]:
        return dict, (dict(self),)  # an open file cannot be copied, what is in it can

    @property
    def losses(self) -> dict[int, float]:
        """Loss of each snapshot before it was rounded, by its step; of a file that does not tell them, none."""
        return {int(step): float(loss) for step, loss in self._opened[1].get("losses", ())}

    @cached_property
    def _series(self) -> dict[str, list[Tensor]]:
        """Values of tensors at the last steps, by name."""
        opened, header, _ = self._opened
        scales = set(opened.keys())
        found = {}
        for name, shape in header.get("series", {}).items():
            is_coarse = f"{_SCALES}{name}" in scales
            content = opened.get_tensor(f"{_SERIES}{name}").numpy().tobytes()
            codes = restored(content, np.dtype(np.int8 if is_coarse else np.int16), tuple(shape))
            values = torch.from_numpy(codes if is_coarse else codes.view(np.float16)).float()
            if is_coarse:
                values *= opened.get_tensor(f"{_SCALES}{name}")
            found[name] = list(values)
        return found

    @cached_property
    def _opened(self) -> tuple[Any, dict[str, Any], LocalCopy]:
        """The open file, its header, and the copy that it is of where it lies elsewhere.

        Raises
        ------
        ArtifactError
            If it is gone, damaged, or that of another training.
        """
        way_out = "train the model again, or use it without the snapshots of its training"
        if not is_file(self._path):
            raise ArtifactError(f"{self._path} is gone, which belongs to the model beside it; {way_out}")
        opened, header, local = reached(self._path, lambda: _open(self._path))
        version = header["version"]
        if version != self._version:
            raise ArtifactError(
                f"{self._path} holds snapshots of another training than that of the model beside it: their version "
                f"must be {self._version[:12]}, got {version[:12]}; {way_out}"
            )
        return opened, header, local


def beside(model: P) -> P:
    """Where the snapshots of a model lie that is stored in a file."""
    return model.with_name(f"{model.stem}{SUFFIX}")


def write_snapshots(value: SnapshotsBeside, file: Path, origin: Origin | None = None) -> str:
    """Write snapshots and return their version; of what they were made, the model's own file says."""
    header = {
        "format": "snapshots",
        "steps": list(value),
        "series": {name: values.shape for name, values in value.series.items()},
        "version": value.version,
        "losses": list(value.losses.items()),
        CHECKSUM: SEAL + BLANK,
    }
    tensors = dict(value.tensors)
    for name, values in value.series.items():
        content = np.frombuffer(compressed(values), np.uint8)
        tensors[f"{_SERIES}{name}"] = torch.from_numpy(content.copy())
    save_file(tensors, file, metadata={HEADER: json.dumps(header, sort_keys=True)})
    seal(file)
    file.chmod(0o644)  # safetensors lets nobody else read its files
    return value.version


def read_snapshots(path: UPath) -> StoredSnapshots:
    """The snapshots in a file, whichever model they are of."""
    _, header, _ = _open(path)
    return StoredSnapshots(path, header["steps"], header["version"])


def tensors_version(tensors: Mapping[str, Tensor], told: str = "") -> str:
    """SHA-256 of tensors by name, and of a text that goes with them."""
    hashed = hashlib.sha256(told.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        hashed.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        if tensor.numel():  # an empty one has no bytes, and no strides that a view may take
            hashed.update(tensor.cpu().reshape(-1).view(torch.uint8).numpy().data)
    return hashed.hexdigest()


def _open(path: UPath) -> tuple[Any, dict[str, Any], LocalCopy]:
    """The open file of some snapshots, its header, and the copy that is open."""
    local = LocalCopy(path)
    refuse_damaged(local.path, path)
    try:
        opened = safe_open(local.path, framework="pt")
        header = json.loads(opened.metadata()[HEADER])
        list(header["steps"]), str(header["version"])  # what is missing is found here
        return opened, header, local
    except Exception as error:  # of many kinds
        raise ArtifactError(f"{path} is damaged, or not written by this project: {error!r}") from error


def _are_one_series(values: Sequence[Tensor]) -> bool:
    """Whether values are of one shape, and numbers that float16 holds."""
    return all(
        value.dtype == torch.float32
        and value.shape == values[0].shape
        and bool(value.half().isfinite().all())
        for value in values
    )


def _is_large(value: Tensor) -> bool:
    return value.ndim > 2 and min(value.shape[-2:]) >= LEAST_SIDE


def _rounded(value: Tensor) -> Tensor:
    """As float16 what that can hold."""
    return (value.half() if _are_one_series([value]) else value).contiguous()
