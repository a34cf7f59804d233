"""Tests of significance agree with statsmodels, scipy and published examples."""

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare, permutation_test
from sklearn.metrics import f1_score
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from classification_assets.learning.evaluation.metrics import row_statistics
from classification_assets.learning.evaluation.significance import (
    friedman,
    holm,
    joined,
    mcnemar,
    nemenyi_difference,
    randomization,
)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
@settings(deadline=None)
def test_mcnemars_p_value_is_statsmodels_exact_one(rows):
    first, second = np.array(rows).T
    table = [[(a & b).sum() for b in (second, ~second)] for a in (first, ~first)]
    assert mcnemar(first, second) == pytest.approx(reference_mcnemar(table, exact=True).pvalue)


def p_values(y, *probabilities, metrics=("log_loss",), rounds=999, **options):
    """P-values of each metric and pair of classifiers called 0, 1, ..."""
    classes = [str(c) for c in range(probabilities[0].shape[1])]
    statistics = {str(name): row_statistics(y, p) for name, p in enumerate(probabilities)}
    return randomization(statistics, classes, metrics, rounds, **options)


def two_classes(p):
    return np.column_stack([1 - p, p])


def test_randomization_agrees_with_scipys_paired_permutations():
    rng = np.random.default_rng(0)
    y, first = rng.integers(0, 3, 60), rng.dirichlet(np.ones(3), 60)
    second = 0.7 * first + 0.3 * rng.dirichlet(np.ones(3), 60)
    found = p_values(y, first, second, metrics=("log_loss", "macro_f1", "brier_score"), rounds=4_000)
    rows = np.arange(60)
    losses = {
        "log_loss": [-np.log(p[rows, y]) for p in (first, second)],
        "brier_score": [((p - np.eye(3)[y]) ** 2).sum(1) for p in (first, second)],
    }
    for metric, own in losses.items():
        expected = permutation_test(
            own,
            lambda one, other, axis: (one - other).mean(axis),
            permutation_type="samples",
            n_resamples=4_000,
            rng=1,
        ).pvalue
        assert found[metric, "0", "1"] == pytest.approx(expected, abs=0.03)

    def macro_f1(swap):
        pair = np.where(swap, second, first), np.where(swap, first, second)
        one, other = (f1_score(y, p.argmax(1), average="macro") for p in pair)
        return abs(one - other)

    swaps = np.random.default_rng(2).random((300, 60, 1)) < 0.5
    as_large = [macro_f1(swap) >= macro_f1(False) - 1e-6 for swap in swaps]
    assert found["macro_f1", "0", "1"] == pytest.approx(np.mean(as_large), abs=0.07)


def test_a_classifier_does_not_differ_from_itself():
    p = np.random.default_rng(0).dirichlet(np.ones(4), 50)
    assert p_values(np.arange(50) % 4, p, p) == {("log_loss", "0", "1"): 1.0}


def test_who_is_better_on_every_row_is_as_significant_as_the_rounds_allow():
    y = np.arange(80) % 2
    good, bad = (two_classes(np.where(y, p, 1 - p)) for p in (0.9, 0.6))
    assert p_values(y, good, bad)["log_loss", "0", "1"] == pytest.approx(1 / 1000)


def test_no_difference_is_called_real_more_often_than_agreed():
    """Two classifiers equally good by construction, 400 small folds: at 5 % about 20 are called different."""
    rng, called = np.random.default_rng(3), 0
    for _ in range(400):
        y = rng.integers(0, 2, 45)
        equal = np.clip(0.5 + 0.25 * (2 * y - 1) + rng.normal(0, 0.2, (2, 45)), 0.02, 0.98)
        called += p_values(y, *map(two_classes, equal), rounds=399)["log_loss", "0", "1"] <= 0.05
    assert 8 <= called <= 33


def test_rows_of_a_group_change_places_together():
    """Ten copies of a row tell no more than the row, if one says that they are copies."""
    rng = np.random.default_rng(0)
    y, first = rng.integers(0, 2, 25), two_classes(rng.uniform(0.2, 0.8, 25))
    second = 0.8 * first + 0.1
    alone = p_values(y, first, second)["log_loss", "0", "1"]
    copied = [np.repeat(own, 10, axis=0) for own in (y, first, second)]
    together = p_values(*copied, group=np.repeat(np.arange(25), 10))["log_loss", "0", "1"]
    assert together == pytest.approx(alone, abs=0.01)
    assert p_values(*copied)["log_loss", "0", "1"] < alone / 2


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(deadline=None)
def test_holms_correction_is_statsmodels(p_values):
    # It collects garbage each time, a fifth of a second of all that the tests hold.
    gc.freeze()
    expected = multipletests(p_values, method="holm")[1]
    gc.unfreeze()
    np.testing.assert_allclose(holm(np.array(p_values)), expected)


def test_no_comparison_needs_no_correction():
    assert holm(np.array([])).shape == (0,)


@pytest.mark.parametrize(
    ("classifiers", "datasets", "published"),
    # Demšar 2006: section 3.2.2 (four classifiers on 14 data sets), and q of table 5 times its factor.
    [(4, 14, 1.25), (2, 10, 1.960 * np.sqrt(2 * 3 / 60)), (10, 20, 3.164 * np.sqrt(10 * 11 / 120))],
)
def test_the_critical_difference_is_the_published_one(classifiers, datasets, published):
    assert nemenyi_difference(classifiers, datasets) == pytest.approx(published, rel=4e-3)


def test_friedmans_test_is_scipys():
    ranks = np.array([[1, 2, 3], [1, 3, 2], [1, 2, 3], [2, 1, 3], [1, 2, 3]])
    assert friedman(ranks) == pytest.approx(friedmanchisquare(*ranks.T).pvalue)
    assert friedman(np.full((4, 3), 2.0)) == 1.0


def test_two_classifiers_are_compared_by_their_signs():
    assert friedman(np.array([[1, 2]] * 6)) == pytest.approx(2 / 2**6)


def test_classifiers_closer_than_the_difference_are_joined_and_no_group_lies_in_another():
    assert joined(np.array([3.5, 1.0, 2.0, 4.0]), 1.6) == [[1, 2], [2, 0], [0, 3]]
    assert joined(np.array([1.0, 2.0, 3.0]), 5.0) == [[0, 1, 2]]
    assert joined(np.array([1.0, 2.0, 3.0]), 0.5) == []


@given(st.lists(st.floats(1, 9), min_size=2, max_size=9), st.floats(0.1, 5))
@settings(deadline=None)
def test_each_pair_closer_than_the_difference_is_in_a_group_and_no_other_pair(ranks, difference):
    groups = joined(np.array(ranks), difference)
    for a in range(len(ranks)):
        for b in range(a):
            together = any(a in group and b in group for group in groups)
            assert together == (abs(ranks[a] - ranks[b]) < difference)
