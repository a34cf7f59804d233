"""Which rows a model has learned from: exactly for most tables, with a stated error for very large ones."""

import numpy as np
import pytest

from classification_assets.learning.artifacts.storage import load, save
from classification_assets.learning.models import learned_rows
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.models.fit import fit
from classification_assets.learning.models.learned_rows import LearnedRows
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.fold_memory import RowIdentity
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split


@pytest.fixture(scope="module")
def split():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2)).astype(np.float32)
    return Split.of_arrays(X, X[:, 0] > 0, (np.arange(300) % 3).astype(np.int8), names=["a", "b"])


def test_the_rows_of_a_split_are_those_of_its_folds(split):
    learned, validated = LearnedRows.of(split).rows_of(split.keys, split.y, split.fold)
    np.testing.assert_array_equal(learned, split.fold == Fold.TRAIN)
    np.testing.assert_array_equal(validated[split.rows(Fold.VALIDATION)], np.arange(100))
    assert (validated[split.fold != Fold.VALIDATION] == -1).all()


def test_a_stored_model_says_it_too(split, tmp_path):
    fitted = fit(MLP(hidden=(3,)), split, Training(members=2, max_epochs=1))
    save(fitted, tmp_path / "model.safetensors")
    stored = load(tmp_path / "model.safetensors").learned
    assert stored.identity == split.identity
    for name in (
        "training",
        "training_labels",
        "validation",
        "validation_labels",
        "validation_content",
    ):
        found = getattr(stored, name)
        np.testing.assert_array_equal(found, getattr(fitted.learned, name))
        assert found.dtype == getattr(fitted.learned, name).dtype


def test_keys_of_a_very_large_table_take_half_and_forget_no_row(monkeypatch, split):
    monkeypatch.setattr(learned_rows, "EXACT", 50)
    short = LearnedRows.of(split)
    assert short.training.dtype == np.uint32
    learned, validated = short.rows_of(split.keys, split.y, split.fold)
    np.testing.assert_array_equal(learned, split.fold == Fold.TRAIN)
    assert (validated >= 0).sum() == 100


def test_short_keys_take_no_more_unseen_rows_for_learned_ones_than_is_said():
    rng = np.random.default_rng(0)
    n, unseen = 2**18, 2**18
    keys = rng.integers(0, 2**64, n + unseen, np.uint64)
    labels = np.zeros(n + unseen, np.int32)
    empty = np.empty(0, np.uint32)
    short = LearnedRows(
        RowIdentity(),
        (keys[:n] >> np.uint64(32)).astype(np.uint32),
        labels[:n],
        empty,
        empty.astype(np.int32),
        empty.astype(np.uint64),
    )
    fold = np.full(n + unseen, Fold.TEST, np.int8)
    learned, _ = short.rows_of(keys, labels, fold)
    # n / 2^32 of the unseen ones are expected, and no learned one may be missed.
    assert learned.sum() >= n
    assert learned.sum() - n <= 4 * unseen * n / 2**32


def test_two_rows_of_one_short_key_are_both_taken_for_the_learned_one():
    learned_one, other = np.uint64((5 << 32) | 1), np.uint64((5 << 32) | 2)
    nothing = np.empty(0, np.uint64)
    short = LearnedRows(
        RowIdentity(),
        np.array([5], np.uint32),
        np.zeros(1, np.int32),
        nothing.astype(np.uint32),
        nothing.astype(np.int32),
        nothing,
    )
    for keys in ([learned_one, other], [other, learned_one]):
        learned, _ = short.rows_of(np.array(keys), np.zeros(2, np.int64), np.array([2, 2], np.int8))
        assert learned.all()


def copies(folds, labels=None):
    """Rows of one content, in these folds."""
    keys = np.full(len(folds), 7, np.uint64)
    y = np.zeros(len(folds), np.int64) if labels is None else np.array(labels)
    return keys, y, np.array(folds, np.int8)


def knows(training, labels=None):
    """A model that has learned from so many rows of that content."""
    codes = np.zeros(training, np.int32) if labels is None else np.array(labels, np.int32)
    nothing = np.empty(0, np.uint64)
    return LearnedRows(
        RowIdentity(), np.full(training, 7, np.uint64), codes, nothing, nothing.astype(np.int32), nothing
    )


def test_copies_are_counted_where_folds_were_kept():
    learned, _ = knows(2).rows_of(*copies([0, 0, 2, 1]))
    np.testing.assert_array_equal(learned, [True, True, False, False])


def test_where_folds_were_dealt_anew_copies_in_the_test_fold_come_first():
    # Three were learned from, and only one of them can be in the training fold now.
    learned, _ = knows(3).rows_of(*copies([0, 2, 2, 2]))
    np.testing.assert_array_equal(learned, [False, True, True, True])


def test_copies_are_told_apart_by_their_labels_unless_these_were_corrected():
    learned, _ = knows(1, [1]).rows_of(*copies([2, 0], [0, 1]))
    np.testing.assert_array_equal(learned, [False, True])
    learned, _ = knows(1, [1]).rows_of(*copies([2], [0]))
    np.testing.assert_array_equal(learned, [True])
