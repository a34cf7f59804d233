"""A split holds the rows encoded once, and knows where they came from."""

import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.preparation.checks import classes_have_rows, classes_trained
from classification_assets.learning.preparation.folds import Fold, Folds
from classification_assets.learning.preparation.profile import Profile
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import Moons
from classification_assets.learning.tables.roles import COUNTED, Roles
from classification_assets.learning.tables.table import Table

WORDS = np.array(["pear", "apple", "pear", "fig", "apple", "fig"])


def words(**options):
    fold = np.array([0, 0, 0, 0, 1, 2], np.int8)
    return Split.of_arrays(np.eye(6, dtype=np.float32), WORDS, fold, names=list("abcdef"), **options)


def test_classes_are_the_sorted_labels_and_rows_hold_their_codes():
    split = words()
    assert split.classes == ["apple", "fig", "pear"]
    assert [split.classes[code] for code in split.y] == WORDS.tolist()


def test_the_rows_of_a_fold_are_its_indices_in_order():
    assert [words().rows(fold).tolist() for fold in Fold] == [[0, 1, 2, 3], [4], [5]]


def test_the_rows_of_each_class_are_counted_in_each_fold():
    table = words().class_counts().set_index("class")
    assert table.loc["pear"].tolist() == [2, 0, 0]
    assert table.loc["apple"].tolist() == [1, 1, 0]


def test_features_stay_in_their_own_units(table, split):
    np.testing.assert_array_equal(split.X, table.frame[["x1", "x2"]].to_numpy(np.float32))


def test_what_was_learned_of_each_feature_can_be_read(split):
    columns = split.columns()
    assert columns["feature"].tolist() == ["x1", "x2"]
    np.testing.assert_allclose(columns["mean"], split.X[split.fold == Fold.TRAIN].mean(0), rtol=1e-4)


def test_a_split_of_generated_data_knows_the_truth(split):
    expected = Moons(n_samples=300, noise=0.2).posterior(split.X)
    np.testing.assert_array_equal(split.posterior(split.X), expected)


def test_a_split_of_data_from_elsewhere_knows_no_truth():
    assert words().posterior(np.eye(6)) is None


def test_row_weights_are_kept_as_they_are():
    assert words(weight=np.arange(6.0)).weight.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_table_tells_what_a_run_set_otherwise():
    table = Table.of(Moons(n_samples=20), overridden={"n_samples": 20})
    assert table.source.overridden == {"n_samples": 20}
    assert table.source.dataset.n_samples == 20


def test_the_rows_of_each_class_of_a_table_are_counted(table):
    counts = table.class_counts()
    assert counts["rows"].tolist() == [150, 150]
    assert counts["share"].tolist() == pytest.approx([0.5, 0.5])


def test_the_same_table_and_folds_give_the_same_split(table, split):
    np.testing.assert_array_equal(Split.of(table, Folds()).fold, split.fold)


def weighted(weight, **declared):
    frame = pd.DataFrame(
        {"x": np.arange(100.0), "label": np.arange(100) % 2, "w": weight, "day": np.arange(100)}
    )
    return Table.of_frame(frame, Roles(weight="w", **declared))


@pytest.mark.parametrize(
    ("low", "high", "fold", "which"),
    [(0, 55, "train", "oldest"), (55, 75, "validation", "newer"), (75, 100, "test", "newest")],
)
def test_a_fold_in_which_no_row_counts_is_refused_before_training(low, high, fold, which):
    row = np.arange(100)
    table = weighted(np.where((row >= low) & (row < high), 0, 1), time="day")
    with pytest.raises(
        ValueError, match=f"column 'w': all {high - low} rows of the {fold} fold have a weight of 0"
    ) as told:
        Split.of(table, Folds())
    assert f"the split is by 'day', and the {which} rows are the {fold} fold" in str(told.value)


def test_a_fold_in_which_one_row_counts_is_none_to_refuse():
    split = Split.of(weighted(np.where(np.arange(100) % 30 == 29, 1, 0), time="day"), Folds())
    assert [len(split.counted_rows(fold)) for fold in Fold] == [1, 1, 1]
    assert split.class_counts()[[fold.label for fold in Fold]].to_numpy().sum() == 3


def test_a_class_whose_rows_all_weigh_0_is_told():
    split = Split.of(weighted(np.arange(100) % 2), Folds())
    passed, sentence = classes_trained(split)
    assert not passed
    assert "class 0 has no training row" in sentence
    assert "all its rows have a weight of 0" in sentence


def test_the_rows_of_a_class_that_count_are_told_beside_all_of_them():
    table = weighted(np.where(np.arange(100) % 4 == 0, 0, 2.0))
    told = table.class_counts().set_index("class")
    assert told["rows"].tolist() == [50, 50]
    assert told[COUNTED].tolist() == [25, 50]
    assert told["share by weight"].tolist() == pytest.approx([1 / 3, 2 / 3])
    few = weighted(np.where((np.arange(100) % 2 == 0) & (np.arange(100) > 8), 0, 1))
    passed, sentence = classes_have_rows(Profile.of(few))
    assert not passed
    assert "class, 0, has 5 of 100 rows with a weight above 0, and 45 without" in sentence
