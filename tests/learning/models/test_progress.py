"""A training says how far it is, and not too often."""

import io
import re
import sys
import time
from types import ModuleType, SimpleNamespace

import pytest
import torch

from classification_assets.learning.models import progress
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.models.fit import timed_fit
from classification_assets.learning.models.progress import LINES, Progress
from classification_assets.learning.packed.options import Training

ENTRY = {
    "train_loss": torch.tensor([0.1, 0.3, float("nan")]),
    "validation_loss": torch.tensor([0.5, float("nan"), 0.7]),
    "validation_accuracy": torch.full((3,), float("nan")),
}


@pytest.fixture
def told(monkeypatch):
    """The lines that a training of so many epochs says, when each takes so many seconds."""

    def told(epochs, seconds_an_epoch):
        clock, lines = [0.0], []
        monkeypatch.setattr(time, "monotonic", lambda: clock[0])
        shown = Progress("moons", lines.append, bar=False)
        for epoch in range(1, epochs + 1):
            clock[0] += seconds_an_epoch
            shown(epoch * 10, epochs * 10, ENTRY)
        shown.close()
        return lines

    return told


def test_a_training_of_less_than_a_second_says_nothing(told):
    assert told(200, 0.0049) == []


def test_a_training_of_a_minute_says_no_more_than_twenty_lines(told):
    assert 15 <= len(told(1000, 0.06)) <= LINES


def test_a_short_training_says_no_more_than_a_line_a_second(told):
    assert len(told(500, 0.01)) <= 5


def test_a_slow_training_says_a_line_every_ten_seconds(told):
    assert len(told(1000, 2.0)) == 200


def test_a_line_says_epoch_share_losses_and_time_left(told):
    assert told(10, 3.0)[0] == (
        "moons: epoch 1, 10%, train loss 0.2000, validation loss 0.6000, at most 27 s left"
    )


def test_a_bar_is_drawn_where_it_is_asked_for(capsys):
    progress = Progress("moons", bar=True)
    progress(10, 20, ENTRY)
    progress.close()
    assert "moons" in capsys.readouterr().err


def test_no_bar_is_drawn_where_nobody_watches(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    progress = Progress("moons")
    progress(10, 20, ENTRY)
    progress.close()
    assert stream.getvalue() == ""


def test_a_timed_training_ends_with_a_line_that_says_what_was_trained_and_where(split):
    lines, training = [], Training(members=2, max_epochs=3)
    fitted, seconds = timed_fit(MLP(hidden=(4,)), split, training, "cpu", "moons · mlp", lines.append)
    assert re.fullmatch(r"moons · mlp: 2 networks trained, 3 epochs, \d+\.\d s on cpu", lines[-1])
    assert len(fitted.best_step) == 2
    assert seconds > 0


class ZMQInteractiveShell:
    """What IPython calls the shell of a notebook's kernel."""


def test_in_a_notebook_the_bar_is_a_widget(monkeypatch):
    drawn = []

    class Widget:
        def __init__(self, **options):
            drawn.append(options)

    notebook = ModuleType("tqdm.notebook")
    notebook.tqdm = Widget
    monkeypatch.setitem(sys.modules, "tqdm.notebook", notebook)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=ZMQInteractiveShell))
    monkeypatch.setattr(progress, "find_spec", lambda name: name == "ipywidgets")
    assert isinstance(Progress("moons").bar, Widget)
    assert drawn == [{"desc": "moons", "unit": "step", "leave": False}]
    Progress("moons", bar=False)
    assert len(drawn) == 1
    monkeypatch.setattr(progress, "find_spec", lambda name: None)
    shown = Progress("moons")
    assert not shown.bar.disable
    shown.close()
    assert len(drawn) == 1


@pytest.mark.parametrize("shell", [None, object()])
def test_elsewhere_it_is_none(monkeypatch, shell):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert Progress("moons").bar is None
