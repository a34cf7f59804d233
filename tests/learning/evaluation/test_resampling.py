"""The uncertainty of a score is honest: over rows, over members, and between classifiers on the same rows."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from classification_assets.learning.evaluation import resampling
from classification_assets.learning.evaluation.metrics import average_scores, calibration_error, class_scores
from classification_assets.learning.evaluation.resampling import (
    CHUNK,
    UNITS,
    Resampled,
    calibration_p_value,
    member_spreads,
    paired_interval,
    resampled_scores,
    resampled_sums,
    wilson,
)


def bootstrap_intervals(y, p, classes, resamples=2_000):
    resampled = Resampled.of(y, p, classes, resamples)
    return {key: resampled.interval(key) for key in resampled.drawn}


pytestmark = [
    pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true"),
    pytest.mark.filterwarnings("ignore:A single label was found"),
]


def names(p):
    return [f"class {index}" for index in range(p.shape[1])]


@given(st.integers(2, 5), st.integers(1, 60), st.sampled_from([0.06, 1.0, 20.0]), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_an_interval_is_ordered_and_bounded(C, N, concentration, seed):
    rng = np.random.default_rng(seed)
    y, p = rng.integers(0, rng.integers(1, C + 1), N), rng.dirichlet(np.full(C, concentration), N)
    for (_, metric), (low, high) in bootstrap_intervals(y, p, names(p), resamples=200).items():
        if np.isnan(low) and metric in ("roc_auc", "average_precision", "recall", "f1"):
            continue  # a class without a row
        assert -1 <= low <= high
        assert low >= 0 or metric in ("cohen_kappa", "matthews_correlation")
        assert metric in ("log_loss", "brier_score") or high <= 1


def test_a_fold_without_an_error_does_not_prove_that_there_is_none():
    y = np.arange(30) % 3
    intervals = bootstrap_intervals(y, np.eye(3)[y], ["a", "b", "c"], resamples=200)
    # Wilson's interval of n right ones of n: from n / (n + z²).
    assert intervals["", "accuracy"] == pytest.approx((30 / (30 + 1.96**2), 1.0), abs=1e-4)
    assert intervals["a", "recall"] == pytest.approx((10 / (10 + 1.96**2), 1.0), abs=1e-4)


def test_wilsons_interval_of_a_published_example():
    # Newcombe 1998, table I: 81 of 263.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_classes_of_few_rows_do_not_make_a_perfect_classifier_look_bad():
    y = np.repeat(np.arange(40), 3)
    intervals = bootstrap_intervals(y, np.eye(40)[y], [str(label) for label in range(40)], resamples=200)
    assert intervals["", "macro_f1"] == (1.0, 1.0)
    assert intervals["7", "recall"] == pytest.approx((3 / (3 + 1.96**2), 1.0), abs=1e-3)


def test_rows_of_a_group_are_drawn_together_and_tell_less():
    """Ten copies a row: with their groups the interval is that of the rows themselves."""
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 3, 60), rng.dirichlet(np.ones(3), 60)
    group = np.repeat(np.arange(60), 10)
    copies = Resampled.of(np.repeat(y, 10), np.repeat(p, 10, 0), names(p), group=group)
    alone = Resampled.of(y, p, names(p))
    for metric in ("accuracy", "log_loss", "macro_f1"):
        assert copies.interval(("", metric)) == pytest.approx(alone.interval(("", metric)), abs=1e-4)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_the_interval_of_a_calibration_error_holds_the_truth(power):
    rng, hits = np.random.default_rng(2), 0

    def drawn(size):
        p = rng.dirichlet(np.ones(3), size)
        y = (rng.random((size, 1)) > p.cumsum(1)).sum(1)
        return y, p**power / (p**power).sum(1, keepdims=True)

    truth = calibration_error(*drawn(400_000)) if power > 1 else 0.0
    for _ in range(150):
        y, p = drawn(300)
        low, high = Resampled.of(y, p, names(p), 300).interval(("", "expected_calibration_error"))
        hits += low <= truth + 1e-3 and truth <= high
    assert hits / 150 >= 0.86


def test_one_miss_of_a_confident_classifier_is_no_proof_against_its_calibration():
    p = np.full((45, 2), 0.001)
    p[:, 0] = 0.999
    y = np.zeros(45, np.int64)
    y[0] = 1
    # One miss or more of 45 at 0.001 each: 1 - 0.999**45.
    assert calibration_p_value(y, p) == pytest.approx(1 - 0.999**45, abs=0.015)


def test_the_same_rows_give_the_same_intervals():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 3, 50), rng.dirichlet(np.ones(3), 50)
    assert bootstrap_intervals(y, p, names(p)) == bootstrap_intervals(y, p, names(p))


def test_more_rows_give_a_narrower_interval():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 3, 3200), rng.dirichlet(np.ones(3), 3200)

    def width(n):
        low, high = bootstrap_intervals(y[:n], p[:n], names(p))["", "accuracy"]
        return high - low

    assert width(200) / width(3200) == pytest.approx(4, rel=0.2)


@pytest.fixture(scope="module")
def covered():
    """How often an interval held the truth, by score, in 600 test folds drawn from one distribution."""
    rng, N, repetitions = np.random.default_rng(1), 250, 600
    kinds = rng.dirichlet(np.full(3, 0.4), 400)

    def drawn(size):
        kind = rng.integers(len(kinds), size=size)
        y = (rng.random((size, 1)) > kinds[kind].cumsum(1)).sum(1)
        p = kinds[kind] ** 0.7
        return y, p / p.sum(1, keepdims=True)

    y, p = drawn(400_000)
    truth = {("", name): value for name, value in average_scores(y, p).items()}
    truth |= {(row[0], row.metric): row.value for row in class_scores(y, p, names(p)).itertuples(index=False)}
    hits = dict.fromkeys(bootstrap_intervals(y[:50], p[:50], names(p), 10), 0)
    for _ in range(repetitions):
        for key, (low, high) in bootstrap_intervals(*drawn(N), names(p), resamples=400).items():
            hits[key] += low <= truth[key] <= high
    return {key: count / repetitions for key, count in hits.items()}


@pytest.mark.parametrize(
    "metric",
    [
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "weighted_precision",
        "roc_auc",
        "average_precision",
        "log_loss",
        "brier_score",
        "matthews_correlation",
    ],
)
def test_a_95_percent_interval_holds_the_truth_in_about_95_of_100_test_folds(covered, metric):
    # Within three standard deviations of 600 repetitions; a percentile interval of 250 rows lacks a little.
    assert 0.92 <= covered["", metric] <= 0.975


def test_the_interval_of_a_class_holds_the_truth_about_as_often(covered):
    rates = [rate for (name, _), rate in covered.items() if name]
    assert len(rates) == 15
    assert min(rates) >= 0.91


def test_the_spread_of_members_is_the_deviation_of_their_scores():
    rng = np.random.default_rng(0)
    y, members = rng.integers(0, 3, 80), rng.dirichlet(np.ones(3), (6, 80))
    spreads = member_spreads(y, members, names(members[0]))
    scores = [average_scores(y, own) for own in members]
    for name in scores[0]:
        values = [own[name] for own in scores]
        assert spreads["", name] == pytest.approx((np.mean(values), np.std(values, ddof=1)))


def test_one_member_alone_has_no_spread():
    y, members = np.array([0, 1]), np.full((1, 2, 2), 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spreads = member_spreads(y, members, ["a", "b"])
    assert all(np.isnan(spread) for _, spread in spreads.values())
    assert spreads["", "accuracy"][0] == 0.5


@pytest.mark.parametrize("groups", [0, 64])
def test_a_large_fold_is_resampled_by_groups_of_rows_with_the_same_spread(groups):
    rng, N = np.random.default_rng(0), 4 * UNITS
    p = rng.dirichlet(np.ones(3), N)
    y = (rng.random((N, 1)) > p.cumsum(1)).sum(1)
    drawn = resampled_scores(y, p, names(p), 1000, groups)["", "accuracy"]
    accuracy = average_scores(y, p)["accuracy"]
    assert drawn.std() == pytest.approx(np.sqrt(accuracy * (1 - accuracy) / N), rel=0.1)
    assert drawn.mean() == pytest.approx(accuracy, abs=2e-4)


def test_sums_of_many_classes_come_in_parts_of_bounded_size():
    statistics = sparse.random_array((100, 50_000), density=0.001, format="csr", dtype=np.float32, rng=0)
    parts = list(resampled_sums(statistics, 500))
    assert sum(map(len, parts)) == 500
    assert max(part.size for part in parts) <= CHUNK


def test_resamples_hold_none_but_rows_that_count():
    rng = np.random.default_rng(0)
    y, weight = np.arange(40) % 2, (np.arange(40) < 3).astype(np.float32)
    p = rng.dirichlet(np.ones(2), 40)
    drawn = resampled_scores(y, p, ["a", "b"], weight=weight)["", "log_loss"]
    np.testing.assert_array_equal(drawn, resampled_scores(y[:3], p[:3], ["a", "b"])["", "log_loss"])


def test_a_paired_interval_is_narrower_than_the_scores_own():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 3, 400), rng.dirichlet(np.ones(3), 400)
    nearly = 0.95 * p + 0.05 / 3
    first, second = (resampled_scores(y, own, names(p))["", "log_loss"] for own in (p, nearly))
    low, high = paired_interval(first, second)
    assert low < first.mean() - second.mean() < high
    assert high - low < 0.3 * np.ptp(np.quantile(first, (0.025, 0.975)))


def test_calibrated_probabilities_are_seldom_called_uncalibrated_and_overconfident_ones_are():
    rng, rejected = np.random.default_rng(0), 0
    for _ in range(200):
        p = rng.dirichlet(np.ones(3), 300)
        y = (rng.random((300, 1)) > p.cumsum(1)).sum(1)
        rejected += calibration_p_value(y, p, 400) <= 0.05
    assert rejected <= 20
    sharpened = p**3 / (p**3).sum(1, keepdims=True)
    assert calibration_p_value(y, sharpened) < 0.01


@pytest.mark.parametrize("at_a_time", [1, 40, 2**17])
def test_how_many_resamples_are_drawn_at_a_time_changes_none(monkeypatch, at_a_time):
    monkeypatch.setattr(resampling, "DRAWN", at_a_time)
    rng = np.random.default_rng(0)
    one_by_one = [np.bincount(rng.integers(13, size=13, dtype=np.int32), minlength=13) for _ in range(7)]
    np.testing.assert_array_equal(
        resampling._drawn_counts(np.random.default_rng(0), 13, 7), np.stack(one_by_one, axis=1)
    )
