"""From tables, splits and evaluations to figures: collects the arrays that a figure is drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from matplotlib.figure import Figure

from classification_assets.learning.blend import Fitted
from classification_assets.learning.evaluation import Evaluation, planes_of
from classification_assets.learning.figures import (
    Cell,
    Points,
    boundary,
    boundary_matrix,
    confusion,
    curves,
    gallery,
    scatter,
)
from classification_assets.learning.folds import Fold
from classification_assets.learning.leaderboard import Leaderboard
from classification_assets.learning.plane import Plane
from classification_assets.learning.preprocessing import Preprocessing
from classification_assets.learning.rows import Rows
from classification_assets.learning.split import Split
from classification_assets.learning.table import Table

MOST_POINTS = 50_000
"""Rows of a data set or split that are drawn."""

TRUTH_RESOLUTION = 101
"""Points along each side of the grid on which the true boundary is found."""


def rows(table: Table, title: str) -> Figure:
    """All rows of a data set by their class; of many, evenly spaced ones."""
    classes, code = table.labels()
    sample = table.rows.sample(MOST_POINTS)
    X = _as_points(table, sample)
    code = code[:: -(-len(code) // MOST_POINTS)]
    plane = Plane.of(X, list(table.features))
    points = Points(plane.project(X), code, np.zeros(len(code), np.int8), np.zeros(len(code), bool))
    return scatter(
        points,
        classes=[str(label) for label in classes],
        title=f"{title}\n{_count(table.rows.n_rows, len(code))}",
        note=plane.note,
        names=plane.names,
    )


def folds(split: Split, title: str) -> Figure:
    """The rows of a split by their class and fold; of many, evenly spaced ones."""
    shown = np.arange(0, len(split.y), -(-len(split.y) // MOST_POINTS))
    X = split.filled(shown)
    fold = split.fold[shown]
    plane = Plane.of(X[fold == Fold.TRAIN], list(split.preprocessing.names))
    sizes = ", ".join(f"{len(split.rows(fold)):,} {fold.label}" for fold in Fold)
    return scatter(
        Points(plane.project(X), split.y[shown], fold, np.zeros(len(shown), bool)),
        classes=[str(label) for label in split.classes],
        title=f"{title}\n{sizes}" + (f"; {len(shown):,} are drawn" if len(shown) < len(split.y) else ""),
        note=plane.note,
        names=plane.names,
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
        return _matrix(planes, cells, classes, len(split.preprocessing.names), title)
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
    )


def _matrix(
    planes: Sequence[Plane], cells: Sequence[Cell], classes: Sequence[str], n_features: int, title: str
) -> Figure:
    features = list(dict.fromkeys(name for plane in planes for name in plane.names))
    pairs = combinations(range(len(features)), 2)
    return boundary_matrix(
        features,
        dict(zip(pairs, cells, strict=True)),
        classes=classes,
        title=f"{title}\npairs of the {len(features)} most important of {n_features} features",
        note=planes[0].note,
    )


def boundary_gallery(
    evaluations: Mapping[str, Evaluation],
    splits: Mapping[str, Split],
    leaderboards: Mapping[str, Leaderboard],
) -> Figure:
    """Every boundary in one picture; `evaluations` are named `experiment/architecture`."""
    views = {name.split("/")[0]: evaluation.view for name, evaluation in evaluations.items()}
    planes = {name: planes_of(split, views[name])[0] for name, split in splits.items() if name in views}
    truths = {name: _truth(split, planes[name]) for name, split in splits.items() if name in planes}
    winners = {name: board.winner for name, board in leaderboards.items()}
    cells = {}
    for name, evaluation in evaluations.items():
        experiment, architecture = name.split("/")
        split, plane = splits[experiment], planes[experiment]
        cells[experiment, architecture] = Cell(
            probabilities=evaluation.surface()[0][::2, ::2],
            extent=plane.extent,
            classes=_classes(split),
            points=_points(evaluation, split, plane),
            truth=truths[experiment],
            score=float(evaluation.score(Fold.TEST, "accuracy")["value"]),
            winner=winners[experiment] == architecture,
        )
    columns = list(dict.fromkeys(architecture for _, architecture in cells))
    return gallery(
        list(splits),
        columns,
        cells,
        title="Decision boundaries\ntest accuracy; the best of validation framed",
    )


def _as_points(table: Table, sample: Rows) -> np.ndarray:
    """Numbers without gaps: what an encoding learned from these very rows gives."""
    kinds = table.kinds()
    preprocessing, X = Preprocessing.fit_table(sample, table.features, np.ones(sample.n_rows, bool), kinds)
    return preprocessing.filled(X)


def _count(n_rows: int, drawn: int) -> str:
    return f"{n_rows:,} rows" + (f"; {drawn:,} are drawn" if drawn < n_rows else "")


def _classes(split: Split) -> list[str]:
    return [str(label) for label in split.classes]


def _points(evaluation: Evaluation, split: Split, plane: Plane) -> Points:
    wrong = np.zeros(len(split.y), bool)
    test = split.rows(Fold.TEST)
    wrong[test] = evaluation.probabilities(Fold.TEST).argmax(1) != split.y[test]
    return Points(plane.project(split.filled()), split.y, split.fold, wrong)


def _truth(split: Split, plane: Plane) -> np.ndarray | None:
    truth = split.posterior(plane.grid(TRUTH_RESOLUTION))
    return None if truth is None else truth.reshape(TRUTH_RESOLUTION, TRUTH_RESOLUTION, -1)


def _accuracy(evaluation: Evaluation) -> str:
    score = evaluation.score(Fold.TEST, "accuracy")
    text = f"accuracy {score['value']:.3f} (95 % interval {score['low']:.3f}–{score['high']:.3f})"
    if np.isfinite(score["spread"]):
        text += f", ± {score['spread']:.3f} over {evaluation.about['members']} members"
    return text
