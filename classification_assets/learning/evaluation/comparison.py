"""Architectures over all experiments: their average ranks, and which of them are really different."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from classification_assets.learning.evaluation.bounds import LOWER_IS_BETTER
from classification_assets.learning.evaluation.leaderboard import Leaderboard
from classification_assets.learning.evaluation.significance import friedman, joined, nemenyi_difference


@dataclass(frozen=True)
class Comparison:
    """All experiments' leaderboards, and architectures by their average rank.

    Attributes
    ----------
    board : DataFrame
        The leaderboards' rows with ``experiment`` in front.
    ranks : DataFrame
        A row an architecture that every experiment tried, the best validation rank first: ``architecture``,
        ``validation_rank`` and ``test_rank``, each the average over experiments (1 is best).
    about : dict
        ``experiments`` (their number), ``p_value`` of Friedman's test that all are equal, and the
        ``critical_difference`` of average test ranks after Nemenyi (None: fewer than two of either);
        ``groups``: architectures that are not really different.
    """

    board: pd.DataFrame
    ranks: pd.DataFrame
    about: dict[str, Any]


def comparison(leaderboards: Mapping[str, Leaderboard]) -> Comparison:
    """All experiments' leaderboards below each other, and average ranks over them (Demšar 2006)."""
    parts = [own.board.assign(experiment=name) for name, own in leaderboards.items()]
    board = pd.concat(parts, ignore_index=True)
    board = board[["experiment", *board.columns.drop("experiment")]]
    names = [set(own.board["architecture"]) for own in leaderboards.values()]
    # The first experiment's order, so that equal ranks have one.
    common = [name for name in parts[0]["architecture"] if all(name in own for own in names)]
    validation, test = (
        np.array([_ranks(own, common, fold) for own in leaderboards.values()]) for fold in ("validation_", "")
    )
    ranks = pd.DataFrame(
        {
            "architecture": common,
            "validation_rank": validation.mean(0),
            "test_rank": test.mean(0),
        }
    ).sort_values("validation_rank", kind="stable", ignore_index=True)
    about: dict[str, Any] = {"experiments": len(leaderboards), "p_value": None, "critical_difference": None}
    groups: list[list[str]] = []
    if len(common) > 1 and len(leaderboards) > 1:
        difference = nemenyi_difference(len(common), len(leaderboards))
        about |= {"p_value": friedman(test), "critical_difference": difference}
        groups = [[common[index] for index in group] for group in joined(test.mean(0), difference)]
    return Comparison(board, ranks, about | {"groups": groups})


def _ranks(leaderboard: Leaderboard, names: Sequence[str], fold: str) -> np.ndarray:
    """Ranks (1 is best, equal ones share) of some architectures by the metric that decides."""
    scores = leaderboard.board.set_index("architecture").loc[list(names), fold + leaderboard.metric]
    return scores.rank(ascending=leaderboard.metric in LOWER_IS_BETTER).to_numpy()
