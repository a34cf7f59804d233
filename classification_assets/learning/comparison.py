"""Which architecture is best: chosen by the validation fold, reported on the test fold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from classification_assets.learning.evaluation import Evaluation
from classification_assets.learning.folds import Fold

REPORTED = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss")


def leaderboard(evaluations: Mapping[str, Evaluation]) -> pd.DataFrame:
    """A row an architecture, the lowest log loss on the validation fold first.

    Every other column is of the test fold and reorders nothing: ``metric``, with ``metric_low`` and
    ``metric_high`` (95 % bootstrap interval over rows) and ``metric_spread`` (standard deviation over
    members), of each metric in `REPORTED`; ``bayes_accuracy`` and ``bayes_log_loss`` (NaN where the truth is
    not known); ``members``, ``failed``, ``parameters`` of one network; ``overridden``, what a run set
    otherwise than declared (empty: nothing).
    """
    rows = []
    for name, evaluation in evaluations.items():
        row: dict[str, Any] = {"architecture": name}
        row["validation_log_loss"] = evaluation.score(Fold.VALIDATION, "log_loss")["value"]
        for metric in REPORTED:
            score = evaluation.score(Fold.TEST, metric)
            row |= {metric: score["value"]}
            row |= {f"{metric}_{part}": score[part] for part in ("low", "high", "spread")}
        row |= {f"bayes_{metric}": _bayes(evaluation, metric) for metric in ("accuracy", "log_loss")}
        row |= {key: evaluation.about[key] for key in ("members", "failed", "parameters")}
        row["overridden"] = ", ".join(
            f"{key}={value}" for key, value in evaluation.about["overridden"].items()
        )
        rows.append(row)
    board = pd.DataFrame(rows).sort_values(["validation_log_loss", "architecture"], ignore_index=True)
    board.insert(0, "rank", np.arange(1, len(board) + 1))
    return board


def comparison(leaderboards: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """All experiments' leaderboards below each other, with the experiment in front."""
    parts = [board.assign(experiment=name) for name, board in leaderboards.items()]
    board = pd.concat(parts, ignore_index=True)
    return board[["experiment", *board.columns.drop("experiment")]]


def summary(board: pd.DataFrame) -> pd.DataFrame:
    """A leaderboard for reading: each score with its interval, and its spread over members."""
    first = [name for name in ("experiment", "rank", "architecture", "validation_log_loss") if name in board]
    table = board[first].copy()
    for metric in REPORTED:
        scores = zip(*(board[metric + part] for part in ("", "_low", "_high", "_spread")), strict=True)
        table[f"test {metric.replace('_', ' ')}"] = [
            f"{value:.3f} [{low:.3f}, {high:.3f}]" + (f" ± {spread:.3f}" if np.isfinite(spread) else "")
            for value, low, high, spread in scores
        ]
    table["best possible accuracy"] = board["bayes_accuracy"]
    table["parameters"] = board["parameters"]
    table["overridden"] = board["overridden"]
    return table.rename(columns={"validation_log_loss": "validation log loss"})


def _bayes(evaluation: Evaluation, metric: str) -> float:
    try:
        return float(evaluation.score(Fold.TEST, metric, scope="bayes")["value"])
    except KeyError:
        return float("nan")
