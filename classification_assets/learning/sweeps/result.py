"""SweepResult: what a sweep has tried and found."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from classification_assets.learning.evaluation.bounds import LOWER_IS_BETTER

HYPERPARAMETERS = (
    "depth",
    "width",
    "hidden",
    "activation",
    "normalization",
    "residual",
    "learning_rate",
    "weight_decay",
    "dropout",
    "label_smoothing",
    "input_noise",
    "mixup",
    "batch_size",
)
"""Columns of `SweepResult.networks` that say what a network was trained with."""


@dataclass(frozen=True)
class Summary:
    """Facts about a whole sweep; all of them can be written as JSON.

    Attributes
    ----------
    metric : str
        What judged.
    swept : tuple of str
        Hyper-parameters of the space, of which each has more than one value.
    winner : int
        The configuration that won.
    values : dict
        Its values of the space's hyper-parameters.
    best_score : float
        The best score of any configuration that was trained to its end, as it was found: too good.
    corrected_score : float
        The same score as it may be expected on new rows, see `selection.corrected`.
    optimism : float
        By how much the best score is better than that, in the metric's unit, at least 0.
    final_score, final_error : float
        Mean and standard error of the winner's networks of new seeds.
    n_configurations, n_networks, n_dropped, n_failed : int
        Configurations, networks of all kinds, configurations that were dropped early, and those that diverged.
    epochs : int
        Epochs of all networks together.
    seconds : float
    sampler : str
    seed : int
    max_epochs : int
    stopped : str
        Why it ended before its budget of networks; empty if it did not.
    conditions : dict
        Of each hyper-parameter that has a use with some values of others alone, these values by their columns in
        `SweepResult.networks`, in the order of the space: ``{"dropout": {"normalization": ["none"]}}``.
    seeds : int
        Networks a configuration in the search, of whose mean probabilities scores are; those of new seeds are scored
        one by one.
    """

    metric: str
    swept: tuple[str, ...]
    winner: int
    values: dict[str, Any]
    best_score: float
    corrected_score: float
    optimism: float
    final_score: float
    final_error: float
    n_configurations: int
    n_networks: int
    n_dropped: int
    n_failed: int
    epochs: int
    seconds: float
    sampler: str
    seed: int
    max_epochs: int
    stopped: str = ""
    conditions: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    seeds: int = 1

    @property
    def lower_is_better(self) -> bool:
        """Whether a lower score is a better one."""
        return self.metric in LOWER_IS_BETTER

    @property
    def _is_lucky(self) -> bool:
        """Whether there is an optimism that a score of four digits shows."""
        return f"{self.optimism:.4f}" != "0.0000"

    def sentence(self) -> str:
        """How much was tried, and how good the best of it is."""
        told = {"dropped early": self.n_dropped, "failed": self.n_failed}
        ends = [f"{count:,} {words}" for words, count in told.items() if count]
        count = (
            "1 configuration was"
            if self.n_configurations == 1
            else f"{self.n_configurations:,} configurations were"
        )
        tried = f"{count} tried in {self.seconds:.1f} s" + (f" ({', '.join(ends)})" if ends else "")
        metric = self.metric.replace("_", " ")
        best = f"the best has a validation {metric} of {self.best_score:.4f}"
        if self._is_lucky and isfinite(self.corrected_score):
            best += f", {self.corrected_score:.4f} without the luck of the best of so many"
        if isfinite(self.final_score):
            error = f" ± {self.final_error:.4f}" if isfinite(self.final_error) else ""
            best += f"; with new seeds the winner has {self.final_score:.4f}{error}"
            if self.seeds > 1:
                best += f", each network alone, not the mean of {self.seeds}"
        return f"{tried}: {best}" + (f"; {self.stopped}" if self.stopped else "")

    def caution(self) -> str:
        """Words for wherever the winner's validation score stands beside others."""
        too_good = (
            f", by about {self.optimism:.3g} in {self.metric.replace('_', ' ')}" if self._is_lucky else ""
        )
        if self.n_configurations == 1:
            return "tuned is the only configuration that was tried; the test rows have no part in the search"
        return (
            f"tuned is the best of {self.n_configurations:,} configurations on validation rows, so its validation "
            f"score is too good{too_good}; the test rows have no part in the search"
        )

    def scalars(self) -> dict[str, float]:
        """The numbers that are followed over time."""
        return {
            "best_score": self.best_score,
            "corrected_score": self.corrected_score,
            "optimism": self.optimism,
            "final_score": self.final_score,
            "networks": self.n_networks,
            "configurations": self.n_configurations,
            "dropped": self.n_dropped,
            "failed": self.n_failed,
            "sweep_seconds": self.seconds,
        }


