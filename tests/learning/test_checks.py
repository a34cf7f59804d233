"""Each check gives a verdict and says what was found."""

import dataclasses

import numpy as np
import pandas as pd

from classification_assets.learning.checks import beats_majority, converged
from classification_assets.learning.evaluation import Evaluation
from classification_assets.learning.folds import Fold


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
    assert beats_majority(evaluation)[0]


def test_checks_import_nothing_heavy(imported_by):
    heavy = {"torch", "sklearn", "pandas", "scipy", "matplotlib", "dagster"}
    assert not imported_by("import classification_assets.learning.checks") & heavy
