"""Champion against challenger: the decision which of two models serves, on rows that neither has learned from.

Shapes: N shared rows of the test fold, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import scipy
from pydantic import Field

from classification_assets.learning.declaration import Declaration
from classification_assets.learning.evaluation.bounds import LOWER_IS_BETTER, Metric
from classification_assets.learning.evaluation.encoding import class_order, encoded_rows, known_rows
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.metrics import (
    counted,
    row_losses,
    row_statistics,
    scores_of_sums,
)
from classification_assets.learning.evaluation.promotion_rule import PromotionRule
from classification_assets.learning.evaluation.resampling import paired_interval, resampled_scores
from classification_assets.learning.evaluation.significance import randomization
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.table import Table

ROUNDS = 2_000
RESAMPLES = 1_000
POWER = 0.8
"""Chance with which a difference is found, where the number of rows that this takes is told."""

Ground = Literal[
    "first",
    "better",
    "cannot be evaluated",
    "by hand",
    "not better than the majority class",
    "not better",
    "below the margin",
    "recall of a class",
    "too few rows",
    "a blocking check",
    "older run",
    "was replaced before",
    "pinned",
    "same model",
]
"""The rule that decided."""


class Decision(Declaration):
    """A decision between champion and challenger, with all its numbers.

    Attributes
    ----------
    promoted : bool
    ground : Ground
    reason : str
        In words, for a person.
    metric : str
        What was compared.
    numbers : dict
        ``rows`` (shared), ``champion`` and ``challenger`` (their scores on these), ``difference`` (how much better the
        challenger is, whichever direction is better) with ``low`` and ``high`` (95 % paired bootstrap), ``p_value``
        (one-sided), ``needed_rows`` (with which a difference of the margin would be found in 80 of 100 cases).
    recall : dict
        The challenger's recall of each class less the champion's.
    """

    promoted: bool
    ground: Ground
    reason: str
    metric: str = ""
    numbers: dict[str, float] = Field({})
    recall: dict[str, float] = Field({})


@dataclass(frozen=True)
class SharedRows:
    """Two models' answers to the test rows that neither has learned from.

    Attributes
    ----------
    y : array (N,)
        Class codes.
    champion, challenger : arrays (N, C)
        Probabilities.
    classes : list of str
    weight : array (N,) or None
    group : array (N,) or None
    """

    y: np.ndarray
    champion: np.ndarray
    challenger: np.ndarray
    classes: list[str]
    weight: np.ndarray | None = None
    group: np.ndarray | None = None

    def counted(self) -> Self:
        """Those of the rows that count, of weights with a mean of 1: see `metrics.counted`."""
        rows, weight = counted(self.weight)
        group = None if self.group is None else self.group[rows]
        return type(self)(
            self.y[rows], self.champion[rows], self.challenger[rows], self.classes, weight, group
        )


def decide_first(
    challenger: Evaluation, shares: np.ndarray, metric: Metric, rule: PromotionRule, why: str = ""
) -> Decision:
    """Decide on a model that has no champion to beat: it must beat the majority class.

    It is compared, by the metric and the rule's test, with the answer that knows the classes' shares alone, and so
    always names the largest one.

    Parameters
    ----------
    shares : array (C,)
        Shares of the classes in the training fold.
    why : str
        Why there is none to beat, if there is a champion.
    """
    # The macro F1 of mere guesses is above that of naming one class always.
    metric = "balanced_accuracy" if metric == "macro_f1" else metric
    y, p = challenger.labels(Fold.TEST), challenger.probabilities(Fold.TEST)
    weight, group = (challenger.of_rows(Fold.TEST, column) for column in ("weight", "group"))
    constant = np.tile(np.asarray(shares, np.float32), (len(y), 1))
    classes = [str(label) for label in challenger.about["classes"]]
    shared = SharedRows(y, constant, p, classes, weight, group).counted()
    numbers, _ = _compared(shared, metric, rule)
    beats = numbers["difference"] > 0 and numbers["p_value"] <= rule.significance
    numbers["majority"] = numbers.pop("champion")
    numbers.pop("needed_rows", None)
    found = (
        f"{metric.replace('_', ' ')} {numbers['challenger']:.4f} on {len(shared.y):,} test rows; always naming the "
        f"largest class would give {numbers['majority']:.4f} (p = {numbers['p_value']:.2g})"
    )
    ground: Ground
    if not beats:
        ground = "not better than the majority class"
        reason = (
            f"{why or 'there is no champion yet'}; the challenger does not beat the majority class: {found}"
        )
    elif why:
        ground, reason = "cannot be evaluated", f"{why}, so that the rule replaces it: {found}"
    else:
        ground, reason = "first", f"the first champion: {found}"
    return Decision(promoted=beats, ground=ground, reason=reason, metric=metric, numbers=numbers)


def shared_rows(
    champion: FittedModel,
    challenger: Evaluation,
    split: Split,
    table: Table | None = None,
    device: str = "cpu",
) -> SharedRows:
    """Ask the champion about the challenger's test rows, those aside that it has learned from.

    Parameters
    ----------
    challenger : Evaluation
        On this split: the rows that it has learned from are not among those of its test fold.
    table : Table, optional
        The split's rows as they were read, needed if the champion was trained on another split.

    Raises
    ------
    UnfitRowsError
        If the champion cannot read the split's rows.
    """
    order = class_order(champion, split)
    X = encoded_rows(champion, split, table)
    learned, validated = known_rows(champion, split, X, table)
    rows = challenger.row_numbers(Fold.TEST)
    unseen = ~learned[rows] & (validated[rows] < 0)
    rows = rows[unseen]
    weight, group = (challenger.of_rows(Fold.TEST, column) for column in ("weight", "group"))
    return SharedRows(
        challenger.labels(Fold.TEST)[unseen],
        champion.predict_proba(X[rows], device)[:, order],
        challenger.probabilities(Fold.TEST)[unseen],
        [str(label) for label in split.classes],
        None if weight is None else weight[unseen],
        None if group is None else group[unseen],
    )


def decide(shared: SharedRows, metric: Metric, rule: PromotionRule) -> Decision:
    """Decide whether the challenger takes the champion's place; a tie keeps the champion.

    It must be better by a one-sided paired randomization test (see `significance.randomization`), by at least the
    rule's margin, and no class's recall may be worse by more than the rule's bound.
    """
    shared = shared.counted()
    n_rows = len(shared.y) if shared.group is None else len(np.unique(shared.group))
    of = "groups of rows" if shared.group is not None else "rows"
    words = metric.replace("_", " ")
    if n_rows < rule.min_rows:
        return Decision(
            promoted=False,
            ground="too few rows",
            reason=(
                f"{n_rows:,} {of} of the test fold are left that neither champion nor challenger has learned from; "
                f"at least {rule.min_rows:,} are needed"
            ),
            metric=metric,
            numbers={"rows": float(n_rows), "needed_rows": float(rule.min_rows)},
        )
    numbers, recall = _compared(shared, metric, rule)
    interval = f"95 % interval {numbers['low']:z.4f} to {numbers['high']:z.4f}, p = {numbers['p_value']:.2g}"
    told = (
        f"{words} {numbers['challenger']:.4f} against the champion's {numbers['champion']:.4f} on "
        f"{len(shared.y):,} rows that neither has learned from: {_better(numbers['difference'])} ({interval})"
    )

    def decision(promoted: bool, ground: Ground, reason: str) -> Decision:
        return Decision(
            promoted=promoted, ground=ground, reason=reason, metric=metric, numbers=numbers, recall=recall
        )

    significant = numbers["p_value"] <= rule.significance and numbers["difference"] > 0
    if not significant:
        needed = numbers.get("needed_rows", 0.0)
        power = f"; about {needed:,.0f} rows would show a difference of {rule.margin:g}"
        return decision(
            False,
            "not better",
            f"{told}: not really better, at a level of {rule.significance:g}"
            + (power if needed > len(shared.y) else ""),
        )
    if numbers["difference"] < rule.margin:
        return decision(
            False,
            "below the margin",
            f"{told}: really better, but by less than the margin of {rule.margin:g}",
        )
    worst = min(recall, key=lambda name: recall[name]) if recall else None
    if worst is not None and recall[worst] < -rule.recall_drop - 1e-9:
        return decision(
            False,
            "recall of a class",
            f"{told}: better, but the recall of class {worst} is worse by {-recall[worst]:.3f}; at most "
            f"{rule.recall_drop:g} is allowed",
        )
    return decision(True, "better", f"{told}: really better, and by at least {rule.margin:g}")


def _better(difference: float) -> str:
    return f"better by {difference:.4f}" if difference >= 0 else f"worse by {-difference:.4f}"


def _compared(
    shared: SharedRows, metric: Metric, rule: PromotionRule
) -> tuple[dict[str, float], dict[str, float]]:
    """The numbers of a `Decision`, and each class's recall of the challenger less that of the champion."""
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    answers = {"challenger": shared.challenger, "champion": shared.champion}
    statistics = {name: row_statistics(shared.y, p, weight=shared.weight) for name, p in answers.items()}
    scores = {
        name: scores_of_sums(np.asarray(own.sum(0), np.float64).reshape(1, -1), shared.classes)
        for name, own in statistics.items()
    }
    values = {name: float(own["", metric][0]) for name, own in scores.items()}
    difference = sign * (values["challenger"] - values["champion"])
    (two_sided,) = randomization(statistics, shared.classes, [metric], ROUNDS, shared.group).values()
    # Predictions change places at random, so that either sign of the difference is equally likely.
    p_value = two_sided / 2 if difference > 0 else 1 - two_sided / 2
    if np.array_equal(shared.challenger, shared.champion):
        p_value = 1.0
    drawn = {
        name: resampled_scores(
            shared.y, p, shared.classes, RESAMPLES, weight=shared.weight, group=shared.group
        )["", metric]
        for name, p in answers.items()
    }
    low, high = sorted(sign * bound for bound in paired_interval(drawn["challenger"], drawn["champion"]))
    recall = {
        name: float(scores["challenger"][name, "recall"][0] - scores["champion"][name, "recall"][0])
        for name in shared.classes
    }
    numbers = values | {
        "rows": float(len(shared.y)),
        "difference": difference,
        "low": low,
        "high": high,
        "p_value": p_value,
        "needed_rows": _needed_rows(shared, metric, rule),
    }
    return _finite(numbers), _finite(recall)


