"""Distributions of hyper-parameters: Optuna's are turned into what scikit-learn's sampler takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats
from sklearn.utils import check_random_state


def as_sampled(distributions: Mapping[str, Any]) -> dict[str, Any]:
    """Lists and distributions as `sklearn.model_selection.ParameterSampler` takes them."""
    return {name: _converted(values) for name, values in distributions.items()}


def _converted(values: Any) -> Any:
    kind = type(values)
    if not kind.__module__.startswith("optuna.distributions"):
        return values
    if kind.__name__ == "CategoricalDistribution":
        return list(values.choices)
    whole = kind.__name__ == "IntDistribution"
    if values.log:
        ends = (values.low, values.high)
        return LogInteger(*ends) if whole else stats.loguniform(*ends)
    if values.step is not None:
        steps = round((values.high - values.low) / values.step) + 1
        return [values.low + step * values.step for step in range(steps)]
    return stats.uniform(values.low, values.high - values.low)


class LogInteger:
    """Whole numbers of which each is as likely as its share of the logarithms, as Optuna draws them.

    Parameters
    ----------
    low, high : int
        Both included.
    """

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Numbers of a size, as a distribution of SciPy draws them."""
        ends = math.log(self.low - 0.5), math.log(self.high + 0.5)
        drawn = np.exp(check_random_state(random_state).uniform(*ends, size))
        numbers = np.clip(np.rint(drawn), self.low, self.high).astype(np.int64)
        return int(numbers) if size is None else numbers
