"""An animated GIF of frames that share one palette; see the GIF89a specification (CompuServe, 1990).

Pillow packs the pixels. Its writer of animations compares frames again, gives each one a palette of its own and codes
of 8 bits, and leaves out every pixel that stands still, also single ones, which cost more than they save: that takes
longer, for files a twelfth larger.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from PIL import Image

LONGEST_GAP = 4
"""Pixels that stand still between others that change, at most, which are drawn with them: runs pack better."""


def gif(frames: Iterable[np.ndarray], palette: np.ndarray, milliseconds: Sequence[int]) -> bytes:
    """A GIF that repeats for ever, without dithering.

    Parameters
    ----------
    frames : (H, W) uint8 each, numbers of the palette's colours
    palette : (K, 3) uint8, K at most 255
    milliseconds : how long each frame is shown; hundredths of a second count
    """
    colours = len(palette)
    if not 0 < colours < 256:
        raise ValueError(f"a palette must have 1 to 255 colours, got {colours}")
    bits = max(2, colours.bit_length())
    shown = list(_changes(frames, milliseconds, still=colours))
    height, width = shown[0][0].shape
    table = np.zeros((2**bits, 3), np.uint8)
    table[:colours] = palette
    parts = [
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF0 | bits - 1, 0, 0) + table.tobytes(),
        b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0",
    ]
    for pixels, (top, left), duration in shown:
        rows, columns = pixels.shape
        parts.append(b"!\xf9\x04" + struct.pack("<BHBB", 1 << 2 | 1, duration // 10, colours, 0))
        parts.append(b"," + struct.pack("<HHHHBB", left, top, columns, rows, 0, bits))
        parts.append(Image.fromarray(pixels).tobytes("gif", "L", bits, 0) + b"\0")
    return b"".join([*parts, b";"])


def _changes(
    frames: Iterable[np.ndarray], milliseconds: Sequence[int], still: int
) -> Iterator[tuple[np.ndarray, tuple[int, int], int]]:
    """The part of each frame that differs from the one before, its upper left corner, and how long it is shown.

    Of a part, what has not changed is `still`; a frame in which nothing changes makes the one before last longer.
    """
    before: np.ndarray | None = None
    waiting: tuple[np.ndarray, tuple[int, int], int] | None = None
    for frame, duration in zip(frames, milliseconds, strict=True):
        if before is None or waiting is None:
            before, waiting = frame, (frame, (0, 0), duration)
            continue
        difference = before ^ frame
        if (box := Image.fromarray(difference).getbbox()) is None:
            waiting = (*waiting[:2], waiting[2] + duration)
            continue
        yield waiting
        left, top, right, bottom = box
        part = slice(top, bottom), slice(left, right)
        pixels = frame[part].copy()
        np.putmask(pixels, ~_without_gaps(difference[part] != 0), still)
        before, waiting = frame, (pixels, (top, left), duration)
    if waiting is None:
        raise ValueError("a GIF needs frames, got none")
    yield waiting


def _without_gaps(changed: np.ndarray) -> np.ndarray:
    """Marks (H, W), and along rows also what lies between two of them in a gap of up to `LONGEST_GAP`."""
    # One line: what it joins across two rows is drawn for nothing, and is as it was.
    marks = changed.ravel()
    reach = LONGEST_GAP // 2
    wide = marks.copy()
    for step in range(1, reach + 1):
        wide[step:] |= marks[:-step]
        wide[:-step] |= marks[step:]
    joined = wide.copy()
    for step in range(1, reach + 1):
        joined[step:] &= wide[:-step]
        joined[:-step] &= wide[step:]
    return (joined | marks).reshape(changed.shape)
