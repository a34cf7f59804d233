"""Leaderboards are ordered by the validation fold and report the test fold."""

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.comparison import REPORTED, comparison, leaderboard, summary
from classification_assets.learning.evaluation import Evaluation


def evaluated(validation_log_loss, test=0.5, *, bayes=None, spread=0.02, **about):
    """An evaluation with a given log loss on the validation fold and one value for every test score."""
    rows = [("validation", "ensemble", "", "log_loss", validation_log_loss, 0.0, 1.0, spread)]
    for index, metric in enumerate(REPORTED):
        value = test + index / 100
        rows.append(("test", "ensemble", "", metric, value, value - 0.1, value + 0.1, spread))
    if bayes is not None:
        rows += [
            ("test", "bayes", "", metric, bayes, np.nan, np.nan, np.nan)
            for metric in ("accuracy", "log_loss")
        ]
    columns = ["fold", "scope", "class", "metric", "value", "low", "high", "spread"]
    told = {"classes": ["a", "b"], "members": 8, "failed": 0, "parameters": 42, "overridden": {}}
    return Evaluation(pd.DataFrame(), pd.DataFrame(rows, columns=columns), told | about)


def test_the_lowest_validation_log_loss_comes_first():
    board = leaderboard({"worse": evaluated(0.4), "best": evaluated(0.1), "worst": evaluated(0.9)})
    assert board["architecture"].tolist() == ["best", "worse", "worst"]
    assert board["rank"].tolist() == [1, 2, 3]


def test_no_test_score_reorders_the_leaderboard():
    board = leaderboard({"lucky": evaluated(0.4, test=0.9), "best": evaluated(0.1, test=0.2)})
    assert board["architecture"].tolist() == ["best", "lucky"]


def test_equal_losses_are_ordered_by_name():
    assert leaderboard({"b": evaluated(0.2), "a": evaluated(0.2)})["architecture"].tolist() == ["a", "b"]


def test_every_reported_score_comes_with_its_interval_and_spread():
    row = leaderboard({"one": evaluated(0.3, test=0.5)}).iloc[0]
    for index, metric in enumerate(REPORTED):
        scores = [row[metric + part] for part in ("", "_low", "_high", "_spread")]
        assert scores == pytest.approx([0.5 + index / 100, 0.4 + index / 100, 0.6 + index / 100, 0.02])
    assert row["validation_log_loss"] == 0.3


def test_the_best_possible_score_is_told_where_the_truth_is_known():
    board = leaderboard({"a": evaluated(0.1, bayes=0.95), "b": evaluated(0.2)}).set_index("architecture")
    assert board.loc["a", ["bayes_accuracy", "bayes_log_loss"]].tolist() == [0.95, 0.95]
    assert board.loc["b", ["bayes_accuracy", "bayes_log_loss"]].isna().all()


def test_the_size_and_the_failures_of_an_architecture_are_told():
    row = leaderboard({"a": evaluated(0.1, members=7, failed=1, parameters=99)}).iloc[0]
    assert (row["members"], row["failed"], row["parameters"]) == (7, 1, 99)


def test_what_a_run_set_otherwise_is_told_in_words():
    board = leaderboard({"a": evaluated(0.1, overridden={"members": 2, "seed": 5}), "b": evaluated(0.2)})
    assert board["overridden"].tolist() == ["members=2, seed=5", ""]


def test_a_real_evaluation_has_a_place_on_the_leaderboard(evaluation):
    board = leaderboard({"narrow": evaluation})
    assert np.isfinite(board[list(REPORTED)].to_numpy()).all()
    assert board["bayes_accuracy"].iloc[0] > 0.9


def test_a_comparison_puts_the_experiment_in_front_of_each_row():
    boards = {
        "moons": leaderboard({"a": evaluated(0.2), "b": evaluated(0.1)}),
        "blobs": leaderboard({"a": evaluated(0.3)}),
    }
    together = comparison(boards)
    assert together.columns[0] == "experiment"
    assert together[["experiment", "architecture", "rank"]].to_numpy().tolist() == [
        ["moons", "b", 1],
        ["moons", "a", 2],
        ["blobs", "a", 1],
    ]


def test_a_summary_reads_as_score_interval_and_spread():
    table = summary(leaderboard({"a": evaluated(0.2, test=0.5)}))
    assert table["test accuracy"].tolist() == ["0.500 [0.400, 0.600] ± 0.020"]
    assert table["test balanced accuracy"].tolist() == ["0.510 [0.410, 0.610] ± 0.020"]


def test_a_summary_of_one_member_has_no_spread():
    table = summary(leaderboard({"a": evaluated(0.2, test=0.5, spread=np.nan)}))
    assert table["test accuracy"].tolist() == ["0.500 [0.400, 0.600]"]


@pytest.mark.parametrize("of", ["a leaderboard", "a comparison"])
def test_a_summary_keeps_the_order(of):
    board = leaderboard({"a": evaluated(0.2), "b": evaluated(0.1)})
    table = summary(board if of == "a leaderboard" else comparison({"moons": board}))
    assert table["architecture"].tolist() == ["b", "a"]
    assert ("experiment" in table) == (of == "a comparison")
