"""Figures of decision boundaries, from splits, evaluations and models: the arrays that each one is drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations

import numpy as np
from matplotlib.figure import Figure

from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.leaderboard import Leaderboard
from classification_assets.learning.evaluation.plane import Plane, planes_of
from classification_assets.learning.evaluation.snapshot_losses import snapshot_losses
from classification_assets.learning.evaluation.surface import Surfaces, interpolated
from classification_assets.learning.evaluation.view import View
from classification_assets.learning.figures.animation import animation
from classification_assets.learning.figures.architecture_effect import Shapes, architecture_effect
from classification_assets.learning.figures.boundary import boundary
from classification_assets.learning.figures.boundary_matrix import boundary_matrix
from classification_assets.learning.figures.canvas.points import Points
from classification_assets.learning.figures.displays import accuracy_of, class_names, split_points, words_of
from classification_assets.learning.figures.evolution import Snapshot, evolution
from classification_assets.learning.figures.gallery import Cell, gallery
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.preprocessing import Preprocessing
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets.dataset import GeneratedDataset

SNAPSHOT_RESOLUTION, SNAPSHOT_LEAST, STRIP = 71, 35, 8
"""Points along each side of a snapshot's grid, stretches of the coarsest one (see `interpolated`), and snapshots in a
strip. Of 2.5 million points of the shipped experiments' snapshots 6 show another class than if all were asked.
"""

TRUTH_RESOLUTION = 101
"""Points along each side of the grid on which the true boundary is found."""


def decision_boundary(evaluation: Evaluation, surfaces: Surfaces, split: Split, title: str) -> Figure:
    """The decision boundary with the rows, the members' disagreement and, where it is known, the truth.

    It is seen as the surfaces' view says: over one plane, or over each pair of some features.
    """
    planes = planes_of(split, surfaces.view)
    classes, title = class_names(split), f"{title}\ntest {accuracy_of(evaluation)}"
    cells = [
        Cell(
            probabilities=probabilities,
            extent=plane.extent,
            classes=classes,
            points=_points(evaluation, split, plane),
            truth=_truth(split, plane),
            disagreement=disagreement if evaluation.about["members"] > 1 else None,
        )
        for plane, probabilities, disagreement in zip(
            planes, surfaces.probabilities, surfaces.disagreement, strict=True
        )
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
        words=words_of(split.preprocessing),
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
        words=words_of(learned),
        title=f"{title}\npairs of {chosen}{n_features} features",
        note=planes[0].note,
    )


def boundary_gallery(
    evaluations: Mapping[str, Evaluation],
    surfaces: Mapping[str, Surfaces],
    splits: Mapping[str, Split],
    leaderboards: Mapping[str, Leaderboard],
) -> Figure:
    """Every boundary in one picture; `evaluations` and `surfaces` are named `experiment/architecture`."""
    some = {name.split("/")[0]: evaluation for name, evaluation in evaluations.items()}
    views = {name.split("/")[0]: surface.view for name, surface in surfaces.items()}
    planes = {name: planes_of(splits[name], view)[0] for name, view in views.items()}
    truths = {name: _truth(splits[name], plane) for name, plane in planes.items()}
    cells = {}
    for name, evaluation in evaluations.items():
        experiment, architecture = name.split("/")
        cells[experiment, architecture] = replace(
            _small(evaluation, surfaces[name], splits[experiment], planes[experiment], truths[experiment]),
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


def effect_of_architecture(
    architectures: Mapping[str, MLP],
    evaluations: Mapping[str, Evaluation],
    surfaces: Mapping[str, Surfaces],
    split: Split,
    winner: str,
    title: str,
) -> Figure:
    """How depth, width and activation change test accuracy and boundary."""
    plane = planes_of(split, next(iter(surfaces.values())).view)[0]
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
        name: replace(_small(evaluations[name], surfaces[name], split, plane, truth), winner=name == winner)
        for name in architectures
    }
    return architecture_effect(shapes, cells, title=f"{title}\nwhat depth, width and activation change")


def snapshots_of(fitted: FittedModel, split: Split, view: View | None = None) -> list[Snapshot]:
    """A classifier's answers over the plane at each snapshot that was kept of its training; at least at the end.

    The loss is that of the snapshot's ensemble on the validation fold, see `snapshot_losses`.
    """
    grid = planes_of(split, view or View())[0].grid(SNAPSHOT_RESOLUTION)
    steps = list(fitted.checkpoints) or [int(fitted.history["step"][-1])]
    # A file of rounded snapshots tells the losses of the exact ones.
    losses = getattr(fitted.checkpoints, "losses", None) or snapshot_losses(fitted, split)
    snapshots = []
    for step in steps:
        predict = fitted.as_of(step) if fitted.checkpoints else fitted.predict_proba

        def ask(points: np.ndarray, predict=predict) -> tuple[np.ndarray, np.ndarray]:
            return predict(grid[points]), np.zeros(len(points), np.float32)

        on_grid, _ = interpolated(ask, SNAPSHOT_RESOLUTION, SNAPSHOT_LEAST)
        snapshots.append(Snapshot(step, on_grid, losses.get(step)))
    return snapshots


def boundary_evolution(
    snapshots: Sequence[Snapshot], split: Split, title: str, view: View | None = None
) -> Figure:
    """A strip of up to eight snapshots of a training (see `snapshots_of`) with the rows and the truth."""
    plane = planes_of(split, view or View())[0]
    alone = (
        "the end alone: snapshots before it would have been too large to keep" if len(snapshots) == 1 else ""
    )
    # Closer at first: early on the boundary changes most.
    places = (len(snapshots) - 1) * np.linspace(0, 1, min(STRIP, len(snapshots))) ** 1.5
    chosen = np.unique(places.round().astype(int))
    return evolution(
        [snapshots[index] for index in chosen],
        plane.extent,
        classes=class_names(split),
        points=split_points(split, plane),
        truth=_truth(split, plane),
        title=f"{title}\nhow the boundary formed during training",
        note=" · ".join(filter(None, [plane.note, alone])),
    )


def boundary_animation(
    snapshots: Sequence[Snapshot], split: Split, title: str, view: View | None = None, *, inline: bool = True
) -> bytes:
    """A GIF of two or more snapshots of a training (see `snapshots_of`): a small one for a page, or a large one."""
    plane = planes_of(split, view or View())[0]
    return animation(
        snapshots,
        plane.extent,
        classes=class_names(split),
        points=split_points(split, plane),
        title=title,
        inline=inline,
    )


def _kind(architecture: MLP) -> str:
    """The options, in words, that tell an architecture apart beside depth and width."""
    if not architecture.hidden:
        return "none"
    options = {
        "dropout": np.any(np.asarray(architecture.dropout) > 0),
        f"{architecture.normalization} norm": architecture.normalization != "none",
        "residual": architecture.residual,
        "own options": bool(architecture.training.model_fields_set),
    }
    return ", ".join([architecture.activation, *(words for words, is_so in options.items() if is_so)])


def _small(
    evaluation: Evaluation, surfaces: Surfaces, split: Split, plane: Plane, truth: np.ndarray | None
) -> Cell:
    return Cell(
        probabilities=surfaces.probabilities[0, ::2, ::2],
        extent=plane.extent,
        classes=class_names(split),
        points=_points(evaluation, split, plane),
        truth=truth,
        score=float(evaluation.score(Fold.TEST, "accuracy")["value"]),
    )


def _ideal(evaluation: Evaluation, split: Split, plane: Plane, truth: np.ndarray) -> Cell:
    """The best possible classifier: its answers, and the rows on which it is wrong."""
    points, test = split_points(split, plane), evaluation.row_numbers(Fold.TEST)
    best = split.posterior(split.X[test])
    if best is not None:
        points.wrong[test] = best.argmax(1) != split.y[test]
    score = float(evaluation.score(Fold.TEST, "accuracy", "bayes")["value"])
    return Cell(truth, plane.extent, class_names(split), points, score=score)


def _points(evaluation: Evaluation, split: Split, plane: Plane) -> Points:
    points, test = split_points(split, plane), evaluation.row_numbers(Fold.TEST)
    points.wrong[test] = evaluation.probabilities(Fold.TEST).argmax(1) != split.y[test]
    return points


def _truth(split: Split, plane: Plane) -> np.ndarray | None:
    dataset = split.source.dataset
    if not isinstance(dataset, GeneratedDataset):
        return None
    truth = _posterior(dataset, plane.grid(TRUTH_RESOLUTION).tobytes(), len(plane.origin))
    return truth.reshape(TRUTH_RESOLUTION, TRUTH_RESOLUTION, -1)


@lru_cache(8)
def _posterior(dataset: GeneratedDataset, points: bytes, n_features: int) -> np.ndarray:
    """The posterior at some points, float32 in C order: all figures of an experiment show the same."""
    found = dataset.posterior(np.frombuffer(points, np.float32).reshape(-1, n_features))
    found.setflags(write=False)
    return found
