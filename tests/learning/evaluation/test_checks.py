"""Checks of scores give a verdict and say what was found."""

import numpy as np
import pandas as pd

from classification_assets.learning.evaluation.bounds import Bound, Bounds
from classification_assets.learning.evaluation.checks import (
    beats_majority,
    calibrated,
    evaluation_checks,
    leaderboard_checks,
)
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.leaderboard import Leaderboard
from classification_assets.learning.models.checks import converged
from classification_assets.learning.preparation.folds import Fold


def judged(name, evaluation, **bounds):
    (check,) = [check for check in evaluation_checks(Bounds(**bounds)) if check.name == name]
    return check.judge(evaluation)


def with_scores(**scores):
    """An evaluation with overall scores (value, low, high), named fold__scope__metric."""
    metrics = [
        (*name.split("__")[:2], "", name.split("__")[2], *score, np.nan) for name, score in scores.items()
    ]
    columns = ["fold", "scope", "class", "metric", "value", "low", "high", "spread"]
    return Evaluation(pd.DataFrame(), pd.DataFrame(metrics, columns=columns), {})


def test_calibrated_probabilities_pass_and_overconfident_ones_do_not(evaluation):
    told = {
        "test__ensemble__expected_calibration_error": (0.08, 0, 1),
        "test__ensemble__calibration_p_value": (0.001, np.nan, np.nan),
    }
    passed, sentence = calibrated(with_scores(**told))
    assert not passed
    assert sentence == (
        "expected calibration error 0.080; a calibrated classifier would show as much in 0.1 of 100 such folds"
    )
    by_chance = told | {"test__ensemble__calibration_p_value": (0.3, np.nan, np.nan)}
    assert calibrated(with_scores(**by_chance))[0]
    harmless = told | {"test__ensemble__expected_calibration_error": (0.01, 0, 1)}
    assert calibrated(with_scores(**harmless))[0]


def test_a_gap_counts_when_the_test_folds_size_alone_cannot_explain_it():
    def told(test, high):
        return with_scores(
            train__ensemble__accuracy=(0.99, np.nan, np.nan), test__ensemble__accuracy=(test, 0, high)
        )

    assert judged("generalizes", told(0.96, 0.98))[0]
    assert judged("generalizes", told(0.90, 0.95))[0]
    passed, sentence = judged("generalizes", told(0.80, 0.85))
    assert not passed
    assert "a gap of 0.190" in sentence
    assert sentence.endswith("expected at most 0.05")
    assert judged("generalizes", told(0.80, 0.85), gap=Bound(max=0.2))[0]


def test_regret_is_judged_by_what_is_sure_and_only_where_the_truth_is_known():
    assert judged("near_optimal", with_scores()) == (
        True,
        "the truth is not known, so neither is the lowest possible log loss",
    )
    assert judged("near_optimal", with_scores(test__regret__log_loss=(0.15, 0.08, 0.2)))[0]
    assert not judged("near_optimal", with_scores(test__regret__log_loss=(0.15, 0.12, 0.2)))[0]


def test_a_declared_bound_is_judged_on_the_test_fold():
    told = with_scores(test__ensemble__roc_auc=(0.85, 0.8, 0.9))
    assert judged("roc_auc_within_bounds", told, roc_auc=Bound(min=0.8))[0]
    passed, sentence = judged("roc_auc_within_bounds", told, roc_auc=Bound(min=0.9))
    assert not passed
    assert sentence == "test roc auc 0.850 (95 % interval 0.800 to 0.900), declared to be at least 0.9"


def test_a_bound_blocks_only_if_it_is_declared_to():
    checks = evaluation_checks(Bounds(accuracy=Bound(min=0.9, blocking=True), macro_f1=Bound(min=0.1)))
    assert {check.name for check in checks if check.blocking} == {"accuracy_within_bounds"}


def with_differences(*names, better=()):
    """A leaderboard in which the named pairs have a better one."""
    board = pd.DataFrame({"architecture": names})
    rows = [("log_loss", a, b, better_one) for a, b, better_one in better]
    return Leaderboard(board, pd.DataFrame(rows, columns=["metric", "first", "second", "better"]), "log_loss")


def beats_baseline(board, *baselines):
    (check,) = leaderboard_checks(baselines or ("linear",))
    return check.judge(board)


def test_data_on_which_nothing_beats_the_linear_model_may_be_linear():
    passed, sentence = beats_baseline(with_differences("linear", "deep", better=[("linear", "deep", "")]))
    assert passed
    assert "no architecture is really better than linear: the boundary may well be as simple" in sentence


def test_on_curved_data_no_architecture_may_be_worse_than_the_linear_one():
    pairs = [("deep", "linear", "deep"), ("linear", "tiny", "linear"), ("deep", "tiny", "deep")]
    passed, sentence = beats_baseline(with_differences("deep", "linear", "tiny", better=pairs))
    assert not passed
    assert sentence == "log loss on the test fold: than linear, really better: deep; really worse: tiny"
    assert beats_baseline(with_differences("deep", "linear", better=pairs[:1]))[0]


def test_rows_that_are_too_few_to_tell_fail_no_architecture():
    pairs = [("deep", "linear", "deep"), ("linear", "tiny", "")]
    passed, sentence = beats_baseline(with_differences("deep", "linear", "tiny", better=pairs))
    assert passed
    assert "these rows do not tell: tiny" in sentence


def test_without_a_baseline_there_is_nothing_to_beat():
    assert beats_baseline(with_differences("deep"))[0]
    assert beats_baseline(with_differences("linear"))[0]
    assert "no baseline" in beats_baseline(with_differences("linear", "deep"), "simple")[1]


def with_accuracy(low, labels):
    """An evaluation with an accuracy whose interval begins at `low`, on rows with these labels."""
    rows = pd.DataFrame({"fold": Fold.TEST, "label": labels})
    metrics = pd.DataFrame(
        [("test", "ensemble", "", "accuracy", low + 0.05, low, low + 0.1, 0.01)],
        columns=["fold", "scope", "class", "metric", "value", "low", "high", "spread"],
    )
    return Evaluation(rows, metrics, {"classes": ["a", "b"]})


def test_an_accuracy_whose_interval_lies_above_the_largest_class_beats_the_majority():
    passed, sentence = beats_majority(with_accuracy(0.76, [0, 0, 0, 1]))
    assert passed
    assert sentence == (
        "test accuracy 0.810 (95 % interval 0.760 to 0.860); always naming the largest class would give 0.750"
    )


def test_an_accuracy_whose_interval_reaches_the_largest_class_does_not_beat_the_majority():
    assert not beats_majority(with_accuracy(0.75, [0, 0, 0, 1]))[0]


def test_a_real_ensemble_converges_and_beats_the_majority(fitted, evaluation):
    assert converged(fitted)[0]
    for check in evaluation_checks(Bounds()):
        passed, sentence = check.judge(evaluation)
        assert isinstance(passed, bool)
        assert sentence
    assert beats_majority(evaluation)[0]


def test_checks_import_nothing_heavy(imported_by):
    heavy = {"torch", "sklearn", "pandas", "scipy", "matplotlib", "dagster"}
    assert not imported_by("import classification_assets.learning.evaluation.checks") & heavy
