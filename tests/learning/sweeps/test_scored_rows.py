"""Rows of a sweep: each fold's networks know nothing of the rows that judge them, and folds that cannot be are told."""

from dataclasses import replace

import numpy as np
import pytest

from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.sweeps.scored_rows import SweptRows


def table_rows(split, rows):
    """Places in the table of rows of any fold."""
    return rows % len(split.y)


def test_each_row_of_training_and_validation_judges_once(split):
    rows = SweptRows.of(split, 3, 0)
    judging = np.sort(table_rows(split, np.concatenate(rows.scored)))
    np.testing.assert_array_equal(judging, np.flatnonzero(split.fold != Fold.TEST))
    for learned, scored in zip(rows.learned, rows.scored, strict=True):
        both = table_rows(split, np.concatenate([learned, scored]))
        np.testing.assert_array_equal(np.sort(both), np.flatnonzero(split.fold != Fold.TEST))
        np.testing.assert_array_equal(rows.y[learned], split.y[table_rows(split, learned)])


def test_what_judges_has_no_part_in_the_features_that_are_learned_from(split):
    before = SweptRows.of(split, 3, 0)
    changed = split.X.copy()
    changed[table_rows(split, before.scored[1])] *= 100
    after = SweptRows.of(replace(split, X=changed), 3, 0)
    np.testing.assert_array_equal(after.X[after.learned[1]], before.X[before.learned[1]])
    assert not np.array_equal(after.X[after.learned[0]], before.X[before.learned[0]])
    for rows in after.learned:
        np.testing.assert_allclose(after.X[rows].mean(0), 0, atol=1e-5)


def test_one_fold_is_seen_as_the_split_sees_it(split):
    rows = SweptRows.of(split, 1, 0)
    np.testing.assert_array_equal(rows.X, split.preprocessing.features(split.X))


@pytest.mark.parametrize(
    ("field", "things"), [(None, "8 rows"), ("group", "4 groups"), ("timestamp", "4 times")]
)
def test_more_folds_than_there_can_be_are_refused(split, field, things):
    few = replace(
        split,
        X=split.X[:10],
        y=np.arange(10) % 2,
        fold=np.array([0, 0, 0, 0, 0, 0, 1, 1, 2, 2], np.int8),
        **({field: np.arange(10) // 2} if field else {}),
    )
    with pytest.raises(ValueError, match=rf"sweep\.folds: .*validation have {things}.*, got 9"):
        SweptRows.of(few, 9, 0)


def test_a_fold_of_which_nothing_counts_is_refused(split):
    weight = np.zeros(len(split.y), np.float32)
    judge = SweptRows.of(split, 3, 0).scored[0]
    weight[table_rows(split, judge)] = 1
    with pytest.raises(ValueError, match=r"have a weight of 0|no rows that count"):
        SweptRows.of(replace(split, weight=weight), 3, 0)
