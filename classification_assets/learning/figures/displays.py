"""From tables, splits and evaluations to figures: collects the arrays that a figure is drawn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from classification_assets.learning.evaluation.plane import Plane
from classification_assets.learning.figures.canvas.legend import shortened
from classification_assets.learning.figures.canvas.points import Points
from classification_assets.learning.figures.canvas.style import Words
from classification_assets.learning.figures.confusion import confusion
from classification_assets.learning.figures.critical_difference import critical_difference
from classification_assets.learning.figures.curves import curves
from classification_assets.learning.figures.drift import drift_bars
from classification_assets.learning.figures.forest import Scores, forest
from classification_assets.learning.figures.reliability import reliability
from classification_assets.learning.figures.roc_pr import roc_pr
from classification_assets.learning.figures.scatter import scatter
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.preprocessing import Preprocessing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from classification_assets.learning.drift.drift import Drift
    from classification_assets.learning.evaluation.comparison import Comparison
    from classification_assets.learning.evaluation.evaluation import Evaluation
    from classification_assets.learning.evaluation.leaderboard import Leaderboard
    from classification_assets.learning.models.fitted import FittedModel
    from classification_assets.learning.preparation.split import Split
    from classification_assets.learning.tables.table import Table

MOST_POINTS = 50_000
"""Rows of a data set or split that are drawn."""


def rows(table: Table, title: str) -> Figure:
    """All rows of a data set by their class; of many, evenly spaced ones."""
    classes, code = table.labels()
    sample = table.rows.sample(MOST_POINTS)
    learned, X = Preprocessing.fit_table(sample, table.features, np.ones(sample.n_rows, bool), table.kinds())
    X, code = learned.filled(X), code[:: -(-len(code) // MOST_POINTS)]
    plane = Plane.of(X, list(table.features), learned.discrete)
    points = Points(plane.project(X), code, np.zeros(len(code), np.int8), np.zeros(len(code), bool))
    return scatter(
        points,
        classes=[str(label) for label in classes],
        title=f"{title}\n{_count(table.rows.n_rows, len(code))}",
        note=plane.note,
        names=plane.names,
        words=words_of(learned),
    )


def folds(split: Split, title: str) -> Figure:
    """The rows of a split by their class and fold; of many, evenly spaced ones."""
    shown = np.arange(0, len(split.y), -(-len(split.y) // MOST_POINTS))
    X = split.filled(shown)
    fold = split.fold[shown]
    learned = split.preprocessing
    plane = Plane.of(X[fold == Fold.TRAIN], list(learned.names), learned.discrete)
    sizes = ", ".join(f"{len(split.rows(fold)):,} {fold.label}" for fold in Fold)
    return scatter(
        Points(plane.project(X), split.y[shown], fold, np.zeros(len(shown), bool)),
        classes=[str(label) for label in split.classes],
        title=f"{title}\n{sizes}" + (f"; {len(shown):,} are drawn" if len(shown) < len(split.y) else ""),
        note=plane.note,
        names=plane.names,
        words=words_of(learned),
    )


def drift(found: Drift, title: str) -> Figure:
    """How far each column has drifted, against what matters."""
    tests = found.tests
    names = [
        f"{test.column} (gaps)" if test.test == "share of gaps" else str(test.column)
        for test in tests.itertuples()
    ]
    return drift_bars(
        names,
        _times(tests),
        tests["alarm"].to_numpy(bool),
        title=f"{title}\n{found.n_current:,} new rows against {found.n_reference:,} of the champion's table",
    )


def _times(tests: pd.DataFrame) -> np.ndarray:
    """Effects in multiples of their bounds, those of the area under a curve above one half."""
    chance = np.where(tests["kind"] == "joint", 0.5, 0.0)
    room = np.maximum(tests["bound"].to_numpy(float) - chance, 1e-9)
    return np.clip((tests["effect"].to_numpy(float) - chance) / room, 0, None)


def training_curves(fitted: FittedModel, title: str) -> Figure:
    """Losses and validation accuracy of every member, with the step that each one keeps."""
    kept = int((fitted.best_step >= 0).sum())
    return curves(fitted.history, best_step=fitted.best_step, title=f"{title}\n{kept} networks")


def confusion_matrix(evaluation: Evaluation, title: str) -> Figure:
    """The test fold's confusion matrix."""
    classes = [str(label) for label in evaluation.about["classes"]]
    return confusion(
        evaluation.confusion(Fold.TEST),
        classes,
        title=f"{title}\ntest {accuracy_of(evaluation)}",
        weighted=evaluation.counted(Fold.TEST)[1] is not None,
    )


