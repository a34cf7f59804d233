"""Versions of Matplotlib of which inner parts were replaced by ours and every pixel compared; others keep theirs."""

from __future__ import annotations

import matplotlib as mpl

_VERSION = mpl.__version_info__[:2]

AXES = _VERSION in ((3, 10), (3, 11))
TEXTS = _VERSION == (3, 11)
"""Earlier ones draw texts by other functions."""
