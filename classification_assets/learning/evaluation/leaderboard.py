"""Which architecture is best: chosen by the validation fold; the test fold reports, and says what really differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from classification_assets.learning.evaluation.bounds import LOWER_IS_BETTER, Metric
from classification_assets.learning.evaluation.evaluation import REPORTED, Evaluation, interval_text
from classification_assets.learning.evaluation.metrics import row_statistics
from classification_assets.learning.evaluation.resampling import RESAMPLES, paired_interval, resampled_scores
from classification_assets.learning.evaluation.significance import SIGNIFICANT, holm, mcnemar, randomization
from classification_assets.learning.evaluation.unfit_rows import UnfitRowsError
from classification_assets.learning.preparation.folds import Fold

SUMMARIZED = ("accuracy", "macro_f1", "log_loss", "expected_calibration_error")
"""Scores of the test fold that a person reads first."""

_DIFFERENCE = ["metric", "first", "second", "difference", "low", "high", "p_value"]

BEST, TIED, WORSE, BETTER = "chosen", "tied", "worse", "better"
"""Verdicts of the test fold on an architecture against the one that validation chose."""


@dataclass(frozen=True)
class Leaderboard:
    """An experiment's architectures in order, and what is known of each pair.

    Attributes
    ----------
    board : DataFrame
        A row an architecture, the best on the validation fold first: ``rank``, ``architecture``,
        ``validation_<metric>`` of the metric that decides and of the log loss; of the test fold each metric
        in `REPORTED` with ``_low`` and ``_high`` (95 % bootstrap interval over rows) and ``_spread`` (standard
        deviation over members); ``bayes_accuracy``, ``bayes_log_loss``, ``regret_accuracy`` and
        ``regret_log_loss`` with ``_low`` and ``_high`` (NaN where the truth is not known); ``against_first``:
        chosen, tied, worse or better; ``members``, ``failed``, ``parameters`` of one network; ``overridden``,
        what a run set otherwise than declared.
    differences : DataFrame
        A row a pair and metric: ``metric``, ``first``, ``second``, ``difference`` on the test fold (first less
        second) with ``low`` and ``high`` (95 % paired bootstrap), ``p_value`` (accuracy: exact McNemar, unless
        rows have weights or groups; others: paired bootstrap), ``p_holm`` (Holm's correction over the pairs),
        ``better`` (the architecture that is really better, empty: tied).
    metric : str
        What decides.
    note : str
        What a reader must know of the scores beside that, in a sentence without a full stop; empty: nothing.
    """

    board: pd.DataFrame
    differences: pd.DataFrame
    metric: Metric
    note: str = ""

    @property
    def winner(self) -> str:
        """The architecture that the validation fold chose."""
        return str(self.board["architecture"].iloc[0])

    def tied(self) -> list[str]:
        """Architectures that the test fold cannot tell from the winner."""
        return self.board.loc[self.board["against_first"] == TIED, "architecture"].tolist()

    def sentence(self) -> str:
        """The result in words."""
        metric = self.metric.replace("_", " ")
        if len(self.board) == 1:
            return f"{self.winner} is the only architecture"
        said = f"{self.winner} was chosen by its validation {metric}"
        parts = {TIED: "tied with it on the test fold", WORSE: "really worse", BETTER: "really better"}
        groups = {
            verdict: self.board.loc[self.board["against_first"] == verdict, "architecture"].tolist()
            for verdict in parts
        }
        found = "; ".join(
            f"{words}: {', '.join(groups[verdict])}" for verdict, words in parts.items() if groups[verdict]
        )
        result = f"{said}; {found} ({metric}, 95 %, Holm's correction)"
        return f"{result}. {self.note}" if self.note else result


def leaderboard(evaluations: Mapping[str, Evaluation], metric: Metric = "log_loss") -> Leaderboard:
    """Order architectures by a metric on the validation fold; the test fold reports and reorders nothing.

    Equal scores are ordered by the validation log loss, then by name.

    Raises
    ------
    UnfitRowsError
        If the evaluations are not of the same test rows.
    """
    _check_same_rows(evaluations)
    board = pd.DataFrame([_row(name, evaluation, metric) for name, evaluation in evaluations.items()])
    by = list(dict.fromkeys([f"validation_{metric}", "validation_log_loss"]))
    ascending = [column.removeprefix("validation_") in LOWER_IS_BETTER for column in by]
    board = board.sort_values([*by, "architecture"], ascending=[*ascending, True], ignore_index=True)
    board.insert(0, "rank", np.arange(1, len(board) + 1))
    order = board["architecture"].tolist()
    differences = _differences({name: evaluations[name] for name in order}, metric)
    board["against_first"] = [
        BEST,
        *(_against_first(differences, metric, order[0], name) for name in order[1:]),
    ]
    notes = [evaluation.about["note"] for evaluation in evaluations.values() if "note" in evaluation.about]
    return Leaderboard(board, differences, metric, "; ".join(notes))


def summary(board: pd.DataFrame) -> pd.DataFrame:
    """A leaderboard for reading, what matters most first: each score with its interval, and its spread over members."""

    def told(metric: str) -> list[str]:
        return [
            interval_text(*score)
            for score in zip(*(board[metric + part] for part in ("", "_low", "_high")), strict=True)
        ]

    table = board[[name for name in ("experiment", "rank", "architecture") if name in board]].copy()
    scores = {f"test {_words(metric)}": told(metric) for metric in SUMMARIZED}
    for name in ("test accuracy", "test log loss"):
        table[name] = scores.pop(name)
    table["verdict"] = board["against_first"]
    chosen_by = [name for name in board if name.startswith("validation_")]
    table = table.assign(**{name: board[name] for name in chosen_by}, **scores)
    table["regret, log loss"] = told("regret_log_loss")
    table["best possible accuracy"] = board["bayes_accuracy"]
    table["parameters"] = board["parameters"]
    table["overridden"] = board["overridden"]
    for metric in ("accuracy", "log_loss"):
        table[f"spread over members, {_words(metric)}"] = board[f"{metric}_spread"]
    return table.rename(columns=lambda name: name.replace("_", " "))


def pairs(differences: pd.DataFrame) -> pd.DataFrame:
    """The differences for reading."""
    told = zip(*(differences[name] for name in ("difference", "low", "high")), strict=True)
    return pd.DataFrame(
        {
            "metric": differences["metric"].map(_words),
            "pair": differences["first"] + " − " + differences["second"],
            "difference": [interval_text(*score) for score in told],
            "p": differences["p_value"].map(_chance),
            "p (Holm)": differences["p_holm"].map(_chance),
            "better": differences["better"].replace("", TIED),
        }
    )


def _words(metric: str) -> str:
    words = metric.replace("_", " ")
    return (
        words.replace("roc auc", "ROC AUC").replace("f1", "F1").replace("expected calibration", "calibration")
    )


def _chance(p_value: float) -> str:
    return f"{p_value:.3f}" if p_value >= 0.001 else "< 0.001"


def _row(name: str, evaluation: Evaluation, metric: str) -> dict[str, Any]:
    row: dict[str, Any] = {"architecture": name}
    for own in dict.fromkeys((metric, "log_loss")):
        row[f"validation_{own}"] = evaluation.score(Fold.VALIDATION, own)["value"]
    for own in REPORTED:
        score = evaluation.score(Fold.TEST, own)
        row |= {own: score["value"]}
        row |= {f"{own}_{part}": score[part] for part in ("low", "high", "spread")}
    for own in ("accuracy", "log_loss"):
        regret = _known(evaluation, own, "regret")
        row |= {f"bayes_{own}": _known(evaluation, own, "bayes")["value"], f"regret_{own}": regret["value"]}
        row |= {f"regret_{own}_{part}": regret[part] for part in ("low", "high")}
    row |= {key: evaluation.about[key] for key in ("members", "failed", "parameters")}
    overridden = evaluation.about["overridden"].items()
    return row | {"overridden": ", ".join(f"{key}={value}" for key, value in overridden)}


def _known(evaluation: Evaluation, metric: str, scope: str) -> pd.Series:
    """A score of the truth, NaN where it is not known."""
    try:
        return evaluation.score(Fold.TEST, metric, scope)
    except KeyError:
        return pd.Series(np.nan, index=["value", "low", "high", "spread"])


def _check_same_rows(evaluations: Mapping[str, Evaluation]) -> None:
    tested = {name: own.rows.loc[own.rows["fold"] == Fold.TEST] for name, own in evaluations.items()}
    (first, rows), *others = tested.items()
    for name, own in others:
        if not (np.array_equal(own["row"], rows["row"]) and np.array_equal(own["label"], rows["label"])):
            raise UnfitRowsError(
                f"the evaluations of {first} and {name} are of different test rows, so they cannot be compared: the "
                "split has changed since one of them was trained or evaluated"
            )


def _differences(evaluations: Mapping[str, Evaluation], metric: str) -> pd.DataFrame:
    """Every pair of architectures, by each metric that is tested."""
    names = list(combinations(evaluations, 2))
    if not names:
        return pd.DataFrame(columns=[*_DIFFERENCE, "p_holm", "better"])
    # The smallest p-value that rounds can show must survive the correction.
    rounds = max(RESAMPLES, 80 * len(names))
    metrics = list(dict.fromkeys((metric, "log_loss", "accuracy")))
    drawn, right, statistics = {}, {}, {}
    for name, evaluation in evaluations.items():
        y, p = evaluation.labels(Fold.TEST), evaluation.probabilities(Fold.TEST)
        classes = [str(label) for label in evaluation.about["classes"]]
        counts, weight = evaluation.counted(Fold.TEST)
        group = evaluation.of_rows(Fold.TEST, "group")
        y, p, group = y[counts], p[counts], None if group is None else group[counts]
        drawn[name] = resampled_scores(y, p, classes, weight=weight, group=group)
        statistics[name] = row_statistics(y, p, weight=weight)
        right[name] = p.argmax(1) == y
    # McNemar's test counts rows, each alone.
    alone = weight is None and group is None
    p_values = randomization(statistics, classes, metrics, rounds, group)
    tables = []
    for own in metrics:
        rows = []
        for first, second in names:
            values = [evaluations[name].score(Fold.TEST, own)["value"] for name in (first, second)]
            low, high = paired_interval(drawn[first]["", own], drawn[second]["", own])
            p_value = p_values[own, first, second]
            if own == "accuracy" and alone:
                p_value = mcnemar(right[first], right[second])
            rows.append((own, first, second, values[0] - values[1], low, high, p_value))
        table = pd.DataFrame(rows, columns=_DIFFERENCE)
        table["p_holm"] = holm(table["p_value"].to_numpy(float))
        first_is_better = (table["difference"] < 0) == (own in LOWER_IS_BETTER)
        better = np.where(first_is_better, table["first"], table["second"])
        table["better"] = np.where(table["p_holm"] <= SIGNIFICANT, better, "")
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _against_first(differences: pd.DataFrame, metric: str, first: str, name: str) -> str:
    found = differences[
        (differences["metric"] == metric) & (differences["first"] == first) & (differences["second"] == name)
    ]
    better = found["better"].iloc[0]
    return {"": TIED, first: WORSE}.get(better, BETTER)
