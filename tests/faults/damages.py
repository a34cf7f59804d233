"""Ways in which a file can be damaged, at many of its bytes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

EVERY_BYTE = 2_500
"""Bytes of a file up to which each one is damaged."""

SOME = 200
"""Positions of a larger file."""

BLOCK = 512
"""Bytes that a disk loses at once."""


def positions(size: int) -> list[int]:
    """Every byte of a small file, else some, of which many at its two ends, where headers are."""
    if size <= EVERY_BYTE:
        return list(range(size))
    ends = [*range(0, 100), *range(size - 100, size)]
    return sorted({*ends, *np.linspace(0, size - 1, SOME).astype(int).tolist()})


def truncated(content: bytes) -> Iterator[bytes]:
    for position in positions(len(content)):
        yield content[:position]


def with_a_wrong_byte(content: bytes, seed: int = 0) -> Iterator[bytes]:
    random = np.random.default_rng(seed)
    for position in positions(len(content)):
        wrong = bytearray(content)
        wrong[position] ^= int(random.integers(1, 256))
        yield bytes(wrong)


def with_a_lost_block(content: bytes) -> Iterator[bytes]:
    for start in {position // BLOCK * BLOCK for position in positions(len(content))}:
        lost = bytearray(content)
        lost[start : start + BLOCK] = bytes(len(lost[start : start + BLOCK]))
        if lost != content:
            yield bytes(lost)


DAMAGES = {
    "truncated": truncated,
    "with a wrong byte": with_a_wrong_byte,
    "with a lost block": with_a_lost_block,
}
