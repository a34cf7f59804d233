"""Progress of a training: a bar in a terminal, and now and then a line for a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from torch import Tensor
from tqdm import tqdm

LINES = 20
"""Lines a training, at most, if it takes no longer than `LINES` × `SECONDS`."""

SECONDS = 10.0
"""Seconds between two lines, at most."""


class Progress:
    """An `on_epoch` that reports.

    A line comes when a twentieth of the training has passed since the last one, and at the latest after ten
    seconds; a training of less than a second says nothing before its end.

    Parameters
    ----------
    title : str
        Name of the model that is trained.
    log : callable, optional
        Gets a line of text now and then.
    bar : bool or None
        Draw a bar, in a notebook below its cell, else on the error stream; None: in a notebook or a terminal.
    """

    def __init__(self, title: str, log: Callable[[str], None] | None = None, bar: bool | None = None) -> None:
        self.title, self.log = title, log
        widget = None if bar is False else _of_a_notebook()
        shown = bar if bar is not None else widget is not None or sys.stderr.isatty()
        # One that is off takes a thread of its own all the same.
        self.bar = (widget or tqdm)(desc=title, unit="step", leave=False) if shown else None
        self.started = self.spoken = time.monotonic()
        self.epoch, self.told = 0, 0.0

    def __call__(self, step: int, last: int, entry: dict[str, Tensor]) -> None:
        self.epoch += 1
        if self.bar is None and self.log is None:
            return
        losses = {
            name: float(np.nanmedian(entry[name].numpy())) for name in entry if not entry[name].isnan().all()
        }
        if self.bar is not None:
            self.bar.total = last
            self.bar.update(step - self.bar.n)
            self.bar.set_postfix({name: f"{value:.3f}" for name, value in losses.items()}, refresh=False)
        now = time.monotonic()
        done, since = step / last, now - self.spoken
        due = done - self.told >= 1 / LINES and since >= 1.0
        if self.log and (due or since >= SECONDS):
            left = (now - self.started) * (last - step) / step
            text = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in losses.items())
            self.log(f"{self.title}: epoch {self.epoch}, {done:.0%}, {text}, at most {left:.0f} s left")
            self.spoken, self.told = now, done

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()


def _of_a_notebook() -> type[tqdm] | None:
    """The bar that a notebook shows, if this is one: a widget, or a line of text where there are none."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if type(shell).__name__ != "ZMQInteractiveShell":
        return None
    if find_spec("ipywidgets") is None:
        return tqdm
    from tqdm.notebook import tqdm as widget

    return widget
