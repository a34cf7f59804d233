"""How good a classifier is: its probabilities on the rows it was not trained on, and scores with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from classification_assets.learning.blend import Fitted
from classification_assets.learning.folds import Fold
from classification_assets.learning.metrics import (
    average_scores,
    bootstrap_intervals,
    class_scores,
    member_spreads,
)
from classification_assets.learning.plane import Plane
from classification_assets.learning.split import Split

PLANE = 3
"""In `Evaluation.rows`, beside the values of `Fold`: a point of the grid over the figure's plane."""

RESOLUTION = 201
"""Points of that grid along each side; odd, so that every second one spans it too."""


@dataclass(frozen=True)
class Evaluation:
    """A classifier's probabilities and scores.

    Attributes
    ----------
    rows : DataFrame
        ``fold`` (1 validation, 2 test, 3 the grid of `Plane`), ``row`` (in the split, or on the grid),
        ``label`` (class code, -1 on the grid), ``p_0`` to ``p_{C-1}`` (float32) and ``disagreement``: the mean
        total variation distance of a member's probabilities from the members' mean, 0 to 1.
    metrics : DataFrame
        ``fold``, ``scope`` (ensemble; members: the mean over them; bayes: the best that is possible),
        ``class`` (empty: overall), ``metric``, ``value``, ``low`` and ``high`` (95 % bootstrap interval over
        rows), ``spread`` (standard deviation over members).
    about : dict
        ``classes``, ``members`` (survivors), ``failed`` members, ``parameters`` of one network, ``overridden``.
    """

    rows: pd.DataFrame
    metrics: pd.DataFrame
    about: dict[str, Any]

    def probabilities(self, fold: int) -> np.ndarray:
        """Of a fold's rows, (N, C), in the split's order; of the plane, in the grid's."""
        rows = self.rows[self.rows["fold"] == fold]
        return rows[[f"p_{index}" for index in range(len(self.about["classes"]))]].to_numpy()

    def labels(self, fold: int) -> np.ndarray:
        """Class codes (N,) of a fold's rows."""
        return self.rows.loc[self.rows["fold"] == fold, "label"].to_numpy()

    def surface(self) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (R, R, C) and disagreement (R, R) on the grid of the plane."""
        probabilities = self.probabilities(PLANE).reshape(RESOLUTION, RESOLUTION, -1)
        disagreement = self.rows.loc[self.rows["fold"] == PLANE, "disagreement"].to_numpy()
        return probabilities, disagreement.reshape(RESOLUTION, RESOLUTION)

    def confusion(self, fold: Fold) -> np.ndarray:
        """Counts (C, C): true class down, predicted class across."""
        predicted = self.probabilities(fold).argmax(1)
        return confusion_matrix(self.labels(fold), predicted, labels=range(len(self.about["classes"])))

    def score(self, fold: Fold, metric: str, scope: str = "ensemble") -> pd.Series:
        """An overall score: ``value``, ``low``, ``high``, ``spread``.

        Raises
        ------
        KeyError
            If there is no such score.
        """
        found = self._overall(fold, scope)
        found = found[found["metric"] == metric]
        if len(found) != 1:
            raise KeyError(f"no {scope} {metric} on the {fold.label} fold")
        return found.iloc[0][["value", "low", "high", "spread"]].astype(float)

    def overall(self, fold: Fold) -> dict[str, float]:
        """The ensemble's overall scores by name."""
        found = self._overall(fold, "ensemble")
        return dict(zip(found["metric"], found["value"].astype(float), strict=True))

    def reported(self) -> dict[str, float]:
        """The scores that are followed over time: the test fold's, and the log loss that chooses."""
        scores = self.overall(Fold.TEST)
        chosen = {name: scores[name] for name in ("accuracy", "balanced_accuracy", "macro_f1", "log_loss")}
        return chosen | {"validation_log_loss": self.overall(Fold.VALIDATION)["log_loss"]}

    def overall_table(self) -> pd.DataFrame:
        """Overall scores, a row a scope and metric, for reading."""
        metrics = self.metrics
        return metrics[metrics["class"] == ""].drop(columns="class")

    def class_table(self) -> pd.DataFrame:
        """The ensemble's test scores, a row a class, for reading."""
        metrics = self.metrics
        chosen = metrics[
            (metrics["fold"] == Fold.TEST.label) & (metrics["scope"] == "ensemble") & (metrics["class"] != "")
        ]
        table = chosen.pivot(index="class", columns="metric", values="value")
        names = [str(label) for label in self.about["classes"]]
        return table.loc[names, ["precision", "recall", "f1", "support"]].reset_index()

    def _overall(self, fold: Fold, scope: str) -> pd.DataFrame:
        metrics = self.metrics
        return metrics[
            (metrics["fold"] == fold.label) & (metrics["scope"] == scope) & (metrics["class"] == "")
        ]


