"""Out-of-fold probabilities: no row's label reaches its own, by a copy, a neighbour in time or a group."""

import dataclasses

import numpy as np

from classification_assets.learning.preparation.folds import Fold
from tests.learning.models.tabular.small_tables import drawn, fit, split_of


def test_validation_rows_are_learned_from(fitted, split):
    validation = split.fold == Fold.VALIDATION
    without = fit(dataclasses.replace(split, y=np.where(validation, (split.y + 1) % 3, split.y)))
    assert not np.allclose(without.predict_proba(split.X), fitted.predict_proba(split.X), atol=0.05)


def test_a_rows_label_does_not_reach_its_own_out_of_fold_probabilities():
    """Labels of the validation fold at random: who had seen them would beat chance on them."""
    split = drawn(n_rows=400)
    rng = np.random.default_rng(1)
    validation = split.fold == Fold.VALIDATION
    y = np.where(validation, rng.integers(0, 3, len(split.y)), split.y)
    X = rng.normal(size=(len(y), 40)).astype(np.float32)
    noise = split_of(X, y, split.fold)
    fitted = fit(noise)
    seen = fitted.predict_proba(noise.X[validation]).argmax(1) == y[validation]
    honest = fitted.validation_probabilities.argmax(1) == y[validation]
    assert seen.mean() > 0.45
    assert honest.mean() < 0.45


def noise(n_rows=300):
    """Labels that nothing tells, and no row for test."""
    rng = np.random.default_rng(0)
    fold = np.array([Fold.TRAIN, Fold.VALIDATION], np.int8)
    return split_of(
        rng.normal(size=(n_rows, 40)), rng.integers(0, 2, n_rows), rng.permutation(np.resize(fold, n_rows))
    )


def honest_accuracy(split):
    validation = split.rows(Fold.VALIDATION)
    return (fit(split).validation_probabilities.argmax(1) == split.y[validation]).mean()


def test_a_copy_of_a_row_does_not_tell_its_out_of_fold_probabilities():
    split = noise()
    again = {name: np.concatenate([getattr(split, name)] * 2) for name in ("X", "y", "keys")}
    fold = np.concatenate([split.fold, 1 - split.fold])
    assert honest_accuracy(dataclasses.replace(split, **again, fold=fold)) < 0.6


def test_a_neighbour_in_time_does_not_tell_out_of_fold_probabilities():
    """Labels come in runs, and a feature says when: who saw the neighbours would know nearly all."""
    split, run = noise(), 10
    when = np.arange(len(split.y))
    y = np.random.default_rng(0).integers(0, 2, len(when) // run)[when // run]
    place = np.eye(len(when) // run)[when // run]
    known = split_of(np.column_stack([split.X[:, :2], 3 * place]), y, split.fold)
    assert honest_accuracy(known) > 0.8
    assert honest_accuracy(dataclasses.replace(known, timestamp=when)) < 0.7


def test_rows_of_a_group_do_not_tell_of_each_other_out_of_fold():
    """Six rows near each of forty points whose labels are chance: only who has seen a neighbour can know."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 6)
    X, y = rng.normal(size=(40, 4))[group], rng.permutation(np.arange(40) % 2)[group]
    X = X + 1e-3 * rng.normal(size=X.shape)
    fold = np.where(group % 4 == 0, Fold.VALIDATION, Fold.TRAIN).astype(np.int8)
    plain = split_of(X, y, fold)

    def known(split):
        p = fit(split).validation_probabilities
        return p[np.arange(len(p)), split.y[split.fold == Fold.VALIDATION]].mean()

    assert known(plain) > 0.8
    assert known(dataclasses.replace(plain, group=group)) < 0.6
