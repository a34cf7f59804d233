"""Each check gives a verdict and says what was found."""

import dataclasses

import numpy as np
import pandas as pd

from classification_assets.learning.evaluation.bounds import Bound, Bounds
from classification_assets.learning.evaluation.checks import (
    beats_linear,
    beats_majority,
    calibrated,
    evaluation_checks,
)
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.leaderboard import Leaderboard
from classification_assets.learning.models.checks import converged
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.checks import classes_trained, separate_folds, split_checks
from classification_assets.learning.preparation.folds import Fold


def with_losses(fitted, losses, best_step=(5, 5)):
    history = {"step": np.arange(1, len(losses) + 1), "validation_loss": np.array(losses)}
    return dataclasses.replace(fitted, history=history, best_step=np.array(best_step))


def test_a_training_whose_losses_all_fell_has_converged(fitted):
    passed, sentence = converged(with_losses(fitted, [[0.9, 0.8], [0.4, 0.2], [0.5, np.nan]]))
    assert passed
    assert sentence == "the validation log loss of all 2 members fell, to 0.300 in the median"


def test_a_member_that_never_got_better_has_not_converged(fitted):
    passed, sentence = converged(with_losses(fitted, [[0.9, 0.2], [0.4, 0.3]]))
    assert not passed
    assert sentence == "the validation log loss of 1 of 2 members never fell below its first epoch's"


def test_a_member_whose_loss_was_not_finite_has_not_converged(fitted):
    passed, sentence = converged(with_losses(fitted, [[0.9, np.nan], [0.4, np.nan]], best_step=(5, -1)))
    assert not passed
    assert sentence == "the loss of 1 of 2 members stopped being finite; they were left out"


def test_one_epoch_alone_cannot_fall_and_is_no_failure(fitted):
    assert converged(with_losses(fitted, [[0.9, 0.8]]))[0]


def long_training(fitted, losses, **training):
    """Forty epochs of two members whose validation losses are given functions of the epoch."""
    told = with_losses(fitted, [[loss(epoch) for loss in losses] for epoch in range(40)])
    provenance = fitted.provenance.model_copy(update={"training": Training(**training)})
    return dataclasses.replace(told, provenance=provenance)


def still_falling(epoch):
    return 2 - epoch / 40


def settled(epoch):
    return max(0.5, 2 - epoch / 10)


def test_members_that_were_still_improving_at_the_end_have_not_converged(fitted):
    passed, sentence = converged(long_training(fitted, [still_falling, still_falling]))
    assert not passed
    assert sentence == (
        "2 of 2 members were still improving when training ended after 40 epochs; more epochs (max_epochs) may help"
    )


def test_members_that_settled_have_converged(fitted):
    assert converged(long_training(fitted, [settled, settled]))[0]
    assert converged(long_training(fitted, [settled, still_falling]))[0]


def test_without_early_stopping_the_number_of_epochs_is_the_persons_choice(fitted):
    assert converged(long_training(fitted, [still_falling, still_falling], early_stopping=False))[0]


def test_a_split_of_different_rows_has_separate_folds(split):
    assert separate_folds(split) == (True, "none of 75 test rows is in another fold")


def test_a_test_row_that_was_trained_on_is_counted(split):
    X = split.X.copy()
    train, test = split.rows(Fold.TRAIN), split.rows(Fold.TEST)
    X[test[:2]] = X[train[5]]
    passed, sentence = separate_folds(dataclasses.replace(split, X=X))
    assert not passed
    # Of generated rows nothing can be declared.
    assert sentence == (
        "2 of 75 test rows have the same features as a row of another fold: scores on them flatter"
    )


def test_a_row_that_differs_in_one_feature_or_in_their_order_is_another_row(split):
    X = split.X.copy()
    train, test = split.rows(Fold.TRAIN), split.rows(Fold.TEST)
    X[test[0]] = X[train[0]][::-1]
    X[test[1], 0] = X[train[1], 0]
    assert separate_folds(dataclasses.replace(split, X=X))[0]


def test_a_class_that_only_another_fold_has_is_told_and_stops_nothing(split):
    assert classes_trained(split) == (True, "all 2 classes have training rows; the fewest, 82, has class 0")
    classes, y = [*split.classes, "q"], split.y.copy()
    y[split.rows(Fold.TEST)[:12]] = y[split.rows(Fold.VALIDATION)[:1]] = 2
    passed, sentence = classes_trained(dataclasses.replace(split, y=y, classes=classes))
    assert not passed
    assert sentence == (
        "class q has no training row: no network can learn it (1 validation row, 12 test rows)"
    )
    assert not any(check.blocking for check in split_checks())


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


def test_data_on_which_nothing_beats_the_linear_model_may_be_linear():
    passed, sentence = beats_linear(with_differences("linear", "deep", better=[("linear", "deep", "")]))
    assert passed
    assert "the boundary may well be linear" in sentence


def test_on_curved_data_every_architecture_must_beat_the_linear_one():
    pairs = [("deep", "linear", "deep"), ("linear", "tiny", ""), ("deep", "tiny", "deep")]
    passed, sentence = beats_linear(with_differences("deep", "linear", "tiny", better=pairs))
    assert not passed
    assert sentence == "really better than the linear one (log loss on the test fold): deep; not better: tiny"
    assert beats_linear(with_differences("deep", "linear", better=pairs[:1]))[0]


def test_without_a_linear_model_there_is_nothing_to_beat():
    assert beats_linear(with_differences("deep"))[0]
    assert beats_linear(with_differences("linear"))[0]


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
