"""Scoring a classifier: every fold's probabilities and scores, and its probabilities on the planes of a view."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from classification_assets.learning.evaluation.evaluation import PLANE, Evaluation, at_temperature_1
from classification_assets.learning.evaluation.metrics import Key, average_scores
from classification_assets.learning.evaluation.plane import planes_of
from classification_assets.learning.evaluation.resampling import (
    Resampled,
    member_spreads,
    paired_interval,
    resampled_scores,
)
from classification_assets.learning.evaluation.surface import surface
from classification_assets.learning.evaluation.view import View
from classification_assets.learning.models.fitted import FittedModel
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split

RESOLUTION, MATRIX_RESOLUTION = 201, 101
"""Points of a plane's grid along each side, and of each one of several; odd, so that every second one spans it too."""

TRAINING_ROWS = 20_000
"""Rows of the training fold that are scored, at most: enough to see a gap."""

MEMBER_ROWS = 200_000
"""Rows of a fold, evenly spaced, on which members are scored alone, at most: all probabilities of all would not fit."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
_SAMPLE_SEED = 20_261_125


def evaluate(fitted: FittedModel, split: Split, device: str = "cpu", view: View | None = None) -> Evaluation:
    """Score a classifier on every fold, and its probabilities on the planes of a view, in one pass.

    The validation fold's probabilities are those that training left: of networks that had not seen the rows.
    """
    classes = [str(label) for label in split.classes]
    view = view or View()
    shown = planes_of(split, view)
    learns = fitted.provenance.architecture.learns_from_validation
    rows = {fold: split.rows(fold) for fold in Fold}
    rows[Fold.TRAIN] = _sample(rows[Fold.TRAIN])

    one_pack = len(fitted.provenance.packs) == 1 and not fitted.state["floor"]
    temperature = float(fitted.state["temperatures"][0]) if one_pack else None
    frames, scores = [], []
    for fold in (Fold.VALIDATION, Fold.TEST):
        y, some = split.y[rows[fold]], _spaced(len(rows[fold]), MEMBER_ROWS)
        weight, group = _weights(split, rows[fold]), _at(split.group, rows[fold])
        p, spreads = fitted.validation_probabilities.astype(np.float32), {}
        disagreement = np.full(len(y), np.nan, np.float32)
        if not (learns and fold is Fold.VALIDATION):
            predicted, disagreement, members = fitted.member_predictions(split.X[rows[fold]], device, some)
            spreads = member_spreads(y[some], members, classes, _at(weight, some))
            p = predicted if fold is Fold.TEST else p
        told = {"weight": weight, "group": group}
        frames.append(_frame(fold, rows[fold], y, p, disagreement, told))
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
    fold = Fold.TRAIN
    p = fitted.predict_proba(split.X[rows[fold]], device)
    seen_before = _overall(split.y[rows[fold]], p, _weights(split, rows[fold]))
    scores.append(seen_before.assign(fold=fold.label, scope="ensemble"))
    surfaces = [surface(fitted, plane, _resolution(len(shown)), device) for plane in shown]
    p = np.concatenate([p.reshape(-1, len(classes)) for p, _ in surfaces])
    disagreement = np.concatenate([disagreement.ravel() for _, disagreement in surfaces])
    frames.append(_frame(PLANE, np.arange(len(p)), np.full(len(p), -1), p, disagreement))
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
            "view": view.model_dump(mode="json"),
            "planes": len(shown),
        },
    )


def _resolution(n_planes: int) -> int:
    return RESOLUTION if n_planes == 1 else MATRIX_RESOLUTION


def _sample(rows: np.ndarray) -> np.ndarray:
    if len(rows) <= TRAINING_ROWS:
        return rows
    return np.sort(np.random.default_rng(_SAMPLE_SEED).choice(rows, TRAINING_ROWS, replace=False))


def _spaced(n_rows: int, most: int) -> np.ndarray:
    """Indices of at most so many rows, evenly spaced."""
    return np.arange(0, n_rows, -(-n_rows // most) or 1)


def _at(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if values is None else values[rows]


def _weights(split: Split, rows: np.ndarray) -> np.ndarray | None:
    """What rows count; rows that all count nothing count alike."""
    return None if split.weight is None or not split.weight[rows].any() else split.weight[rows]


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
    """What is lost against the best possible classifier on the same rows, with a paired interval."""
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
