"""Experiments side by side: every row, and average ranks with what they can tell."""

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.evaluation.comparison import comparison
from classification_assets.learning.evaluation.leaderboard import Leaderboard
from classification_assets.learning.evaluation.significance import nemenyi_difference


def board_of(scores, metric="log_loss"):
    """A leaderboard with validation and test scores (validation, test) by architecture."""
    rows = [
        {"architecture": name, f"validation_{metric}": validation, metric: test}
        for name, (validation, test) in scores.items()
    ]
    board = pd.DataFrame(rows).sort_values(f"validation_{metric}", ignore_index=True)
    board.insert(0, "rank", np.arange(1, len(board) + 1))
    return Leaderboard(board, pd.DataFrame(), metric)


def test_the_experiment_is_in_front_of_each_row():
    compared = comparison(
        {"moons": board_of({"a": (0.2, 0.2), "b": (0.1, 0.1)}), "blobs": board_of({"a": (0.3, 0.3)})}
    )
    assert compared.board.columns[0] == "experiment"
    assert compared.board[["experiment", "architecture", "rank"]].to_numpy().tolist() == [
        ["moons", "b", 1],
        ["moons", "a", 2],
        ["blobs", "a", 1],
    ]


def test_architectures_are_ordered_by_their_average_validation_rank_and_report_the_test_rank():
    compared = comparison(
        {
            "one": board_of({"a": (0.1, 0.9), "b": (0.2, 0.2), "c": (0.3, 0.1)}),
            "two": board_of({"a": (0.1, 0.8), "b": (0.3, 0.1), "c": (0.2, 0.2)}),
        }
    )
    assert compared.ranks["architecture"].tolist() == ["a", "b", "c"]
    assert compared.ranks["validation_rank"].tolist() == [1, 2.5, 2.5]
    assert compared.ranks["test_rank"].tolist() == [3, 1.5, 1.5]


def test_each_experiment_ranks_by_its_own_metric():
    compared = comparison(
        {
            "one": board_of({"a": (0.1, 0.1), "b": (0.2, 0.2)}),
            "two": board_of({"a": (0.9, 0.9), "b": (0.8, 0.8)}, "accuracy"),
        }
    )
    assert compared.ranks["test_rank"].tolist() == [1, 2]


def test_only_architectures_of_every_experiment_are_ranked():
    compared = comparison(
        {
            "one": board_of({"a": (0.1, 0.1), "b": (0.2, 0.2), "own": (0.05, 0.05)}),
            "two": board_of({"a": (0.1, 0.1), "b": (0.2, 0.2)}),
        }
    )
    assert compared.ranks["architecture"].tolist() == ["a", "b"]
    assert compared.ranks["test_rank"].tolist() == [1, 2]


def test_few_experiments_prove_little_and_many_prove_more():
    scores = {"a": (0.1, 0.1), "b": (0.2, 0.2), "c": (0.3, 0.3)}
    few = comparison({f"e{k}": board_of(scores) for k in range(2)}).about
    many = comparison({f"e{k}": board_of(scores) for k in range(15)}).about
    assert few["critical_difference"] == pytest.approx(nemenyi_difference(3, 2))
    assert few["groups"] == [["a", "b", "c"]]
    assert many["groups"] == []
    assert many["p_value"] < 1e-5 < few["p_value"]


@pytest.mark.parametrize("boards", [["one"], ["one", "other"]])
def test_one_experiment_or_one_architecture_has_no_critical_difference(boards):
    scores = {"a": (0.1, 0.1)} if len(boards) > 1 else {"a": (0.1, 0.1), "b": (0.2, 0.2)}
    about = comparison({name: board_of(scores) for name in boards}).about
    assert about["critical_difference"] is None
    assert about["groups"] == []
