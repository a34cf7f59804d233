"""Inner folds: every row is left out once a repeat, classes are dealt out evenly, and members know no more."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification_assets.learning.models.tabular.inner_folds import SCORED, InnerFolds

labels = st.lists(st.integers(0, 4), min_size=2, max_size=60).map(np.array)


def dealt(y, folds=5, repeats=2, seed=0):
    return InnerFolds.of(np.arange(len(y)) * 2, np.repeat(y, 2), folds, repeats, seed)


@given(labels, st.integers(2, 7), st.integers(1, 3))
def test_each_row_is_left_out_once_a_repeat(y, folds, repeats):
    inner = dealt(y, folds, repeats)
    left_out = sum(inner.unseen(member).astype(int) for member in range(inner.members))
    assert (left_out == repeats).all()


@given(labels, st.integers(2, 7))
def test_the_rows_of_a_class_differ_by_one_at_most_between_folds(y, folds):
    inner = dealt(y, folds, 1)
    for label in np.unique(y):
        counts = np.bincount(inner.fold[0][y == label], minlength=inner.count)
        assert counts.max() - counts.min() <= 1


@given(labels, st.integers(2, 7))
def test_a_member_sees_what_it_does_not_leave_out(y, folds):
    inner = dealt(y, folds)
    kinds_of_members = list(range(2 * inner.members))
    for seen, unseen in zip(inner.seen_by(kinds_of_members), inner.unseen_by(kinds_of_members), strict=True):
        assert len(unseen) > 0
        assert sorted([*seen, *unseen]) == inner.rows.tolist()


def test_there_are_never_more_folds_than_rows():
    assert dealt(np.array([0, 1, 0]), folds=6).count == 3


def test_repeats_and_seeds_deal_otherwise():
    y = np.arange(200) % 3
    inner = dealt(y)
    assert (inner.fold[0] != inner.fold[1]).any()
    assert (inner.fold[0] != dealt(y, seed=1).fold[0]).any()
    assert (inner.fold == dealt(y).fold).all()


@pytest.mark.parametrize("most", [1, 10, 99, 100, 1000])
def test_some_rows_come_from_all_folds_alike(most):
    inner = dealt(np.arange(100) % 2)
    some = inner.some(most)
    assert len(some) == min(most, 100)
    assert (np.diff(some) > 0).all()
    counts = np.bincount(inner.fold[0][some], minlength=inner.count)
    assert counts.max() - counts.min() <= 1


def test_of_many_unseen_rows_some_are_followed():
    inner = dealt(np.arange(30_000) % 3, folds=2, repeats=1)
    for member, rows in enumerate(inner.unseen_by([0, 1])):
        assert SCORED / 2 < len(rows) <= SCORED
        assert set(rows.tolist()) <= set(inner.rows[inner.unseen(member)].tolist())


@given(labels, st.integers(2, 7), st.data())
def test_rows_of_a_group_are_left_out_together(y, folds, data):
    group = np.array(data.draw(st.lists(st.integers(0, 9), min_size=len(y), max_size=len(y))))
    inner = InnerFolds.of(np.arange(len(y)), y, folds, 2, 0, group=group)
    assert inner.count == min(folds, len(np.unique(group)))
    for fold in inner.fold:
        assert set(fold) == set(range(inner.count))
        for own in np.unique(group):
            assert len(np.unique(fold[group == own])) == 1


def test_groups_of_one_size_make_folds_of_one_size():
    group, y = np.repeat(np.arange(30), 4), np.tile([0, 0, 1, 1], 30)
    inner = InnerFolds.of(np.arange(120), y, 5, 1, 0, group=group)
    assert np.bincount(inner.fold[0]).tolist() == [24] * 5


def test_each_repeat_deals_groups_out_anew():
    group, y = np.repeat(np.arange(30), 4), np.tile([0, 0, 1, 1], 30)
    first, second = InnerFolds.of(np.arange(120), y, 5, 2, 0, group=group).fold
    assert (first != second).any()


numbers = st.integers(2, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 2), min_size=n, max_size=n),
        st.lists(st.integers(0, 9), min_size=n, max_size=n),
    )
)


@given(numbers, st.integers(2, 7))
def test_copies_are_left_out_together_and_those_of_a_class_are_dealt_out_in_turns(case, folds):
    y, copy = np.array(case[0]), np.array(case[1])
    copy = 10 * y + copy
    inner = InnerFolds.of(np.arange(len(y)), y, folds, 2, 0, copy=copy)
    _, first = np.unique(copy, return_index=True)
    assert inner.count == min(folds, len(first))
    for fold in inner.fold:
        assert all(len(np.unique(fold[copy == own])) == 1 for own in copy)
        for label in np.unique(y):
            counts = np.bincount(fold[first][y[first] == label], minlength=inner.count)
            assert counts.max() - counts.min() <= 1


@given(numbers, st.integers(2, 7))
def test_folds_are_stretches_of_time_and_no_timestamp_is_in_two(case, folds):
    y, timestamp = np.array(case[0]), np.array(case[1])
    inner = InnerFolds.of(np.arange(len(y)), y, folds, 2, 0, timestamp=timestamp)
    assert inner.count == min(folds, len(np.unique(timestamp)))
    for fold in inner.fold:
        assert set(fold) == set(range(inner.count))
        assert (np.diff(fold[np.argsort(timestamp, kind="stable")]) >= 0).all()
        assert all(len(np.unique(fold[timestamp == own])) == 1 for own in timestamp)


def test_stretches_of_time_have_as_many_rows_where_each_has_a_timestamp_of_its_own():
    timestamp = np.random.default_rng(0).permutation(100)
    inner = InnerFolds.of(np.arange(100), np.zeros(100, np.int64), 5, 1, 0, timestamp=timestamp)
    assert np.bincount(inner.fold[0]).tolist() == [20] * 5


def test_a_class_in_one_fold_alone_has_no_others():
    y, timestamp = np.array([0, 1, 0, 1, 0, 1, 2, 2]), np.arange(8)
    inner = InnerFolds.of(np.arange(8), y, 4, 1, 0, timestamp=timestamp)
    assert inner.with_others(y).tolist() == [True] * 6 + [False] * 2
