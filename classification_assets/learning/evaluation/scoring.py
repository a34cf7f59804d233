"""Scoring a classifier: probabilities and scores on every fold of a split, never on rows that it has learned from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

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
    frames, scores = [], []
    for fold in (Fold.VALIDATION, Fold.TEST):
        y = split.y[rows[fold]]
        weight, group = (_at(told, rows[fold]) for told in (split.weight, split.group))
        stored = validated[rows[fold]] if fold is Fold.VALIDATION else np.full(len(y), -1, np.int64)
        p, disagreement, spreads = _answers(fitted, X, y, rows[fold], stored, order, classes, weight, device)
        frames.append(_frame(fold, rows[fold], y, p, disagreement, {"weight": weight, "group": group}))
        resampled = Resampled.of(y, p, classes, weight=weight, group=group)
        found = [_scores(resampled, spreads)]
        if temperature is not None:
            before = at_temperature_1(p, temperature)
            found.append(_overall(y, before, weight).assign(scope="uncalibrated"))
        truth = split.posterior(split.X[rows[fold]])
        if truth is not None:
            best = _overall(y, truth, weight).assign(scope="bayes")
            ideal = resampled_scores(y, truth, classes, weight=weight, group=group)
            found += [best, _regret(resampled, best, ideal)]
        scores += [part.assign(fold=fold.label) for part in found]
    if len(rows[Fold.TRAIN]):
        p = fitted.predict_proba(X[rows[Fold.TRAIN]], device)[:, order]
        seen_before = _overall(split.y[rows[Fold.TRAIN]], p, _at(split.weight, rows[Fold.TRAIN]))
        scores.append(seen_before.assign(fold=Fold.TRAIN.label, scope="ensemble"))
    columns = ["fold", "scope", "class", "metric", "value", "low", "high", "spread"]
    return Evaluation(
        rows=pd.concat(frames, ignore_index=True),
        metrics=pd.concat(scores, ignore_index=True)[columns],
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


def _overall(y: np.ndarray, p: np.ndarray, weight: np.ndarray | None = None) -> pd.DataFrame:
    scores = pd.DataFrame(average_scores(y, p, weight).items(), columns=["metric", "value"])
    return scores.assign(**{"class": "", "low": np.nan, "high": np.nan, "spread": np.nan})


def _regret(resampled: Resampled, best: pd.DataFrame, ideal: Mapping[Key, np.ndarray]) -> pd.DataFrame:
    """The loss against the best possible classifier on the same rows, with a paired interval."""
    lowest = dict(zip(best["metric"], best["value"], strict=True))
    regrets = []
    for metric, sign in (("accuracy", -1), ("log_loss", 1)):
        key = ("", metric)
        low, high = paired_interval(sign * resampled.drawn[key], sign * ideal[key])
        regrets.append((metric, sign * (resampled.values[key] - lowest[metric]), low, high))
    frame = pd.DataFrame(regrets, columns=["metric", "value", "low", "high"])
    return frame.assign(scope="regret", spread=np.nan, **{"class": ""})


def _scores(resampled: Resampled, spreads: Mapping[Key, tuple[float, float]]) -> pd.DataFrame:
    """The ensemble's scores with interval and spread, and the mean score of the members alone."""
    nothing = (np.nan, np.nan)
    rows = [
        (*key, value, *resampled.interval(key), spreads.get(key, nothing)[1])
        for key, value in (resampled.values | {("", "calibration_p_value"): resampled.by_chance}).items()
    ]
    columns = ["class", "metric", "value", "low", "high", "spread"]
    ensemble = pd.DataFrame(rows, columns=columns).assign(scope="ensemble")
    alone = [(*key, mean, np.nan, np.nan, spread) for key, (mean, spread) in spreads.items()]
    return (
        pd.concat([ensemble, pd.DataFrame(alone, columns=columns).assign(scope="members")])
        if alone
        else ensemble
    )
