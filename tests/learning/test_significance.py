"""Tests of significance agree with statsmodels, scipy and published examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from classification_assets.learning.significance import friedman, holm, joined, mcnemar, nemenyi_difference


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
@settings(deadline=None)
def test_mcnemars_p_value_is_statsmodels_exact_one(rows):
    first, second = np.array(rows).T
    table = [[(a & b).sum() for b in (second, ~second)] for a in (first, ~first)]
    assert mcnemar(first, second) == pytest.approx(reference_mcnemar(table, exact=True).pvalue)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(deadline=None)
def test_holms_correction_is_statsmodels(p_values):
    expected = multipletests(p_values, method="holm")[1]
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
