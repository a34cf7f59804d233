"""Axes of a sweep's hyper-parameters: where each configuration stands on them, for statistics and for figures.

Shapes: N configurations, L levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from classification_assets.learning.sweeps.remembered import remembered
from classification_assets.learning.sweeps.result import HYPERPARAMETERS, SweepResult
from classification_assets.learning.sweeps.space import OF_HIDDEN_LAYERS, Space

MOST_LEVELS = 9
"""Distinct numbers that are told one by one; more are a range, as are broken numbers that hardly come twice."""

ALL_ROWS = "all rows"
"""The level of a batch that holds all of them."""


@dataclass(frozen=True, eq=False)
class Axis:
    """A hyper-parameter as an axis.

    Attributes
    ----------
    name : str
    position : array (N,) float
        Of each configuration: the level's index from 0, or the number (its decadic logarithm where `log` is set). NaN
        where the hyper-parameter has no use, as the width of a network without hidden layers.
    levels : tuple of L texts
        Names of its levels, if it has few; empty for a range of numbers.
    ordered : bool
        Whether a level lies between two others.
    log : bool
        Whether positions are orders of magnitude.
    """

    name: str
    position: np.ndarray
    levels: tuple[str, ...]
    ordered: bool
    log: bool

    @property
    def used(self) -> np.ndarray:
        """Whether it has a use in each configuration, (N,)."""
        return np.isfinite(self.position)

    def said(self, position: float) -> str:
        """The value at a position, in words."""
        if self.levels:
            return self.levels[round(position)]
        return f"{10**position if self.log else position:.2g}"


@remembered
def axes(result: SweepResult) -> list[Axis]:
    """The axes of the hyper-parameters that were searched and came with more than one value, in their order."""
    frame = result.configurations()
    searched = [name for name in result.summary.swept if frame[name].nunique(dropna=False) > 1]
    idle = _idle(result, frame)
    values = {name: frame[name].mask(idle[name]) for name in searched}
    found = [_axis(name, own) for name, own in values.items() if own.nunique() > 1]
    return [axis for axis in found if len(np.unique(axis.position[axis.used])) > 1]


def _idle(result: SweepResult, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Whether each hyper-parameter has no use in each configuration, (N,)."""
    bare = (frame["depth"] == 0).to_numpy()
    idle = {name: bare & (name in OF_HIDDEN_LAYERS) for name in HYPERPARAMETERS}
    # In the order of the space, in which each condition names what stands before.
    for name, condition in result.summary.conditions.items():
        for other, values in condition.items():
            idle[name] = idle[name] | ~frame[other].isin(values).to_numpy() | idle[other]
    return idle


def _axis(name: str, values: pd.Series) -> Axis:
    missing = values.isna().to_numpy()
    known = values[~missing]
    if name in Space.categorical or not _numeric(known):
        texts = known.map(_text)
        levels = tuple(dict.fromkeys(sorted(texts, key=_order) if name == "hidden" else texts))
        position = np.full(len(values), np.nan)
        position[~missing] = texts.map({text: index for index, text in enumerate(levels)}).to_numpy(float)
        return Axis(name, position, levels, ordered=False, log=False)
    numbers = values.to_numpy(float, na_value=np.nan)
    if name == "batch_size":
        # 0 stands for all rows in one batch.
        numbers[numbers == 0] = np.inf
    distinct = np.unique(numbers[~missing])
    drawn = 2 * len(distinct) > int((~missing).sum()) and bool((distinct[np.isfinite(distinct)] % 1).any())
    if len(distinct) > MOST_LEVELS or drawn:
        finite = np.where(np.isinf(numbers), 2 * distinct[-2], numbers)
        log = _by_magnitude(finite[~missing])
        return Axis(name, np.log10(finite) if log else finite, (), ordered=True, log=log)
    position = np.searchsorted(distinct, numbers).astype(float)
    position[missing] = np.nan
    levels = tuple(ALL_ROWS if np.isinf(number) else f"{number:.6g}" for number in distinct)
    return Axis(name, position, levels, ordered=True, log=False)


def _numeric(values: pd.Series) -> bool:
    return not pd.api.types.is_bool_dtype(values) and pd.api.types.is_numeric_dtype(values.infer_objects())


def _text(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return str(value)


def _order(text: str) -> tuple[int, ...]:
    """Shapes such as 32-32 from the shallowest and narrowest on."""
    units = [int(part) for part in text.split("-") if part.isdigit()]
    return (len(units), *units)


def _by_magnitude(numbers: np.ndarray) -> bool:
    """Whether numbers are spread more evenly by their orders of magnitude than as they are."""
    if numbers.min() <= 0:
        return False

    def lopsided(values: np.ndarray) -> float:
        return abs(float(np.median(values) - values.min()) / float(np.ptp(values)) - 0.5)

    return lopsided(np.log10(numbers)) < lopsided(numbers)
