"""How good a classifier is: its probabilities on the rows it was not trained on, and scores with their uncertainty.

`scoring.evaluate` makes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from classification_assets.learning.evaluation.metrics import RANKING_METRICS, Key, counted
from classification_assets.learning.evaluation.resampling import effective_size, wilson
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split

REPORTED = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "roc_auc",
    "log_loss",
    "brier_score",
    "expected_calibration_error",
)
"""Scores of the test fold that are compared, and followed over time."""

CALIBRATED = ("log_loss", "brier_score", "expected_calibration_error")
"""Scores that a temperature changes."""

REGIONS = (0.0, 0.5, 0.7, 0.9, 0.99, 1.0)
"""Edges of the regions of confidence in the table that says where the classifier can be trusted."""

NUMBERS = ("value", "low", "high", "spread")
"""Numbers that are told of a score."""

Numbers = tuple[float, float, float, float]

_INDEX = pd.Index(NUMBERS)
_UNKNOWN: Numbers = (np.nan,) * 4


@dataclass(frozen=True)
class Evaluation:
    """A classifier's probabilities and scores.

    Attributes
    ----------
    rows : DataFrame
        ``fold`` (1 validation, 2 test), ``row`` (its index in the split), ``label`` (class code), ``p_0`` to
        ``p_{C-1}`` (float32) and ``disagreement``: the mean total variation distance of a member's probabilities
        from the members' mean, 0 to 1; where the split has them, ``weight``, which every score counts a row by, and
        ``group``, whose rows are resampled together. Rows that the classifier has learned from are not among them.
    metrics : DataFrame
        ``fold``, ``scope``, ``class`` (empty: overall), ``metric``, ``value``, ``low`` and ``high`` (95 %
        bootstrap interval over rows), ``spread`` (standard deviation over members). Scopes are ensemble;
        members: the mean over them, of many rows on evenly spaced ones; uncalibrated: the ensemble at a temperature
        of 1, of one pack only;
        bayes: the best that is possible; regret: how far the ensemble is from that, 0 or more but for chance.
        The training fold (a sample of a large one) has the ensemble's scores only, without intervals.
    about : dict
        ``classes``, ``members`` (survivors), ``failed`` members, ``parameters`` of one network, ``overridden``,
        ``temperature`` (None: of several packs), ``left_out``: rows of each fold that are not scored since the
        classifier has learned from them; ``architecture`` as it was trained, and ``note``, if there is one:
        see `Provenance`.
    """

    rows: pd.DataFrame
    metrics: pd.DataFrame
    about: dict[str, Any]

    def probabilities(self, fold: int) -> np.ndarray:
        """Probabilities (N, C) of a fold's rows, in the split's order."""
        rows = self.rows[self.rows["fold"] == fold]
        return rows[[f"p_{index}" for index in range(len(self.about["classes"]))]].to_numpy()

    def uncalibrated(self, fold: int) -> np.ndarray | None:
        """The probabilities (N, C) before the temperature; None of several packs."""
        temperature = self.about["temperature"]
        return None if temperature is None else at_temperature_1(self.probabilities(fold), temperature)

    def of_rows(self, fold: int, column: str) -> np.ndarray | None:
        """The ``weight`` or ``group`` (N,) of a fold's rows, if there are some."""
        if column not in self.rows:
            return None
        return self.rows.loc[self.rows["fold"] == fold, column].to_numpy()

    def row_numbers(self, fold: int) -> np.ndarray:
        """The index (N,) in the split of each of a fold's rows."""
        return self.rows.loc[self.rows["fold"] == fold, "row"].to_numpy()

    @property
    def left_out(self) -> dict[str, int]:
        """Rows of each fold, by its name, that the classifier has learned from: they are not scored."""
        return self.about.get("left_out", {})

    def labels(self, fold: int) -> np.ndarray:
        """Class codes (N,) of a fold's rows."""
        return self.rows.loc[self.rows["fold"] == fold, "label"].to_numpy()

    def counted(self, fold: Fold) -> tuple[np.ndarray | slice, np.ndarray | None]:
        """Those of a fold's rows that count, as an index (n,), and their weights: see `metrics.counted`."""
        return counted(self.of_rows(fold, "weight"))

    def n_counted(self, fold: Fold) -> int:
        """How many of a fold's rows count."""
        return len(self.labels(fold)[self.counted(fold)[0]])

    def class_sizes(self, fold: Fold) -> np.ndarray:
        """How many of a fold's rows each class has, (C,); where rows have weights, as many as these add up to."""
        rows, weight = self.counted(fold)
        return np.bincount(self.labels(fold)[rows], weight, minlength=len(self.about["classes"]))

    def confusion(self, fold: Fold) -> np.ndarray:
        """Counts (C, C): true class down, predicted class across; where rows have weights, sums of these."""
        from sklearn.metrics import confusion_matrix

        rows, weight = self.counted(fold)
        predicted = self.probabilities(fold)[rows].argmax(1)
        labels = range(len(self.about["classes"]))
        return confusion_matrix(self.labels(fold)[rows], predicted, labels=labels, sample_weight=weight)

    def score(self, fold: Fold, metric: str, scope: str = "ensemble") -> pd.Series:
        """An overall score: ``value``, ``low``, ``high``, ``spread``.

        Raises
        ------
        KeyError
            If there is no such score.
        """
        scores = self._scores_of(fold.label, scope)
        if metric not in scores:
            raise KeyError(f"no {scope} {metric} on the {fold.label} fold")
        return pd.Series(scores[metric], _INDEX)

    def overall(self, fold: Fold) -> dict[str, float]:
        """The ensemble's overall scores by name."""
        return {metric: value for metric, (value, *_) in self._scores_of(fold.label, "ensemble").items()}

    def reported(self) -> dict[str, float]:
        """The scores that are followed over time: the test fold's, and the log loss that chooses."""
        scores = self.overall(Fold.TEST)
        told = {name: scores[name] for name in REPORTED}
        return told | {"validation_log_loss": self.overall(Fold.VALIDATION)["log_loss"]}

    def overall_table(self) -> pd.DataFrame:
        """Overall scores, a row a fold and metric, for reading: the ensemble's, and those of the other scopes."""
        others = ("members", "uncalibrated", "bayes", "regret")
        rows = [
            {"fold": fold, "metric": _worded(metric)}
            | dict(zip(("ensemble", *NUMBERS[1:]), numbers, strict=True))
            | {scope: self._scores_of(fold, scope).get(metric, _UNKNOWN)[0] for scope in others}
            # The test fold first: it is what a reader looks for.
            for fold in (Fold.TEST.label, Fold.TRAIN.label, Fold.VALIDATION.label)
            for metric, numbers in self._scores_of(fold, "ensemble").items()
        ]
        order = ["fold", "metric", "ensemble", "low", "high", "members", "spread", *others[1:]]
        table = pd.DataFrame(rows, columns=order)
        return table.dropna(axis="columns", how="all")

    def short_table(self) -> pd.DataFrame:
        """Overall scores in little room, for reading: a row a metric, and in words what each fold says of it.

        That of the test fold is told with its interval and its spread over members; `overall_table` has the rest.
        """
        test, bayes = (self._scores_of(Fold.TEST.label, scope) for scope in ("ensemble", "bayes"))
        columns = {"metric": [_worded(metric) for metric in test]}
        columns["test"] = [_in_words(*numbers) for numbers in test.values()]
        for fold in (Fold.VALIDATION, Fold.TRAIN):
            if own := self._scores_of(fold.label, "ensemble"):
                columns[fold.label] = _rounded(own, test)
        if bayes:
            columns["best possible"] = _rounded(bayes, test)
        return pd.DataFrame(columns)

    def class_table(self) -> pd.DataFrame:
        """The ensemble's test scores, a row a class, for reading."""
        found = self._found[Fold.TEST.label, "ensemble"]
        names = [str(label) for label in self.about["classes"]]
        metrics = ("precision", "recall", "f1", *RANKING_METRICS, "support")
        columns = {metric: [found[name, metric][0] for name in names] for metric in metrics}
        return pd.DataFrame({"class": names, **columns})

    def calibration_table(self) -> pd.DataFrame:
        """Scores before and after the temperature on the validation and the test fold, for reading."""
        rows = [
            {
                "fold": fold,
                "metric": _worded(metric),
                "before": before.get(metric, _UNKNOWN)[0],
                "after": after,
            }
            for fold in (Fold.TEST.label, Fold.VALIDATION.label)
            for before in [self._scores_of(fold, "uncalibrated")]
            for metric, (after, *_) in sorted(self._scores_of(fold, "ensemble").items())
            if metric in CALIBRATED
        ]
        # Of several packs there is no temperature, and nothing before it.
        return pd.DataFrame(rows).dropna(axis="columns", how="all")

    def confidence_table(self) -> pd.DataFrame:
        """How often the ensemble is right on the test fold where it is how confident, for reading."""
        counts, weight = self.counted(Fold.TEST)
        p, y = self.probabilities(Fold.TEST)[counts], self.labels(Fold.TEST)[counts]
        group = self.of_rows(Fold.TEST, "group")
        group = None if group is None else group[counts]
        own_weight = np.ones(len(y)) if weight is None else weight
        confidence, right = p.max(1), p.argmax(1) == y
        # The last region takes in a confidence of 1.
        region = np.minimum(np.searchsorted(REGIONS, confidence, side="right") - 1, len(REGIONS) - 2)
        rows = []
        for index, (low, high) in enumerate(pairwise(REGIONS)):
            own = region == index
            if own.any():
                accuracy = np.average(right[own], weights=own_weight[own])
                size = effective_size(own, weight, group)
                bounds = wilson(accuracy * size, size)
                rows.append(
                    {
                        "confidence": f"{low:g} to {high:g}",
                        "rows": int(own.sum()),
                        "share": float(own_weight[own].sum() / len(y)),
                        "mean confidence": float(np.average(confidence[own], weights=own_weight[own])),
                        "accuracy": float(accuracy),
                        "low": bounds[0],
                        "high": bounds[1],
                    }
                )
        return pd.DataFrame(rows)

    def confidently_wrong(self, split: Split, most: int = 8) -> pd.DataFrame:
        """The test rows that count and are wrong with the highest probability, with their first 12 features."""
        counts, _ = self.counted(Fold.TEST)
        p, y = self.probabilities(Fold.TEST)[counts], self.labels(Fold.TEST)[counts]
        names = np.array([str(label) for label in self.about["classes"]])
        predicted, confidence = p.argmax(1), p.max(1)
        wrong = np.flatnonzero(predicted != y)
        wrong = wrong[np.argsort(-confidence[wrong], kind="stable")[:most]]
        rows = self.row_numbers(Fold.TEST)[counts][wrong]
        table = pd.DataFrame(
            {
                "row": rows,
                "true": names[y[wrong]],
                "predicted": names[predicted[wrong]],
                "probability": confidence[wrong],
                "of the true class": p[wrong, y[wrong]],
            }
        )
        features = split.preprocessing.decode(split.X[rows]).iloc[:, :12]
        told = features.rename(columns=lambda name: f"feature {name}" if name in table else name)
        return pd.concat([table, told], axis="columns")

    @cached_property
    def _found(self) -> dict[tuple[str, str], dict[Key, Numbers]]:
        """All scores by fold and scope, then by class and metric: they are asked for one by one, many times."""
        found: dict[tuple[str, str], dict[Key, Numbers]] = {}
        names = ("fold", "scope", "class", "metric", *NUMBERS)
        for fold, scope, *key, value, low, high, spread in zip(
            *(self.metrics[name].tolist() for name in names), strict=True
        ):
            found.setdefault((fold, scope), {})[key[0], key[1]] = value, low, high, spread
        return found

    def _scores_of(self, fold: str, scope: str) -> dict[str, Numbers]:
        """The overall scores of a scope on a fold by their metrics; none if there are no such ones."""
        found = self._found.get((fold, scope), {})
        return {metric: numbers for (name, metric), numbers in found.items() if not name}


def interval_text(value: float, low: float, high: float) -> str:
    """A score with its interval; nothing where it is not known."""
    # A no-break space, so that the interval stays on one line of a narrow cell.
    return f"{value:z.3f} [{low:z.3f},\N{NO-BREAK SPACE}{high:z.3f}]" if np.isfinite(value) else ""


def _in_words(value: float, low: float, high: float, spread: float) -> str:
    text = interval_text(value, low, high) if np.isfinite(low) else f"{value:z.3f}"
    return f"{text} ± {spread:.3f}" if np.isfinite(spread) else text


def _rounded(scores: dict[str, Numbers], metrics: Iterable[str]) -> list[str]:
    values = [scores.get(metric, _UNKNOWN)[0] for metric in metrics]
    return ["" if np.isnan(value) else f"{value:z.3f}" for value in values]


def _worded(metric: str) -> str:
    return metric.replace("_", " ")


def at_temperature_1(p: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (N, C) float32 of one pack without its temperature: they are softmax(logits / temperature)."""
    logits = temperature * np.log(np.maximum(p.astype(np.float64), np.finfo(np.float32).smallest_subnormal))
    return softmax(logits, axis=1).astype(np.float32)
