"""Versions of Matplotlib of which inner parts were replaced by ours and every pixel compared; others keep theirs."""

from __future__ import annotations

from functools import cache

import matplotlib as mpl


def axes_compared() -> bool:
    """Whether this version's axes were."""
    return mpl.__version_info__[:2] in ((3, 10), (3, 11))


@cache  # asked for each text
def texts_compared() -> bool:
    """Whether this version's texts were; earlier ones are drawn by other functions."""
    return mpl.__version_info__[:2] == (3, 11)
