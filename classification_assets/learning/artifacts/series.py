"""Arrays of whole numbers that follow one another and differ little, in few bytes."""

from __future__ import annotations

import zlib

import numpy as np


def compressed(series: np.ndarray) -> bytes:
    """A series (S, ...) of int8 or int16 as differences from one array to the next.

    Differences are taken modulo 2^8 or 2^16, so that none is too large, and low and high bytes stand apart. They are
    coded by Huffman's method alone: weights of a network repeat nothing, and looking for that takes five times longer.
    """
    steps = series.copy()
    steps[1:] -= series[:-1]
    planes = steps.reshape(-1, 1).view(np.uint8).T
    coder = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY)
    return coder.compress(planes.tobytes()) + coder.flush()


def restored(content: bytes, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """The series of that type and shape.

    Raises
    ------
    ValueError
        If the content is not of that many bytes.
    zlib.error
        If it is none that was compressed.
    """
    planes = np.frombuffer(zlib.decompress(content), np.uint8).reshape(dtype.itemsize, -1)
    steps = np.ascontiguousarray(planes.T).view(dtype).reshape(shape)
    return np.cumsum(steps, axis=0, dtype=dtype)
