"""Scoring a classifier: probabilities and scores on every fold of a split, never on rows that it has learned from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from classification_assets.learning.evaluation.encoding import (
    class_order,
    encoded_rows,
    known_rows,
)
from classification_assets.learning.evaluation.evaluation import Evaluation, at_temperature_1
from classification_assets.learning.evaluation.metrics import Key, average_scores, counted
from classification_assets.learning.evaluation.resampling import (
    Resampled,
    member_spreads,
    paired_interval,
    resampled_scores,
)
from classification_assets.learning.evaluation.unfit_rows import UnfitRowsError
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.table import Table

TRAINING_ROWS = 20_000
"""Rows of the training fold that are scored, at most: enough to see a gap."""

MEMBER_ROWS = 200_000
"""Rows of a fold, evenly spaced, on which members are scored alone, at most: all probabilities of all would not fit."""

COLUMNS = ["fold", "scope", "class", "metric", "value", "low", "high", "spread"]
"""Columns of an evaluation's metrics."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
_SAMPLE_SEED = 20_261_125


def evaluate(
    fitted: FittedModel, split: Split, device: str = "cpu", table: Table | None = None
) -> Evaluation:
    """Score a classifier on every fold of a split, its own or another one.

    The rows are encoded by the classifier's own preprocessing, and no row that it has learned from is scored as
    unseen: such a row of the validation or the test fold is left out. Validation rows that stopped and calibrated it
    have the probabilities that training left, of networks that had not seen them.

    Parameters
    ----------
    table : Table, optional
        The split's rows as they were read; needed if the classifier was trained on another split.

    Raises
    ------
    UnfitRowsError
        If the classifier cannot read the split's rows, or it has learned from all rows of a fold.
    """
    classes = [str(label) for label in split.classes]
    order = class_order(fitted, split)
    X = encoded_rows(fitted, split, table)
    learned, validated = known_rows(fitted, split, X, table)
    rows, left_out = _scored_rows(fitted, split, learned, validated)
    one_pack = len(fitted.provenance.packs) == 1 and not fitted.state["floor"]
    temperature = float(fitted.state["temperatures"][0]) if one_pack else None
    frames: list[pd.DataFrame] = []
    scores: list[tuple[str | float, ...]] = []
    for fold in (Fold.VALIDATION, Fold.TEST):
        y = split.y[rows[fold]]
        weight, group = (_at(told, rows[fold]) for told in (split.weight, split.group))
        stored = validated[rows[fold]] if fold is Fold.VALIDATION else np.full(len(y), -1, np.int64)
        p, disagreement, spreads = _answers(fitted, X, y, rows[fold], stored, order, classes, weight, device)
        frames.append(_frame(fold, rows[fold], y, p, disagreement, {"weight": weight, "group": group}))
        resampled = Resampled.of(y, p, classes, weight=weight, group=group)
        found = _scores(resampled, spreads)
        if temperature is not None:
            found += _overall("uncalibrated", y, at_temperature_1(p, temperature), weight)
        truth = split.posterior(split.X[rows[fold]])
        if truth is not None:
            best = _overall("bayes", y, truth, weight)
            ideal = resampled_scores(y, truth, classes, weight=weight, group=group)
            found += [*best, *_regret(resampled, best, ideal)]
        scores += [(fold.label, *row) for row in found]
    if len(rows[Fold.TRAIN]):
        p = fitted.predict_proba(X[rows[Fold.TRAIN]], device)[:, order]
        y, weight = split.y[rows[Fold.TRAIN]], _at(split.weight, rows[Fold.TRAIN])
        scores += [(Fold.TRAIN.label, *row) for row in _overall("ensemble", y, p, weight)]
    return Evaluation(
        rows=pd.concat(frames, ignore_index=True),
        metrics=pd.DataFrame(scores, columns=COLUMNS),
        about={
            "classes": split.classes,
            "members": fitted.provenance.members,
            "failed": int((fitted.best_step < 0).sum()),
            "parameters": sum(parameter[0].numel() for parameter in fitted.blend.packs[0].parameters()),
            "overridden": fitted.provenance.overridden,
            "temperature": temperature,
            "left_out": left_out,
            "architecture": fitted.provenance.architecture.model_dump(mode="json"),
            **({"note": fitted.provenance.note} if fitted.provenance.note else {}),
        },
    )


def _scored_rows(
    fitted: FittedModel, split: Split, learned: np.ndarray, validated: np.ndarray
) -> tuple[dict[Fold, np.ndarray], dict[str, int]]:
    """The rows of each fold that are scored, and how many of the held-out ones are left out."""
    rows = {fold: split.rows(fold) for fold in Fold}
    # The training fold's scores say how well the classifier knows what it has learned.
    rows[Fold.TRAIN] = _sample(_counted(split, rows[Fold.TRAIN][learned[rows[Fold.TRAIN]]]))
    unseen = {
        Fold.VALIDATION: ~learned | (validated >= 0),
        Fold.TEST: ~learned & (validated < 0),
    }
    left_out = {}
    for fold, fit_to_score in unseen.items():
        there, name = rows[fold], fitted.provenance.architecture.name
        rows[fold] = there[fit_to_score[there]]
        left_out[fold.label] = len(there) - len(rows[fold])
        count = _counted(split, there)
        if len(there) and not len(count):
            raise UnfitRowsError(
                f"{name} cannot be scored: all {len(there):,} rows of the {fold.label} fold have a weight of 0"
            )
        if left_out[fold.label] and not len(_counted(split, rows[fold])):
            raise UnfitRowsError(
                f"{name} has learned from all {len(count):,} rows of the {fold.label} fold"
                f"{' that have a weight above 0' if len(count) < len(there) else ''}, so that none is left to score "
                "it on; train it again"
            )
    return rows, left_out


