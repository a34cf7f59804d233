"""Features: finite numbers, in order and of about one size, whatever the values are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.preparation.columns import ENOUGH, LISTED
from classification_assets.learning.preparation.features import BOUND
from tests.learning.preparation.every_kind import FRAME, by_name, learned


def test_features_are_finite_and_as_many_as_the_width_says():
    preprocessing, X = learned(FRAME)
    features = preprocessing.features(X)
    assert features.shape == (6, preprocessing.width) == (6, len(preprocessing.arithmetic.names))
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def test_a_gap_becomes_the_median_and_is_told():
    preprocessing, X = learned(FRAME)
    features = by_name(preprocessing, X)
    assert features["age is missing"].tolist() == [0, 0, 1, 0, 0, 0]
    assert features["member is missing"].tolist() == [0, 0, 1, 0, 0, 0]
    filled = preprocessing.filled(X)
    assert filled[2, 0] == 40
    assert filled[2, 2] == 1
    assert "town is missing" not in features


def test_a_value_of_any_size_stays_small_and_in_order():
    rng = np.random.default_rng(0)
    values = np.append(rng.normal(size=2000), [1e6, 1e12, 1e30, -1e30])
    preprocessing, X = learned(pd.DataFrame({"x": values}))
    features = preprocessing.features(X)[:, 0]
    assert np.abs(features).max() < 100 * BOUND
    assert 0.7 < features[:2000].std() < 1.3
    assert features[2000] < features[2001] < features[2002]


def test_heavy_tails_are_bent_and_keep_their_order():
    values = np.random.default_rng(0).lognormal(sigma=2, size=2000)
    preprocessing, X = learned(pd.DataFrame({"amount": values}))
    features = preprocessing.features(X)[:, 0]
    assert abs(features.mean()) < 1e-3
    assert features.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(features).max() < 5  # a mean and a deviation alone leave one at 30
    assert (np.argsort(features, kind="stable") == np.argsort(X[:, 0], kind="stable")).all()


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.normal(5, 3, 50_000),
        lambda rng: rng.uniform(size=50_000),
        lambda rng: rng.random(50_000) < 1e-4,
    ],
    ids=["normal", "uniform", "two values, one rare"],
)
def test_other_numbers_stay_straight(draw):
    preprocessing, X = learned(pd.DataFrame({"x": draw(np.random.default_rng(0)).astype(float)}))
    straight = (X[:, 0] - X[:, 0].mean(dtype=float)) / X[:, 0].std(dtype=float)
    inner = np.abs(straight) < BOUND
    assert preprocessing.features(X)[inner, 0] == pytest.approx(straight[inner], abs=1e-3)


def test_a_gap_in_a_bent_column_becomes_the_median():
    values = np.append(np.random.default_rng(0).lognormal(sigma=2, size=1001), np.nan)
    preprocessing = learned(pd.DataFrame({"amount": values}))[0]
    median = np.float32(np.nanmedian(values))
    features = preprocessing.features(np.float32([[np.nan], [median]]))
    assert features[:, 0] == pytest.approx(features[1, 0], abs=1e-6)
    assert preprocessing.filled(np.float32([[np.nan]]))[0, 0] == median


def mostly_nothing(others):
    """One zero more than other amounts, in an order of no meaning."""
    return np.random.default_rng(1).permutation(np.append(np.zeros(len(others) + 1), others))


def fees():
    """Twelve fees that many pay, and what only one pays each."""
    rng = np.random.default_rng(0)
    return np.append(rng.choice(rng.uniform(1000, 9000, 12).round(2), 400), rng.uniform(1000, 9000, 100))


def test_each_value_of_a_list_that_half_of_the_rows_are_not_on_has_a_feature():
    values = np.append(mostly_nothing(fees()), np.nan)
    preprocessing, X = learned(pd.DataFrame({"fee": values}))
    features = by_name(preprocessing, X)
    told = {name: feature for name, feature in features.items() if name.startswith("fee = ")}
    assert len(told) == 13
    assert features["fee = 0"].sum() == 501
    for feature in told.values():
        (value,) = np.unique(X[feature == 1, 0])
        assert set(np.unique(feature)) == {0, 1}
        assert feature.sum() == (X[:, 0] == value).sum() >= ENOUGH
    assert not any(feature[-1] for feature in told.values())  # a gap is none of them
    other = preprocessing.features(np.float32([[1234.5]]))[0]
    assert not other[[list(features).index(name) for name in told]].any()


@pytest.mark.parametrize(
    "others",
    [
        np.random.default_rng(0).uniform(1000, 9000, 500),
        np.random.default_rng(0).uniform(1000, 9000, 500).round(-2),
    ],
    ids=["all differ", "rounded"],
)
def test_of_a_scale_that_half_of_the_rows_are_not_on_none_but_that_half_is_told(others):
    names = learned(pd.DataFrame({"amount": mostly_nothing(others)}))[0].arithmetic.names
    assert names == ["amount", "amount = 0"]


@pytest.mark.parametrize(
    "values",
    [
        np.append(fees(), 0.0),
        mostly_nothing(np.random.default_rng(0).integers(1, 20, 500)),
        np.zeros(500),
    ],
    ids=["a list without one usual value", "levels", "constant"],
)
def test_values_of_other_numbers_have_no_feature(values):
    assert learned(pd.DataFrame({"x": values.astype(float)}))[0].arithmetic.names == ["x"]


def test_the_longest_list_has_features_for_its_most_frequent_values():
    rng = np.random.default_rng(0)
    price = rng.permutation(
        np.arange(1, 201) ** 2
    )  # far from each other, alike to their neighbours in nothing
    often = np.repeat(price[:100], np.arange(20, 120))
    values = mostly_nothing(np.concatenate([often, price[100:]]).astype(float))
    features = by_name(*learned(pd.DataFrame({"price": values})))
    told = [feature.sum() for name, feature in features.items() if name.startswith("price = ")]
    assert len(told) == 1 + LISTED
    assert sorted(told[1:]) == list(range(120 - LISTED, 120))


@pytest.mark.parametrize("n", [10, 60, 99, 100, 101, 150])
@pytest.mark.parametrize("wrong", [9999.0, -1e30])
def test_one_wrong_value_does_not_make_the_others_equal(n, wrong):
    values = np.append(np.random.default_rng(0).normal(size=n - 1), wrong)
    preprocessing, X = learned(pd.DataFrame({"x": values}))
    assert 0.3 < preprocessing.features(X)[:-1, 0].std() < 1.3


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=2, max_size=30))
@settings(max_examples=60, deadline=None)
def test_features_are_finite_and_keep_the_order_whatever_the_values_are(values):
    preprocessing, X = learned(pd.DataFrame({"x": np.float32(values)}))
    features = preprocessing.features(X)[:, 0]
    assert np.isfinite(features).all()
    assert (np.diff(features[np.argsort(X[:, 0], kind="stable")]) >= 0).all()


def test_dates_tell_the_season_and_the_day_of_the_week():
    since = pd.date_range("2019-01-01", periods=1500, freq="D")
    preprocessing, X = learned(pd.DataFrame({"day": since}))
    features = preprocessing.features(X)
    assert preprocessing.width == 5
    np.testing.assert_allclose(features[0, 3:], features[7, 3:], atol=1e-4)
    np.testing.assert_allclose(features[0, 1:3], features[1461, 1:3], atol=1e-2)
    assert features[1000, 0] > features[0, 0]
