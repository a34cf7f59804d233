"""Settings of PyTorch's arithmetic during a training: threads, denormal numbers, the precision of products."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from classification_assets.learning.packed.torch_state import threads

_ONE_THREAD_BELOW = 2**23


@contextmanager
def threads_for(multiplications: int, chosen: int | None) -> Iterator[None]:
    """One thread for a small step: there, waking a second one costs more than it computes."""
    with threads(chosen or (1 if multiplications < _ONE_THREAD_BELOW else None)):
        yield


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Numbers below 1e-38 count as 0: a CPU takes some 30 times longer over them, and dying units make many."""
    already = float(torch.tensor(1e-39, dtype=torch.float32, device="cpu") * 1) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(already)


@contextmanager
def products_in(precision: str, device: torch.device) -> Iterator[None]:
    """Products of float32 on CUDA rounded to TF32, if that is wanted; on a CPU nothing changes."""
    if precision != "tf32" or device.type != "cuda":
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
