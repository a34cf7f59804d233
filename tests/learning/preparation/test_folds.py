"""Each row is in one fold, classes are spread evenly, sizes are exact."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from classification_assets.learning.preparation.folds import Fold, Folds, by_time, grouped, stratified

labels = st.lists(st.integers(1, 60), min_size=2, max_size=5).map(
    lambda counts: np.random.default_rng(sum(counts)).permutation(np.repeat(np.arange(len(counts)), counts))
)
folds = st.builds(
    lambda validation, test, seed: Folds(validation=validation, test=test, seed=seed),
    st.floats(0.05, 0.45),
    st.floats(0.05, 0.45),
    st.integers(0, 2**32 - 1),
)


def chosen(folds, y):
    """The folds of rows; no example where there are too few rows for them."""
    try:
        return folds.choose(y)
    except ValueError:
        assume(False)


@given(folds, labels)
@settings(max_examples=150, deadline=None)
def test_rows_that_are_too_few_are_told_of_the_fold_that_lacks_them(folds, y):
    message = "the test fold"
    try:
        folds.choose(y)
    except ValueError as error:
        message = str(error)
    assert message.startswith(tuple(f"the {which.label} fold" for which in Fold))


@given(folds, labels)
@settings(max_examples=150, deadline=None)
def test_the_folds_have_exactly_their_sizes(folds, y):
    fold = chosen(folds, y)
    for which, size in folds.sizes(len(y), len(np.unique(y))).items():
        assert (fold == which).sum() == size


@given(folds, labels)
@settings(max_examples=150, deadline=None)
def test_each_row_is_in_one_fold(folds, y):
    fold = chosen(folds, y)
    assert fold.shape == y.shape
    assert set(fold) <= set(Fold)


@given(folds, st.lists(st.integers(20, 60), min_size=2, max_size=4))
@settings(max_examples=100, deadline=None)
def test_each_fold_has_each_classs_share_to_within_two_rows(folds, counts):
    y = np.repeat(np.arange(len(counts)), counts)
    fold = chosen(folds, y)
    for which in Fold:
        expected = np.array(counts) * (fold == which).sum() / len(y)
        assert np.abs(np.bincount(y[fold == which], minlength=len(counts)) - expected).max() < 2


@given(folds, labels)
@settings(max_examples=100, deadline=None)
def test_a_class_of_fewer_than_three_rows_trains(folds, y):
    fold = chosen(folds, y)
    rare = np.bincount(y)[y] < 3
    assert (fold[rare] == Fold.TRAIN).all()


@given(labels, st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_the_same_seed_gives_the_same_folds(y, seed):
    np.testing.assert_array_equal(chosen(Folds(seed=seed), y), chosen(Folds(seed=seed), y))


def test_another_seed_gives_other_folds():
    y = np.arange(200) % 2
    assert (Folds(seed=0).choose(y) != Folds(seed=1).choose(y)).any()


def test_labels_may_be_words():
    fold = Folds().choose(np.array(["yes", "no"] * 50))
    assert [(fold == which).sum() for which in Fold] == [55, 20, 25]


def test_a_fold_that_is_not_asked_for_stays_empty():
    fold = stratified(np.arange(100) % 2, {Fold.VALIDATION: 30}, seed=0)
    assert [(fold == which).sum() for which in Fold] == [70, 30, 0]


def test_a_rare_class_that_a_fold_leaves_one_row_of_gives_it_to_training():
    y = np.repeat([0, 1], [3, 167])
    fold = stratified(y, {Fold.TEST: 128, Fold.VALIDATION: 5}, seed=8)
    assert (fold == Fold.TEST).sum() == 128
    assert (y[fold == Fold.TRAIN] == 0).sum() == 1


def test_classes_that_are_too_small_for_the_folds_are_told_with_the_numbers():
    y = np.repeat([0, 1], [21, 2])
    with pytest.raises(ValueError, match="validation fold cannot have 13 of 23 rows: 13 are left") as raised:
        stratified(y, {Fold.TEST: 8, Fold.VALIDATION: 13}, seed=0)
    assert "more rows a class or a smaller share" in str(raised.value)


def test_a_fold_with_fewer_rows_than_classes_is_told_with_its_shares():
    with pytest.raises(
        ValueError, match="the validation fold would have 2 of 20 rows, fewer than the 3 cl"
    ) as raised:
        Folds(validation=0.1, test=0.3).sizes(20, 3)
    assert "split.validation = 0.1 and split.test = 0.3 need more rows or other fractions" in str(
        raised.value
    )


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (0.3, 0.9)])
def test_shares_that_leave_nothing_to_train_on_are_refused_with_their_sum(validation, test):
    with pytest.raises(
        ValidationError, match=rf"below 1\), got {validation} \+ {test} = {validation + test:g}"
    ):
        Folds(validation=validation, test=test)


@pytest.mark.parametrize("field", ["validation", "test"])
@pytest.mark.parametrize("value", [0, 1, -0.2, float("nan")])
def test_a_share_that_is_none_is_refused_by_name(field, value):
    with pytest.raises(ValidationError) as raised:
        Folds(**{field: value})
    assert raised.value.errors()[0]["loc"] == (field,)


def test_a_folds_name_is_its_own_in_lower_case():
    assert [fold.label for fold in Fold] == ["train", "validation", "test"]


def test_declaring_folds_imports_nothing_heavy(imported_by):
    heavy = {"torch", "sklearn", "pandas", "scipy", "matplotlib", "dagster"}
    assert not imported_by("import classification_assets.learning.preparation.folds") & heavy


# Groups, time, and a test file


group_numbers = st.lists(st.integers(0, 14), min_size=40, max_size=120)


@given(group_numbers, st.integers(0, 2**16))
@settings(max_examples=100, deadline=None)
def test_rows_of_a_group_stay_together(groups, seed):
    group, y = np.array(groups), np.arange(len(groups)) % 2
    assume(len(np.unique(group)) >= 3)
    fold = Folds(validation=0.2, test=0.25, seed=seed).choose(y, group=group)
    assert all(len(np.unique(fold[group == each])) == 1 for each in group)
    assert set(fold) == set(Fold)


def test_with_many_groups_sizes_and_shares_of_classes_come_near():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 200, 3000)
    y = (rng.random(3000) < 0.1 + 0.3 * (group % 2)).astype(int)
    fold = Folds(validation=0.2, test=0.25).choose(y, group=group)
    for which, share in zip(Fold, (0.55, 0.2, 0.25), strict=True):
        assert (fold == which).mean() == pytest.approx(share, abs=0.01)
        assert y[fold == which].mean() == pytest.approx(y.mean(), abs=0.01)


def test_another_seed_puts_other_groups_into_the_folds():
    group = np.repeat(np.arange(60), 5)
    first, second = (Folds(seed=seed).choose(np.arange(300) % 3, group=group) for seed in (0, 1))
    assert (first != second).any()


def test_fewer_groups_than_folds_are_refused():
    with pytest.raises(ValueError, match=r"each of the 3 folds needs a group, got 2$"):
        Folds().choose(np.arange(100) % 2, group=np.arange(100) % 2)


@given(st.lists(st.integers(0, 30), min_size=40, max_size=120))
@settings(max_examples=100, deadline=None)
def test_by_time_the_newest_rows_test_and_the_oldest_train(times):
    time = np.array(times)
    assume(len(np.unique(time)) >= 3)
    fold = Folds().choose(np.arange(len(time)) % 2, time=time)
    assert set(fold) == set(Fold)
    assert time[fold == Fold.TRAIN].max() < time[fold == Fold.VALIDATION].min()
    assert time[fold == Fold.VALIDATION].max() < time[fold == Fold.TEST].min()


def test_by_time_the_sizes_are_exact_where_no_timestamps_are_equal():
    fold = by_time(np.random.default_rng(0).permutation(200), {Fold.VALIDATION: 40, Fold.TEST: 50})
    assert np.bincount(fold).tolist() == [110, 40, 50]


def test_too_few_timestamps_are_refused():
    with pytest.raises(ValueError, match="needs a timestamp a fold, 3 in all, got 2 different ones"):
        Folds().choose(np.arange(100) % 2, time=np.arange(100) // 50)


@pytest.mark.parametrize("kind", ["plain", "group", "time"])
def test_a_test_file_is_the_test_fold_and_nothing_else_is(kind):
    roles = {} if kind == "plain" else {kind: np.arange(130)}
    fold = Folds(validation=0.2).choose(np.arange(130) % 2, n_test=30, **roles)
    assert (fold[100:] == Fold.TEST).all()
    assert np.bincount(fold[:100]).tolist() == [80, 20]


def test_a_group_in_both_files_is_refused():
    with pytest.raises(ValueError, match="1 groups have rows in the test file too"):
        Folds().choose(np.arange(130) % 2, n_test=30, group=np.arange(130) % 129)


def test_no_group_is_lost_when_one_is_huge():
    group = np.array([0] * 500 + list(range(1, 10)))
    fold = grouped(np.arange(509) % 2, group, {Fold.VALIDATION: 100, Fold.TEST: 100}, 0)
    assert set(fold) == set(Fold)
