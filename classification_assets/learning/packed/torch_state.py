"""PyTorch's settings around our arithmetic: what the caller has set neither reaches it nor is changed by it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
R = TypeVar("R")

_DEFAULTS = threading.RLock()


@contextmanager
def usual_state() -> Iterator[None]:
    """Gradients as PyTorch has them unless told otherwise, and no autocast: both are settings of a thread."""
    with ExitStack() as entered:
        if torch.is_inference_mode_enabled():
            entered.enter_context(torch.inference_mode(False))
        if not torch.is_grad_enabled():
            entered.enter_context(torch.enable_grad())
        for device in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(device):
                entered.enter_context(torch.autocast(device, enabled=False))
        yield


def in_inference_mode(function: Callable[P, R]) -> Callable[P, R]:
    """A function that runs in PyTorch's inference mode, which is entered only if it is not there yet.

    Entering takes as long as several operations on a small pack.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if torch.is_inference_mode_enabled():
            return function(*args, **kwargs)
        with torch.inference_mode():
            return function(*args, **kwargs)

    return run


@contextmanager
def usual_defaults(device: torch.device) -> Iterator[None]:
    """Float32 as the default type, for code that is not ours and leaves it open.

    A default device that the caller has set gives way to this one; the CPU, as it is unless set, stays. One thread at
    a time, since the default type is one of the whole process.
    """
    with _DEFAULTS, ExitStack() as entered:
        if torch.get_default_device().type != "cpu":
            entered.enter_context(device)
        before = torch.get_default_dtype()
        if before != torch.float32:
            torch.set_default_dtype(torch.float32)
            entered.callback(torch.set_default_dtype, before)
        yield


class _Threads:
    """Who computes with another number of threads, and the number that the process had before.

    PyTorch keeps a number for each thread, which a new one takes over from the process; setting a thread's number sets
    the process's too. So whoever sets it while others do must know what it was before the first of them.
    """

    def __init__(self) -> None:
        self.lock, self.mine = threading.Lock(), threading.local()
        self.active, self.before, self.latest = 0, 0, 0

    def enter(self, number: int) -> int:
        """Take a number for this thread; returns the one that it shall have again."""
        with self.lock:
            own = torch.get_num_threads()
            if not self._depth:
                if not self.active:
                    self.before = own if threading.active_count() == 1 else _of_process()
                elif not self._known and own == self.latest:
                    own = (
                        self.before
                    )  # a thread that began meanwhile has taken over what was not meant for it
                self.active += 1
            self.mine.depth, self.mine.known = self._depth + 1, True
            self._set(number)
            return own

    def leave(self, own: int) -> None:
        """Give this thread its number back, and the process too once nobody needs another."""
        with self.lock:
            self.mine.depth -= 1
            self._set(own)
            if not self._depth:
                self.active -= 1
                if not self.active and own != self.before:
                    _of_process(self.before)

    def begin_worker(self, number: int) -> None:
        """Take a number for a thread that ends before whoever began it leaves."""
        with self.lock:
            self.mine.depth = 1
            self._set(number)

    @property
    def _depth(self) -> int:
        return getattr(self.mine, "depth", 0)

    @property
    def _known(self) -> bool:
        return getattr(self.mine, "known", False)

    def _set(self, number: int) -> None:
        torch.set_num_threads(number)
        self.latest = number


def _of_process(number: int | None = None) -> int:
    """The process's number of threads, which a new thread sees; set, if one is given."""
    seen: list[int] = []

    def look() -> None:
        if number is not None:
            torch.set_num_threads(number)
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return seen[0]


_threads = _Threads()
begin_worker = _threads.begin_worker


@contextmanager
def threads(number: int | None = None) -> Iterator[int]:
    """So many threads of the CPU for what follows in this thread (None: as many as it has), and as before after it."""
    own = _threads.enter(number or torch.get_num_threads())
    try:
        yield number or own
    finally:
        _threads.leave(own)