def _answers(
    fitted: FittedModel,
    X: np.ndarray,
    y: np.ndarray,
    rows: np.ndarray,
    stored: np.ndarray,
    order: np.ndarray,
    classes: list[str],
    weight: np.ndarray | None,
    device: str,
) -> tuple[np.ndarray, np.ndarray, dict[Key, tuple[float, float]]]:
    """Probabilities (N, C) and disagreement (N,) of some rows, and the spread of each score over the members.

    Rows that have a place among the `stored` validation probabilities (N,) take those. Where the classifier has
    trained on its validation rows, its members say nothing honest of them: then there is no disagreement, and no
    spread.
    """
    p = np.empty((len(rows), len(classes)), np.float32)
    has_stored = stored >= 0
    p[has_stored] = fitted.validation_probabilities[stored[has_stored]][:, order]
    disagreement = np.full(len(rows), np.nan, np.float32)
    learns = fitted.provenance.architecture.learns_from_validation
    if learns and has_stored.any():
        asked = np.flatnonzero(~has_stored)
        if len(asked):
            said, apart, _ = fitted.member_predictions(X[rows[asked]], device, np.empty(0, np.int64))
            p[asked], disagreement[asked] = said[:, order], apart
        return p, disagreement, {}
    some = np.arange(len(rows))[counted(weight)[0]]
    some = some[_spaced(len(some), MEMBER_ROWS)]
    said, disagreement, members = fitted.member_predictions(X[rows], device, some)
    p[~has_stored] = said[~has_stored][:, order]
    spreads = member_spreads(y[some], members[:, :, order], classes, _at(weight, some))
    return p, disagreement, spreads


def _sample(rows: np.ndarray) -> np.ndarray:
    if len(rows) <= TRAINING_ROWS:
        return rows
    return np.sort(np.random.default_rng(_SAMPLE_SEED).choice(rows, TRAINING_ROWS, replace=False))


def _spaced(n_rows: int, most: int) -> np.ndarray:
    """Indices of at most so many rows, evenly spaced."""
    return np.arange(0, n_rows, -(-n_rows // most) or 1)


def _at(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if values is None else values[rows]


def _counted(split: Split, rows: np.ndarray) -> np.ndarray:
    """Those of some rows that count."""
    return rows if split.weight is None else rows[split.weight[rows] > 0]


def _frame(
    fold: int,
    rows: np.ndarray,
    labels: np.ndarray,
    p: np.ndarray,
    disagreement: np.ndarray,
    told: Mapping[str, np.ndarray | None] = NOTHING,
) -> pd.DataFrame:
    return pd.DataFrame(
        {"fold": np.full(len(rows), fold, np.int8), "row": rows, "label": labels}
        | {f"p_{index}": column for index, column in enumerate(p.T)}
        | {"disagreement": disagreement}
        | {name: values for name, values in told.items() if values is not None}
    )


class _Score(NamedTuple):
    """A row of an evaluation's metrics but for the fold; frames are made of all of them at once."""

    scope: str
    class_: str
    metric: str
    value: float
    low: float = np.nan
    high: float = np.nan
    spread: float = np.nan


def _overall(scope: str, y: np.ndarray, p: np.ndarray, weight: np.ndarray | None) -> list[_Score]:
    return [_Score(scope, "", metric, value) for metric, value in average_scores(y, p, weight).items()]


def _regret(resampled: Resampled, best: list[_Score], ideal: Mapping[Key, np.ndarray]) -> Iterator[_Score]:
    """The loss against the best possible classifier on the same rows, with a paired interval."""
    lowest = {score.metric: score.value for score in best}
    for metric, sign in (("accuracy", -1), ("log_loss", 1)):
        key = ("", metric)
        interval = paired_interval(sign * resampled.drawn[key], sign * ideal[key])
        yield _Score("regret", *key, sign * (resampled.values[key] - lowest[metric]), *interval)


def _scores(resampled: Resampled, spreads: Mapping[Key, tuple[float, float]]) -> list[_Score]:
    """The ensemble's scores with interval and spread, and the mean score of the members alone."""
    values = resampled.values | {("", "calibration_p_value"): resampled.by_chance}
    ensemble = [
        _Score("ensemble", *key, value, *resampled.interval(key), spreads.get(key, (0.0, np.nan))[1])
        for key, value in values.items()
    ]
    alone = [_Score("members", *key, mean, spread=spread) for key, (mean, spread) in spreads.items()]
    return ensemble + alone
