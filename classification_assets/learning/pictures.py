"""From tables, splits and evaluations to figures: collects the arrays that a figure is drawn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from matplotlib.figure import Figure

from classification_assets.learning.architectures import MLP
from classification_assets.learning.blend import Fitted
from classification_assets.learning.comparison import Comparison
from classification_assets.learning.evaluation import Evaluation
from classification_assets.learning.figures import (
    Cell,
    Moment,
    Points,
    Scores,
    Shapes,
    animation,
    architecture_effect,
    boundary,
    boundary_matrix,
    confusion,
    critical_difference,
    curves,
    evolution,
    forest,
    gallery,
    reliability,
    roc_pr,
    scatter,
)
from classification_assets.learning.figures.legend import shortened
from classification_assets.learning.figures.style import Words
from classification_assets.learning.folds import Fold
from classification_assets.learning.leaderboard import Leaderboard
from classification_assets.learning.metrics import row_losses
from classification_assets.learning.plane import Plane, planes_of
from classification_assets.learning.preprocessing import Preprocessing
from classification_assets.learning.split import Split
from classification_assets.learning.table import Table
from classification_assets.learning.view import View

MOST_POINTS = 50_000
"""Rows of a data set or split that are drawn."""

MOMENT_RESOLUTION, LOSS_ROWS, STRIP = 71, 5_000, 8
"""Of a moment of a training: points along each side of its grid, and rows that its loss is of; moments in a strip."""

TRUTH_RESOLUTION = 101
"""Points along each side of the grid on which the true boundary is found."""


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
        words=_words(learned),
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
        words=_words(learned),
    )


def training_curves(fitted: Fitted, title: str) -> Figure:
    """Losses and validation accuracy of every member, with the step that each one keeps."""
    kept = int((fitted.best_step >= 0).sum())
    return curves(fitted.history, best_step=fitted.best_step, title=f"{title}\n{kept} networks")


def confusion_matrix(evaluation: Evaluation, title: str) -> Figure:
    """The test fold's confusion matrix."""
    classes = [str(label) for label in evaluation.about["classes"]]
    return confusion(evaluation.confusion(Fold.TEST), classes, title=f"{title}\ntest {_accuracy(evaluation)}")


def decision_boundary(evaluation: Evaluation, split: Split, title: str) -> Figure:
    """The decision boundary with the rows, the members' disagreement and, where it is known, the truth.

    It is seen as the evaluation's view says: over one plane, or over each pair of some features.
    """
    planes = planes_of(split, evaluation.view)
    classes, title = _classes(split), f"{title}\ntest {_accuracy(evaluation)}"
    cells = [
        Cell(
            probabilities=probabilities,
            extent=plane.extent,
            classes=classes,
            points=_points(evaluation, split, plane),
            truth=_truth(split, plane),
            disagreement=disagreement if evaluation.about["members"] > 1 else None,
        )
        for plane, (probabilities, disagreement) in zip(planes, evaluation.surfaces(), strict=True)
    ]
    if len(planes) > 1:
        return _matrix(planes, cells, classes, split.preprocessing, title)
    (plane,), (cell,) = planes, cells
    return boundary(
        cell.probabilities,
        cell.extent,
        classes=classes,
        points=cell.points,
        truth=cell.truth,
        disagreement=cell.disagreement,
        title=title,
        note=plane.note,
        names=plane.names,
        words=_words(split.preprocessing),
    )


def _matrix(
    planes: Sequence[Plane], cells: Sequence[Cell], classes: Sequence[str], learned: Preprocessing, title: str
) -> Figure:
    features = list(dict.fromkeys(name for plane in planes for name in plane.names))
    n_features = len(learned.names)
    pairs = combinations(range(len(features)), 2)
    chosen = f"the {len(features)} most important of " if len(features) < n_features else ""
    return boundary_matrix(
        features,
        dict(zip(pairs, cells, strict=True)),
        classes=classes,
        words=_words(learned),
        title=f"{title}\npairs of {chosen}{n_features} features",
        note=planes[0].note,
    )


