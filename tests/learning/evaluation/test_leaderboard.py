"""A leaderboard is ordered by the validation fold; the test fold reports, and says which differences are real."""

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.evaluation.evaluation import REPORTED, Evaluation
from classification_assets.learning.evaluation.leaderboard import leaderboard, pairs, summary
from classification_assets.learning.evaluation.metrics import average_scores
from classification_assets.learning.evaluation.significance import mcnemar
from classification_assets.learning.preparation.folds import Fold

N = 400
TRUTH = np.random.default_rng(0).integers(0, 2, N)


def answers(error_rate, seed=0, y=TRUTH, confidence=0.9):
    """Probabilities of a classifier that errs on a share of the rows, (N, 2)."""
    wrong = np.random.default_rng(seed).random(len(y)) < error_rate
    p = np.full((len(y), 2), 1 - confidence)
    p[np.arange(len(y)), np.where(wrong, 1 - y, y)] = confidence
    return p


def evaluated(validation, p=None, *, y=TRUTH, spread=0.02, bayes=None, **about):
    """An evaluation with given validation scores and test probabilities."""
    p = answers(0.2, y=y) if p is None else p
    scores = average_scores(y, p)
    rows = pd.DataFrame(
        {"fold": Fold.TEST, "row": np.arange(len(y)), "label": y, "p_0": p[:, 0], "p_1": p[:, 1]}
    )
    validation = validation if isinstance(validation, dict) else {"log_loss": validation}
    metrics = [
        ("validation", "ensemble", "", name, value, 0, 1, spread) for name, value in validation.items()
    ]
    metrics += [
        ("test", "ensemble", "", name, value, value - 0.1, value + 0.1, spread)
        for name, value in scores.items()
    ]
    if bayes is not None:
        for name, sign in (("accuracy", -1), ("log_loss", 1)):
            regret = sign * (scores[name] - bayes)
            metrics.append(("test", "bayes", "", name, bayes, np.nan, np.nan, np.nan))
            metrics.append(("test", "regret", "", name, regret, regret - 0.1, regret + 0.1, np.nan))
    columns = ["fold", "scope", "class", "metric", "value", "low", "high", "spread"]
    told = {"classes": ["a", "b"], "members": 8, "failed": 0, "parameters": 42, "overridden": {}}
    return Evaluation(rows, pd.DataFrame(metrics, columns=columns), told | about)


def order(ordered):
    return ordered.board["architecture"].tolist()


def test_the_lowest_validation_log_loss_comes_first():
    ordered = leaderboard({"worse": evaluated(0.4), "best": evaluated(0.1), "worst": evaluated(0.9)})
    assert order(ordered) == ["best", "worse", "worst"]
    assert ordered.board["rank"].tolist() == [1, 2, 3]
    assert ordered.winner == "best"


def test_no_test_score_reorders_the_leaderboard():
    lucky = evaluated(0.4, answers(0.0))
    assert order(leaderboard({"lucky": lucky, "best": evaluated(0.1, answers(0.5))})) == ["best", "lucky"]


def test_the_declared_metric_decides_and_the_log_loss_where_it_is_equal():
    evaluations = {
        "precise": evaluated({"accuracy": 0.9, "log_loss": 0.8}),
        "calibrated": evaluated({"accuracy": 0.7, "log_loss": 0.1}),
        "both": evaluated({"accuracy": 0.9, "log_loss": 0.3}),
    }
    assert order(leaderboard(evaluations, "accuracy")) == ["both", "precise", "calibrated"]
    assert order(leaderboard(evaluations)) == ["calibrated", "both", "precise"]


def test_equal_losses_are_ordered_by_name():
    assert order(leaderboard({"b": evaluated(0.2), "a": evaluated(0.2)})) == ["a", "b"]


def test_every_reported_score_comes_with_its_interval_and_spread():
    row = leaderboard({"one": evaluated(0.3)}).board.iloc[0]
    scores = average_scores(TRUTH, answers(0.2))
    for metric in REPORTED:
        told = [row[metric + part] for part in ("", "_low", "_high", "_spread")]
        value = scores[metric]
        assert told == pytest.approx([value, value - 0.1, value + 0.1, 0.02])
    assert row["validation_log_loss"] == 0.3


def test_the_best_possible_score_and_the_regret_are_told_where_the_truth_is_known():
    board = leaderboard({"a": evaluated(0.1, bayes=0.95), "b": evaluated(0.2)}).board.set_index(
        "architecture"
    )
    accuracy = board.loc["a", "accuracy"]
    assert board.loc["a", "bayes_accuracy"] == 0.95
    assert board.loc["a", "regret_accuracy"] == pytest.approx(0.95 - accuracy)
    assert board.loc["a", "regret_accuracy_low"] == pytest.approx(0.95 - accuracy - 0.1)
    assert board.loc["b", ["bayes_accuracy", "bayes_log_loss", "regret_log_loss"]].isna().all()


def test_the_size_and_the_failures_of_an_architecture_are_told():
    row = leaderboard({"a": evaluated(0.1, members=7, failed=1, parameters=99)}).board.iloc[0]
    assert (row["members"], row["failed"], row["parameters"]) == (7, 1, 99)


