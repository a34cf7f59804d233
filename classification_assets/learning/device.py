"""Which device computes: the names that may be chosen, and the choice made from them. Light to import."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

_NAMES = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


def _checked_device(name: str) -> str:
    if not (isinstance(name, str) and _NAMES.fullmatch(name)):
        raise ValueError(f"a device is auto, cpu, cuda, cuda:N or mps, got {name!r}")
    return name


DeviceName = Annotated[str, AfterValidator(_checked_device)]


@dataclass(frozen=True)
class Device:
    """A device that is there: `name` as PyTorch takes it, and what it is."""

    name: str
    hardware: str
    torch_version: str
    threads: int


def first_choice(*choices: str) -> str:
    """The first choice that is not auto, each checked to be the name of a device; auto if none is."""
    return next((choice for choice in map(_checked_device, choices) if choice != "auto"), "auto")


def resolve_device(*choices: str) -> Device:
    """The device of the first choice that is not auto; of auto alone: CUDA, then MPS, then the CPU.

    Raises
    ------
    ValueError
        If a choice is no device's name, or names a device that is not there: only auto falls back.
    """
    import platform

    import torch

    present = ["cpu"]
    if torch.backends.mps.is_available():
        present.insert(0, "mps")
    if torch.cuda.is_available():
        present[:0] = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    choice = first_choice(*choices)
    name = {"auto": present[0], "cuda": "cuda:0"}.get(choice, choice)
    if name not in present:
        raise ValueError(
            f"device {choice!r} is not there; this machine has {', '.join(present)} (auto chooses)"
        )
    if name.startswith("cuda"):
        hardware = torch.cuda.get_device_name(name)
    else:
        hardware = platform.processor() or platform.machine()
    return Device(name, hardware, torch.__version__, torch.get_num_threads())