def boundary_gallery(
    evaluations: Mapping[str, Evaluation],
    splits: Mapping[str, Split],
    leaderboards: Mapping[str, Leaderboard],
) -> Figure:
    """Every boundary in one picture; `evaluations` are named `experiment/architecture`."""
    some = {name.split("/")[0]: evaluation for name, evaluation in evaluations.items()}
    planes = {name: planes_of(splits[name], evaluation.view)[0] for name, evaluation in some.items()}
    truths = {name: _truth(splits[name], plane) for name, plane in planes.items()}
    cells = {}
    for name, evaluation in evaluations.items():
        experiment, architecture = name.split("/")
        cells[experiment, architecture] = replace(
            _small(evaluation, splits[experiment], planes[experiment], truths[experiment]),
            winner=leaderboards[experiment].winner == architecture,
        )
    columns = list(dict.fromkeys(architecture for _, architecture in cells))
    ideal = {
        name: _ideal(some[name], splits[name], planes[name], truth)
        for name, truth in truths.items()
        if truth is not None
    }
    return gallery(
        list(splits),
        columns,
        cells,
        reference=ideal,
        title="Decision boundaries\ntest accuracy; the best of validation framed",
    )


def calibration(evaluation: Evaluation, title: str) -> Figure:
    """Whether the test fold's probabilities mean what they say, before and after calibration."""
    return reliability(
        evaluation.probabilities(Fold.TEST),
        evaluation.labels(Fold.TEST),
        before=evaluation.uncalibrated(Fold.TEST),
        title=f"{title}\n{_test_rows(evaluation)}",
    )


