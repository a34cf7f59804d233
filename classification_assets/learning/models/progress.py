"""Progress of a training: a bar in a terminal, and now and then a line for a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec

import numpy as np
from torch import Tensor
from tqdm import tqdm

LINES = 20
"""Lines a training, at most, if it takes no longer than `LINES` × `SECONDS`."""

LEAST_SECONDS, SECONDS = 3.0, 10.0
"""Seconds between two lines, at least and at most."""


class Reporter:
    """A bar that moves, and a line now and then.

    A line comes when a twentieth of the work has passed since the last one, and at the latest after ten seconds;
    what takes less than three seconds says nothing before its end.

    Parameters
    ----------
    title : str
        Name of what is trained.
    log : callable, optional
        Gets a line of text now and then.
    bar : bool or None
        Draw a bar, in a notebook below its cell, else on the error stream; None: in a notebook or a terminal.
    """

    unit = "step"
    """The thing that is counted."""

    def __init__(self, title: str, log: Callable[[str], None] | None = None, bar: bool | None = None) -> None:
        self.title, self.log = title, log
        widget = None if bar is False else _of_a_notebook()
        shown = bar if bar is not None else widget is not None or sys.stderr.isatty()
        # One that is off takes a thread of its own all the same.
        self.bar = (widget or tqdm)(desc=title, unit=self.unit, leave=False) if shown else None
        self.started = self.spoken = time.monotonic()
        self.told = 0.0

    @property
    def is_heard(self) -> bool:
        """Whether there is a bar or a log."""
        return self.bar is not None or self.log is not None

    def report(self, done: int, last: int, numbers: Mapping[str, float], words: str) -> None:
        """Move the bar to `done` of `last`, and say words and numbers in a line if one is due."""
        if self.bar is not None:
            self.bar.total = last
            self.bar.update(done - self.bar.n)
            self.bar.set_postfix({name: f"{value:.3f}" for name, value in numbers.items()}, refresh=False)
        now = time.monotonic()
        share, since = done / last, now - self.spoken
        due = share - self.told >= 1 / LINES and since >= LEAST_SECONDS
        if self.log and (due or since >= SECONDS):
            left = (now - self.started) * (last - done) / done
            told = [f"{name.replace('_', ' ')} {value:.4f}" for name, value in numbers.items()]
            line = ", ".join([words, f"{share:.0%}", *told, f"at most {left:.0f} s left"])
            self.log(f"{self.title}: {line}")
            self.spoken, self.told = now, share

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()


class Progress(Reporter):
    """An `on_epoch` that reports the members' median losses."""

    def __init__(self, title: str, log: Callable[[str], None] | None = None, bar: bool | None = None) -> None:
        super().__init__(title, log, bar)
        self.epoch = 0

    def __call__(self, step: int, last: int, entry: dict[str, Tensor]) -> None:
        self.epoch += 1
        if not self.is_heard:
            return
        losses = {
            name: float(np.nanmedian(entry[name].numpy())) for name in entry if not entry[name].isnan().all()
        }
        self.report(step, last, losses, f"epoch {self.epoch}")


def _of_a_notebook() -> type[tqdm] | None:
    """The bar that a notebook shows, if this is one: a widget, or a line of text where there are none."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if type(shell).__name__ != "ZMQInteractiveShell":
        return None
    if find_spec("ipywidgets") is None:
        return tqdm
    from tqdm.notebook import tqdm as widget

    return widget