def evaluate(fitted: Fitted, split: Split, device: str = "cpu") -> Evaluation:
    """Score a classifier on the validation and the test fold, and its probabilities on the plane, in one pass."""
    held_out = np.concatenate([split.rows(Fold.VALIDATION), split.rows(Fold.TEST)])
    plane = Plane.of(split.X[split.fold == Fold.TRAIN], list(split.preprocessing.names))
    grid = plane.grid(RESOLUTION)
    blended, members = fitted.member_predictions(np.concatenate([split.X[held_out], grid]), device)

    folds = np.concatenate([split.fold[held_out], np.full(len(grid), PLANE, np.int8)])
    labels = np.concatenate([split.y[held_out], np.full(len(grid), -1)])
    rows = pd.DataFrame(
        {"fold": folds, "row": np.concatenate([held_out, np.arange(len(grid))]), "label": labels}
        | {f"p_{index}": column for index, column in enumerate(blended.T)}
        | {"disagreement": _disagreement(members)}
    )
    classes = [str(label) for label in split.classes]
    parts = []
    for fold in (Fold.VALIDATION, Fold.TEST):
        chosen = folds == fold
        y, p = labels[chosen], blended[chosen]
        parts.append(_scores(y, p, members[:, chosen], classes).assign(fold=fold.label))
        truth = split.posterior(split.X[split.rows(fold)])
        if truth is not None:
            best = pd.DataFrame(average_scores(y, truth).items(), columns=["metric", "value"])
            parts.append(best.assign(fold=fold.label, scope="bayes", **{"class": ""}))
    columns = ["fold", "scope", "class", "metric", "value", "low", "high", "spread"]
    return Evaluation(
        rows=rows,
        metrics=pd.concat(parts, ignore_index=True)[columns],
        about={
            "classes": split.classes,
            "members": len(members),
            "failed": int((fitted.best_step < 0).sum()),
            "parameters": sum(parameter[0].numel() for parameter in fitted.blend.packs[0].parameters()),
            "overridden": fitted.provenance.overridden,
        },
    )


def _scores(y: np.ndarray, p: np.ndarray, members: np.ndarray, classes: list[str]) -> pd.DataFrame:
    """The ensemble's scores with interval and spread, and the mean score of the members alone."""
    overall = pd.DataFrame(average_scores(y, p).items(), columns=["metric", "value"]).assign(**{"class": ""})
    by_class = class_scores(y, p, classes)
    scores = pd.concat([overall, by_class], ignore_index=True).assign(scope="ensemble")
    keys = list(zip(scores["class"], scores["metric"], strict=True))
    intervals = bootstrap_intervals(y, p, classes)
    spreads = member_spreads(y, members, classes)
    nothing = (np.nan, np.nan)
    scores["low"] = [intervals.get(key, nothing)[0] for key in keys]
    scores["high"] = [intervals.get(key, nothing)[1] for key in keys]
    scores["spread"] = [spreads.get(key, nothing)[1] for key in keys]
    alone = scores.assign(
        scope="members", value=[spreads.get(key, nothing)[0] for key in keys], low=np.nan, high=np.nan
    )
    return pd.concat([scores, alone[alone["metric"] != "support"]], ignore_index=True)


def _disagreement(members: np.ndarray) -> np.ndarray:
    """Mean over members (M, N, C) of the total variation distance to their mean: (N,) float32 in [0, 1]."""
    return (np.abs(members - members.mean(0)).sum(2) / 2).mean(0).astype(np.float32)