def test_what_a_run_set_otherwise_is_told_in_words():
    board = leaderboard(
        {"a": evaluated(0.1, overridden={"members": 2, "seed": 5}), "b": evaluated(0.2)}
    ).board
    assert board["overridden"].tolist() == ["members=2, seed=5", ""]


def test_a_real_evaluation_has_a_place_on_the_leaderboard(evaluation):
    board = leaderboard({"narrow": evaluation}).board
    assert np.isfinite(board[list(REPORTED)].to_numpy()).all()
    assert board["bayes_accuracy"].iloc[0] > 0.9
    assert board["regret_log_loss_low"].iloc[0] <= board["regret_log_loss"].iloc[0]


def test_every_pair_is_tested_by_the_metric_that_decides_and_by_log_loss_and_accuracy():
    evaluations = {name: evaluated(0.1, answers(0.2, seed)) for seed, name in enumerate("abc")}
    differences = leaderboard(evaluations, "log_loss").differences
    assert differences.groupby("metric").size().to_dict() == {"log_loss": 3, "accuracy": 3}
    evaluations = {
        name: evaluated({"macro_f1": 0.8, "log_loss": 0.1}, answers(0.2, seed))
        for seed, name in enumerate("abc")
    }
    assert set(leaderboard(evaluations, "macro_f1").differences["metric"]) == {
        "macro_f1",
        "log_loss",
        "accuracy",
    }


def test_accuracy_is_compared_by_mcnemars_test_on_the_same_rows():
    first, second = answers(0.1, 1), answers(0.2, 2)
    differences = leaderboard({"a": evaluated(0.1, first), "b": evaluated(0.2, second)}).differences
    row = differences[differences["metric"] == "accuracy"].iloc[0]
    right = [p.argmax(1) == TRUTH for p in (first, second)]
    assert row["p_value"] == mcnemar(*right)
    assert row["difference"] == pytest.approx(right[0].mean() - right[1].mean())
    assert row["low"] <= row["difference"] <= row["high"]


def test_a_plain_difference_is_called_real_and_chance_is_called_tied():
    ordered = leaderboard(
        {
            "good": evaluated(0.1, answers(0.1, 1)),
            "as good": evaluated(0.2, answers(0.1, 2)),
            "bad": evaluated(0.3, answers(0.4, 3)),
        }
    )
    assert ordered.board["against_first"].tolist() == ["chosen", "tied", "worse"]
    assert ordered.tied() == ["as good"]
    assert ordered.sentence() == (
        "good was chosen by its validation log loss; tied with it on the test fold: as good; really worse: bad "
        "(log loss, 95 %, Holm's correction)"
    )


def test_one_that_validation_passed_over_may_be_really_better_and_that_is_said():
    ordered = leaderboard({"chosen": evaluated(0.1, answers(0.4)), "other": evaluated(0.2, answers(0.1))})
    assert ordered.board["against_first"].tolist() == ["chosen", "better"]
    assert "really better: other" in ordered.sentence()


def test_one_architecture_alone_is_compared_with_nothing():
    ordered = leaderboard({"a": evaluated(0.1)})
    assert len(ordered.differences) == 0
    assert ordered.sentence() == "a is the only architecture"


def test_many_pairs_still_allow_a_real_difference_to_be_found():
    evaluations = {f"a{k}": evaluated(0.1 + k / 100, answers(0.1, k)) for k in range(11)}
    ordered = leaderboard(evaluations | {"bad": evaluated(0.9, answers(0.45, 99))})
    assert ordered.board.set_index("architecture").loc["bad", "against_first"] == "worse"


def test_evaluations_of_different_test_rows_are_not_compared():
    other = evaluated(0.2, y=1 - TRUTH)
    with pytest.raises(ValueError, match="the evaluations of a and b are of different test rows"):
        leaderboard({"a": evaluated(0.1), "b": other})


def test_a_summary_reads_as_score_interval_and_spread():
    board = leaderboard({"a": evaluated(0.2, bayes=0.9)}).board
    accuracy = board["accuracy"].iloc[0]
    table = summary(board)
    assert table["test accuracy"].tolist() == [
        f"{accuracy:.3f} [{accuracy - 0.1:.3f},\N{NO-BREAK SPACE}{accuracy + 0.1:.3f}]"
    ]
    assert table["spread over members, accuracy"].tolist() == [0.02]
    assert list(table)[:5] == ["rank", "architecture", "test accuracy", "test log loss", "verdict"]
    assert {"verdict", "validation log loss", "test macro F1", "regret, log loss"} <= set(table)


def test_a_summary_of_one_member_has_no_spread_and_without_the_truth_no_regret():
    table = summary(leaderboard({"a": evaluated(0.2, spread=np.nan)}).board)
    assert table["spread over members, accuracy"].isna().all()
    assert table["regret, log loss"].tolist() == [""]


def test_pairs_are_told_in_words():
    table = pairs(
        leaderboard(
            {"good": evaluated(0.1, answers(0.1)), "bad": evaluated(0.2, answers(0.4, 5))}
        ).differences
    )
    assert table["pair"].unique().tolist() == ["good − bad"]
    assert table["better"].tolist() == ["good", "good"]
    assert table["p"].tolist() == ["< 0.001", "< 0.001"]