def calibration(evaluation: Evaluation, title: str) -> Figure:
    """Whether the test fold's probabilities mean what they say, before and after calibration."""
    return reliability(
        evaluation.probabilities(Fold.TEST),
        evaluation.labels(Fold.TEST),
        before=evaluation.uncalibrated(Fold.TEST),
        weight=evaluation.of_rows(Fold.TEST, "weight"),
        title=f"{title}\n{_test_rows(evaluation)}",
    )


def ranking(evaluation: Evaluation, title: str) -> Figure:
    """ROC and precision-recall of every class on the test fold."""
    return roc_pr(
        evaluation.probabilities(Fold.TEST),
        evaluation.labels(Fold.TEST),
        weight=evaluation.of_rows(Fold.TEST, "weight"),
        classes=[str(label) for label in evaluation.about["classes"]],
        title=f"{title}\n{_test_rows(evaluation)}, each class against the rest",
    )


def score_intervals(leaderboard: Leaderboard, evaluations: Mapping[str, Evaluation], title: str) -> Figure:
    """Each architecture's test scores: the metric that decides, and accuracy (or log loss) beside it."""
    board = leaderboard.board
    names = board["architecture"].tolist()
    metrics = [leaderboard.metric, "log_loss" if leaderboard.metric == "accuracy" else "accuracy"]
    alone = {
        metric: np.array([evaluations[name].score(Fold.TEST, metric, "members")["value"] for name in names])
        for metric in metrics
    }
    scores = [
        Scores(
            metric=f"test {metric.replace('_', ' ')}",
            value=board[metric].to_numpy(),
            low=board[f"{metric}_low"].to_numpy(),
            high=board[f"{metric}_high"].to_numpy(),
            members=alone[metric],
            spread=board[f"{metric}_spread"].to_numpy(),
            best=float(board[f"bayes_{metric}"].iloc[0]) if f"bayes_{metric}" in board else None,
        )
        for metric in metrics
    ]
    tied = set(leaderboard.tied()) | {leaderboard.winner}
    decides = leaderboard.metric.replace("_", " ")
    return forest(
        names,
        scores,
        winner=leaderboard.winner,
        tied=[name in tied for name in names],
        title=f"{title}\n{_test_rows(evaluations[names[0]])}; ordered by {decides} on the validation fold",
    )


def average_ranks(comparison: Comparison, title: str) -> Figure:
    """Architectures by their average test rank over experiments, and which of them may differ by chance."""
    ranks, about = comparison.ranks, comparison.about
    names = ranks["architecture"].tolist()
    p_value = about["p_value"]
    return critical_difference(
        names,
        ranks["test_rank"].to_numpy(),
        [[names.index(name) for name in group] for group in about["groups"]],
        n_experiments=about["experiments"],
        difference=about["critical_difference"],
        title=f"{title}\naverage rank of the test score",
        note="" if p_value is None else f"Friedman's test that all are equal: p = {p_value:.2g}",
    )


KEPT: Mapping[str, Mapping[str, Callable[..., Figure]]] = {
    "dataset": {"rows": rows},
    "drift": {"drift": drift},
    "split": {"folds": folds},
    "model": {"training curves": training_curves},
    "evaluation": {
        "confusion matrix": confusion_matrix,
        "reliability": calibration,
        "ROC and precision-recall": ranking,
    },
}
"""Figures that are published beside an artifact, by its kind and their names, of the artifact and a title.

Those of a sweep, which need statistics that no other needs, are in `sweep.displays`.
"""


def split_points(split: Split, plane: Plane) -> Points:
    return Points(plane.project(split.filled()), split.y, split.fold, np.zeros(len(split.y), bool))


def words_of(learned: Preprocessing) -> Words:
    def short(word: Callable[[float], str]) -> Callable[[float], str]:
        return lambda code: "\n".join(shortened(line, 10) for line in word(code).splitlines())

    return {name: short(word) for name, word in learned.words.items()}


def _test_rows(evaluation: Evaluation) -> str:
    weighted = evaluation.counted(Fold.TEST)[1] is not None
    return f"{evaluation.n_counted(Fold.TEST):,} test rows" + (
        ", each counted by its weight" if weighted else ""
    )


def _count(n_rows: int, drawn: int) -> str:
    return f"{n_rows:,} rows" + (f"; {drawn:,} are drawn" if drawn < n_rows else "")


def class_names(split: Split) -> list[str]:
    return [str(label) for label in split.classes]


def accuracy_of(evaluation: Evaluation) -> str:
    score = evaluation.score(Fold.TEST, "accuracy")
    text = f"accuracy {score['value']:.3f} (95 % interval {score['low']:.3f}–{score['high']:.3f})"
    if np.isfinite(score["spread"]):
        text += f", ± {score['spread']:.3f} over {evaluation.about['members']} members"
    return text
