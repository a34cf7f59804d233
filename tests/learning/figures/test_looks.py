"""Figures look as they did when someone looked at them.

`UPDATE_LOOKS=1 python -m pytest tests/learning/figures/test_looks.py` takes over how they look now: look at them.
"""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

LOOKS = Path(__file__).parent / "looks"
DPI = 75
NOTICEABLE, SHARE = 48, 0.001
"""A pixel that differs by more (of 255) can be seen; more than a thousandth of such pixels is another picture."""


def picture_of(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return Image.open(buffer).convert("RGB")


def share_that_differs(one, other):
    difference = np.abs(np.asarray(one, int) - np.asarray(other, int)).max(axis=2)
    return (difference > NOTICEABLE).mean()


def check(now, path):
    if os.environ.get("UPDATE_LOOKS"):
        path.parent.mkdir(exist_ok=True)
        now.save(path, optimize=True)
    then = Image.open(path).convert("RGB")
    assert now.size == then.size
    assert share_that_differs(now, then) < SHARE


def test_a_figure_looks_as_it_did(kind, drawn):
    check(picture_of(drawn(kind)), LOOKS / f"{kind}.png")


@pytest.mark.parametrize("kind", ["boundary", "forest"])
def test_a_dark_figure_looks_as_it_did(kind, drawn):
    check(picture_of(drawn(kind, "dark")), LOOKS / f"{kind}-dark.png")


def test_a_single_word_that_changes_is_noticed(draw):
    usual, other = picture_of(draw("confusion")), picture_of(draw("confusion", long="x"))
    across, up = (min(sides) for sides in zip(usual.size, other.size, strict=True))
    assert share_that_differs(usual.crop((0, 0, across, up)), other.crop((0, 0, across, up))) > SHARE
