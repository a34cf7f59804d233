"""Tables of a sweep for reading: its best configurations, and what decides how good they are."""

from __future__ import annotations

import pandas as pd

from classification_assets.learning.sweeps.importance import Importance, importance
from classification_assets.learning.sweeps.lessons import best_values
from classification_assets.learning.sweeps.result import SweepResult

BEST = 10
"""Configurations in the table of the best."""

DIGITS = 3
"""Significant digits of a hyper-parameter in a table."""


def best_configurations(result: SweepResult, most: int = BEST) -> pd.DataFrame:
    """The best of the configurations that were trained to their end, the best first, rounded for reading.

    Columns are ``configuration``, the searched hyper-parameters, the score under the metric's name, ``accuracy`` and
    ``log_loss`` (means over its networks, if they are not the metric), and ``parameters``. Scores are those of the
    search, which are too good: see `Summary.optimism`.
    Seconds are left out: the same sweep must give the same table.
    """
    frame = result.configurations()
    finished = frame[(frame["state"] == "finished") & frame["score"].notna()]
    best = finished.sort_values("score", ascending=result.summary.lower_is_better, kind="stable").head(most)
    metric = result.summary.metric
    # Of several networks the score is that of their mean probabilities, not the mean of theirs.
    shown = best.assign(**{metric: best["score"]})
    scores = dict.fromkeys([metric, "accuracy", "log_loss"])
    searched = [name for name in result.summary.swept if name in best]
    shown = shown[["configuration", *searched, *scores, "parameters"]].reset_index(drop=True)
    for name in scores:
        shown[name] = shown[name].round(4)
    for name in searched:
        if pd.api.types.is_float_dtype(shown[name]):
            shown[name] = [float(f"{value:.{DIGITS}g}") for value in shown[name]]
    return shown


def importance_table(result: SweepResult) -> pd.DataFrame:
    """A row a hyper-parameter, the most important first, see `importance`; none where nothing can be told.

    Columns are ``hyperparameter``, ``share`` of the differences with ``low`` and ``high`` (its 95 % interval),
    ``matters`` (yes or not shown), and ``best`` (the values that cannot be told apart from the best one; empty where
    it is not shown to matter).
    """
    found = importance(result)
    columns = ["hyperparameter", "share", "low", "high", "matters", "best"]
    rows = [] if found is None else _rows(found)
    return pd.DataFrame(rows, columns=columns)


def _rows(found: Importance) -> list[tuple[str, float, float, float, str, str]]:
    return [
        (
            effect.axis.name,
            round(float(share), 3),
            round(float(low), 3),
            round(float(high), 3),
            "yes" if matters else "not shown",
            best_values(effect) if matters else "",
        )
        for effect, share, low, high, matters in zip(
            found.effects, found.share, found.low, found.high, found.matters, strict=True
        )
    ]