def ranking(evaluation: Evaluation, title: str) -> Figure:
    """ROC and precision-recall of every class on the test fold."""
    return roc_pr(
        evaluation.probabilities(Fold.TEST),
        evaluation.labels(Fold.TEST),
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


def effect_of_architecture(
    architectures: Mapping[str, MLP],
    evaluations: Mapping[str, Evaluation],
    split: Split,
    winner: str,
    title: str,
) -> Figure:
    """How depth, width and activation change test accuracy and boundary."""
    view = next(iter(evaluations.values())).view
    plane = planes_of(split, view)[0]
    truth = _truth(split, plane)
    scores = {name: evaluations[name].score(Fold.TEST, "accuracy") for name in architectures}
    shapes = Shapes(
        names=list(architectures),
        parameters=np.array([evaluations[name].about["parameters"] for name in architectures]),
        depth=np.array([len(own.hidden) for own in architectures.values()]),
        width=np.array([max(own.hidden, default=0) for own in architectures.values()]),
        activation=[_kind(own) for own in architectures.values()],
        **{part: np.array([score[part] for score in scores.values()]) for part in ("value", "low", "high")},
    )
    cells = {
        name: replace(_small(evaluations[name], split, plane, truth), winner=name == winner)
        for name in architectures
    }
    return architecture_effect(shapes, cells, title=f"{title}\nwhat depth, width and activation change")


def moments_of(fitted: Fitted, split: Split, view: View | None = None) -> list[Moment]:
    """What a classifier said over the plane at each moment that was kept of its training; at least at the end.

    The loss is that of the moment's ensemble on the validation fold, of a large one on evenly spaced rows.
    """
    plane = planes_of(split, view or View())[0]
    validation = split.rows(Fold.VALIDATION)
    validation = validation[:: -(-len(validation) // LOSS_ROWS) or 1]
    X, y = np.concatenate([plane.grid(MOMENT_RESOLUTION), split.X[validation]]), split.y[validation]
    moments = []
    for step in fitted.checkpoints or [int(fitted.history["step"][-1])]:
        p = fitted.probabilities_at(step, X) if fitted.checkpoints else fitted.predict_proba(X)
        grid, held_out = np.split(p, [MOMENT_RESOLUTION**2])
        loss = float(row_losses(y, held_out).mean()) if len(y) else None
        moments.append(Moment(step, grid.reshape(MOMENT_RESOLUTION, MOMENT_RESOLUTION, -1), loss))
    return moments


def boundary_evolution(
    moments: Sequence[Moment], split: Split, title: str, view: View | None = None
) -> Figure:
    """A strip of up to eight moments of a training (see `moments_of`) with the rows and the truth."""
    plane = planes_of(split, view or View())[0]
    alone = "the end alone: moments before it would have been too large to keep" if len(moments) == 1 else ""
    # Closer at first: early on the boundary changes most.
    places = (len(moments) - 1) * np.linspace(0, 1, min(STRIP, len(moments))) ** 1.5
    chosen = np.unique(places.round().astype(int))
    return evolution(
        [moments[index] for index in chosen],
        plane.extent,
        classes=_classes(split),
        points=_rows(split, plane),
        truth=_truth(split, plane),
        title=f"{title}\nhow the boundary formed during training",
        note=" · ".join(filter(None, [plane.note, alone])),
    )


def boundary_animation(
    moments: Sequence[Moment], split: Split, title: str, view: View | None = None, *, inline: bool = True
) -> bytes:
    """A GIF of two or more moments of a training (see `moments_of`): a small one for a page, or a large one."""
    plane = planes_of(split, view or View())[0]
    return animation(
        moments, plane.extent, classes=_classes(split), points=_rows(split, plane), title=title, inline=inline
    )


def _kind(architecture: MLP) -> str:
    """What but depth and width tells an architecture apart, in words."""
    if not architecture.hidden:
        return "none"
    options = {
        "dropout": np.any(np.asarray(architecture.dropout) > 0),
        f"{architecture.normalization} norm": architecture.normalization != "none",
        "residual": architecture.residual,
        "own options": bool(architecture.training.model_fields_set),
    }
    return ", ".join([architecture.activation, *(words for words, is_so in options.items() if is_so)])


def _small(evaluation: Evaluation, split: Split, plane: Plane, truth: np.ndarray | None) -> Cell:
    return Cell(
        probabilities=evaluation.surface()[0][::2, ::2],
        extent=plane.extent,
        classes=_classes(split),
        points=_points(evaluation, split, plane),
        truth=truth,
        score=float(evaluation.score(Fold.TEST, "accuracy")["value"]),
    )


def _ideal(evaluation: Evaluation, split: Split, plane: Plane, truth: np.ndarray) -> Cell:
    """What knows the truth would say, and be wrong on."""
    points, test = _rows(split, plane), split.rows(Fold.TEST)
    best = split.posterior(split.X[test])
    if best is not None:
        points.wrong[test] = best.argmax(1) != split.y[test]
    score = float(evaluation.score(Fold.TEST, "accuracy", "bayes")["value"])
    return Cell(truth, plane.extent, _classes(split), points, score=score)


def _rows(split: Split, plane: Plane) -> Points:
    return Points(plane.project(split.filled()), split.y, split.fold, np.zeros(len(split.y), bool))


def _words(learned: Preprocessing) -> Words:
    def short(word: Callable[[float], str]) -> Callable[[float], str]:
        return lambda code: "\n".join(shortened(line, 10) for line in word(code).splitlines())

    return {name: short(word) for name, word in learned.words.items()}


def _test_rows(evaluation: Evaluation) -> str:
    return f"{len(evaluation.labels(Fold.TEST)):,} test rows"


def _count(n_rows: int, drawn: int) -> str:
    return f"{n_rows:,} rows" + (f"; {drawn:,} are drawn" if drawn < n_rows else "")


def _classes(split: Split) -> list[str]:
    return [str(label) for label in split.classes]


def _points(evaluation: Evaluation, split: Split, plane: Plane) -> Points:
    points, test = _rows(split, plane), split.rows(Fold.TEST)
    points.wrong[test] = evaluation.probabilities(Fold.TEST).argmax(1) != split.y[test]
    return points


def _truth(split: Split, plane: Plane) -> np.ndarray | None:
    truth = split.posterior(plane.grid(TRUTH_RESOLUTION))
    return None if truth is None else truth.reshape(TRUTH_RESOLUTION, TRUTH_RESOLUTION, -1)


def _accuracy(evaluation: Evaluation) -> str:
    score = evaluation.score(Fold.TEST, "accuracy")
    text = f"accuracy {score['value']:.3f} (95 % interval {score['low']:.3f}–{score['high']:.3f})"
    if np.isfinite(score["spread"]):
        text += f", ± {score['spread']:.3f} over {evaluation.about['members']} members"
    return text
