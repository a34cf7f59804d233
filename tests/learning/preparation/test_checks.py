"""A split's checks tell rows that are in two folds, and classes that none is trained on."""

import dataclasses

from classification_assets.learning.preparation.checks import classes_trained, separate_folds, split_checks
from classification_assets.learning.preparation.folds import Fold


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
