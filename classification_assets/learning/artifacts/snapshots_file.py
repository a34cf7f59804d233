"""Snapshots of a training in a file beside the model's own, which whoever uses the model need not read.

They are for pictures: large matrices are stored in steps of a 127th of a row's largest number, all else as float16,
which moves a probability by a hundredth, in the steepest places of a boundary by three. Before the training, where all
classes are nearly as likely, a hundredth would move the boundary, and everything is float16.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from upath import UPath

from classification_assets.learning.artifacts.attempts import reached
from classification_assets.learning.artifacts.checksum import BLANK, SEAL, refuse_damaged, seal
from classification_assets.learning.artifacts.files import CHECKSUM, HEADER, ArtifactError, LocalCopy, is_file
from classification_assets.learning.artifacts.origin import Origin

P = TypeVar("P", Path, UPath)
SUFFIX = ".snapshots.safetensors"
NAME = f"model{SUFFIX}"
"""The file of a model asset's snapshots, in its folder."""

LEAST_SIDE = 32
"""Rows and columns of a matrix, at least, that is stored in 8 bits: of a smaller one there is little to save."""

_LEVELS = 127
_STATES, _SCALES = "states/", "scales/"


class SnapshotsBeside(Mapping[int, dict[str, Tensor]]):
    """Snapshots that are to be stored beside their model; a model that has them refers to their file.

    Attributes
    ----------
    tensors : dict
        What the file holds.
    version : str
        SHA-256 of it.
    losses : dict
        Loss of each snapshot as it was, before it is rounded, by its step.
    """

    def __init__(
        self, states: Mapping[int, Mapping[str, Tensor]], losses: Mapping[int, float] | None = None
    ) -> None:
        self.states, self.losses = states, dict(losses or {})
        self.tensors = {
            f"{part}{step}/{name}": tensor
            for step, state in states.items()
            for name, value in state.items()
            for part, tensor in zip((_STATES, _SCALES), _packed(value, finely=step == 0), strict=False)
        }
        self.version = tensors_version(self.tensors)

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
        state = {}
        for name in sorted(name for name in names if name.startswith(f"{_STATES}{step}/")):
            own, scale = name.split("/", 2)[2], name.replace(_STATES, _SCALES, 1)
            stored = opened.get_tensor(name)
            if scale in names:
                state[own] = stored.float() * opened.get_tensor(scale)
            else:
                state[own] = stored.float() if stored.dtype == torch.float16 else stored
        return state

    def __iter__(self) -> Iterator[int]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)

    def __reduce__(self) -> tuple[type[dict], tuple[dict]]:
        return dict, (dict(self),)  # an open file cannot be copied, what is in it can

    @property
    def losses(self) -> dict[int, float]:
        """Loss of each snapshot before it was rounded, by its step; of a file that does not tell them, none."""
        return self._opened[2]

    @cached_property
    def _opened(self) -> tuple[Any, LocalCopy, dict[int, float]]:
        """The open file, the copy that it is of where it lies elsewhere, and the losses that it tells.

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
        return opened, local, {int(step): float(loss) for step, loss in header.get("losses", ())}


def beside(model: P) -> P:
    """Where the snapshots of a model lie that is stored in a file."""
    return model.with_name(f"{model.stem}{SUFFIX}")


def write_snapshots(value: SnapshotsBeside, file: Path, origin: Origin | None = None) -> str:
    """Write snapshots and return their version; of what they were made, the model's own file says."""
    header = {
        "format": "snapshots",
        "steps": list(value),
        "version": value.version,
        "losses": list(value.losses.items()),
        CHECKSUM: SEAL + BLANK,
    }
    save_file(value.tensors, file, metadata={HEADER: json.dumps(header, sort_keys=True)})
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


def _packed(value: Tensor, *, finely: bool) -> tuple[Tensor, ...]:
    """A tensor in fewer bytes, and the scale that it then has to be multiplied by, if there is one."""
    if value.dtype != torch.float32 or not value.isfinite().all():
        return (value.contiguous(),)
    if not finely and value.ndim > 2 and min(value.shape[-2:]) >= LEAST_SIDE:
        scale = value.abs().amax(-1, keepdim=True).clamp(min=1e-30) / _LEVELS
        return (value / scale).round().to(torch.int8).contiguous(), scale
    half = value.half()
    return ((half if half.isfinite().all() else value).contiguous(),)