def _finite(numbers: dict[str, float]) -> dict[str, float]:
    """JSON knows no others."""
    return {name: float(value) for name, value in numbers.items() if np.isfinite(value)}


def _needed_rows(shared: SharedRows, metric: Metric, rule: PromotionRule) -> float:
    """Rows with which a mean difference of the margin is found in `POWER` of all cases (normal approximation).

    The difference of a row is that of its log losses where the metric is that, of its hits elsewhere.
    """
    if metric == "log_loss":
        per_row = row_losses(shared.y, shared.champion) - row_losses(shared.y, shared.challenger)
    elif metric == "brier_score":
        truth = np.eye(shared.champion.shape[1])[shared.y]
        per_row = ((shared.champion - truth) ** 2).sum(1) - ((shared.challenger - truth) ** 2).sum(1)
    else:
        hits = [(p.argmax(1) == shared.y).astype(float) for p in (shared.challenger, shared.champion)]
        per_row = hits[0] - hits[1]
    weight = np.ones(len(per_row)) if shared.weight is None else shared.weight
    apart = weight * (per_row - np.average(per_row, weights=weight))
    spread = float(np.sqrt((apart**2).sum() / (len(per_row) - 1))) if len(per_row) > 1 else 0.0
    if not rule.margin or not spread:
        return float("inf")
    quantiles = scipy.stats.norm.ppf(1 - rule.significance) + scipy.stats.norm.ppf(POWER)
    return float(np.ceil((quantiles * spread / rule.margin) ** 2))
