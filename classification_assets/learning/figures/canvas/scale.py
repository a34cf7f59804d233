"""Logarithmic axes whose labels are as many as there is room for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axis import Axis, XAxis
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

_MULTIPLES = ((1, 1.5, 2, 3, 4, 5, 7), (1, 2, 5), (1, 3), (1,))
"""Numbers of a decade that are labelled, the densest first."""


def logarithmic(
    axis: Axis, low: float, high: float, most: float = 8, written: Callable[[float], str] = "{:g}".format
) -> None:
    """Make an axis logarithmic, with about `most` labels between two positive values, and no marks in between."""
    decades = np.log10(high / low)
    chosen = next((multiples for multiples in _MULTIPLES if decades * len(multiples) <= most), _MULTIPLES[-1])
    (axis.axes.set_xscale if isinstance(axis, XAxis) else axis.axes.set_yscale)("log")
    axis.set_major_locator(LogLocator(subs=chosen))
    axis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))
    axis.set_minor_locator(NullLocator())