@dataclass(frozen=True)
class Thumbnails:
    """Where the best network of each depth and width decides what, on one plane of the features.

    Attributes
    ----------
    depth, width, configuration : array (n,) int
        Shape of each, and the configuration that it was.
    probabilities : array (n, side, side, C) float16
        Of each class, on an even grid; the first axis runs upwards along the second feature.
    extent : four floats
        Left, right, bottom and top, in the features' units.
    features : two names
        Of the plane's axes.
    classes : tuple of labels, as text
    """

    depth: np.ndarray
    width: np.ndarray
    configuration: np.ndarray
    probabilities: np.ndarray
    extent: tuple[float, float, float, float]
    features: tuple[str, str]
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class SweepResult:
    """All networks of a sweep, its finalists, and what was found.

    Attributes
    ----------
    networks : DataFrame
        A row a network: ``configuration`` (int, from 0 in the order in which they were drawn), ``seed``, ``fold``
        (int), the columns `HYPERPARAMETERS` (``hidden`` as text such as ``32-32``; a hyper-parameter that is not
        searched has its fixed value), ``parameters`` (trained numbers of the network), ``rung`` (the last that it
        reached, from 0), ``epochs`` (trained), ``state`` (finished, dropped or failed), ``score`` (its
        configuration's, in the summary's metric), ``log_loss``, ``accuracy`` (on rows that it has not learned from),
        ``train_loss`` (at its end), ``seconds`` (its share of its packs' time), ``curve`` (list of float: log loss on
        those rows after each epoch).
    finalists : DataFrame
        A row a finalist, the winner first: ``configuration``, ``first_score`` (in the search), ``score`` and
        ``standard_error`` (of its networks of new seeds), ``networks`` (how many), and `HYPERPARAMETERS`.
    summary : Summary
    thumbnails : Thumbnails or None
        None where there is no plane of two features, or no network was trained to its end.
    """

    networks: pd.DataFrame
    finalists: pd.DataFrame
    summary: Summary
    thumbnails: Thumbnails | None = None

    def winner(self) -> pd.DataFrame:
        """The winner's hyper-parameters, for reading: those that were searched first."""
        found = self.finalists.iloc[0]
        names = sorted(HYPERPARAMETERS, key=lambda name: name not in self.summary.swept)
        return pd.DataFrame(
            {
                "hyper-parameter": names,
                "value": [_said(found[name]) for name in names],
                "searched": ["yes" if name in self.summary.swept else "" for name in names],
            }
        )

    def configurations(self) -> pd.DataFrame:
        """A row a configuration: means over its networks, without their curves; failed if one of them has."""
        # Six figures, the lessons and two tables ask for them.
        return self._configurations.copy()

    @cached_property
    def _configurations(self) -> pd.DataFrame:
        numbers = ["score", "log_loss", "accuracy", "train_loss", "seconds"]
        groups = self.networks.groupby("configuration", sort=True)
        first = groups[[*HYPERPARAMETERS, "parameters", "rung", "epochs", "state"]].first()
        first.loc[
            (self.networks["state"] == "failed").groupby(self.networks["configuration"]).any(), "state"
        ] = "failed"
        return first.join(groups[numbers].mean()).reset_index()


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
