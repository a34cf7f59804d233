"""Scores are scikit-learn's, and their uncertainty is honest."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.metrics import confusion_matrix

from classification_assets.learning.metrics import (
    average_scores,
    bootstrap_intervals,
    class_scores,
    count_scores,
    member_spreads,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true"),
    pytest.mark.filterwarnings("ignore:A single label was found"),
]


@st.composite
def scored(draw, max_rows=60):
    """Labels (N,) and probabilities (N, C); some classes may have no row, or never be predicted."""
    C, N = draw(st.integers(2, 5)), draw(st.integers(1, max_rows))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    used = draw(st.integers(1, C))
    concentration = draw(st.sampled_from([0.05, 1.0, 20.0]))
    return rng.integers(0, used, N), rng.dirichlet(np.full(C, concentration) + 0.01, N)


def names(p):
    return [f"class {index}" for index in range(p.shape[1])]


@given(scored())
@settings(max_examples=100, deadline=None)
def test_overall_scores_are_scikit_learns(drawn):
    y, p = drawn
    predicted, labels = p.argmax(1), np.arange(p.shape[1])
    expected = {
        "accuracy": reference.accuracy_score(y, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(y, predicted),
        "log_loss": reference.log_loss(y, p, labels=labels),
    }
    for average in ("macro", "weighted"):
        options = {"average": average, "labels": labels, "zero_division": 0}
        expected[f"{average}_precision"] = reference.precision_score(y, predicted, **options)
        expected[f"{average}_recall"] = reference.recall_score(y, predicted, **options)
        expected[f"{average}_f1"] = reference.f1_score(y, predicted, **options)
    assert average_scores(y, p) == pytest.approx(expected)


@given(scored())
@settings(max_examples=100, deadline=None)
def test_the_scores_of_a_class_are_scikit_learns(drawn):
    y, p = drawn
    table = class_scores(y, p, names(p)).set_index(["class", "metric"])["value"]
    options = {"average": None, "labels": np.arange(p.shape[1]), "zero_division": 0}
    for index, name in enumerate(names(p)):
        assert table[name, "precision"] == pytest.approx(
            reference.precision_score(y, p.argmax(1), **options)[index]
        )
        assert table[name, "recall"] == pytest.approx(
            reference.recall_score(y, p.argmax(1), **options)[index]
        )
        assert table[name, "f1"] == pytest.approx(reference.f1_score(y, p.argmax(1), **options)[index])
        assert table[name, "support"] == (y == index).sum()


@given(scored())
@settings(max_examples=100, deadline=None)
def test_scores_from_counts_are_the_scores_from_rows(drawn):
    y, p = drawn
    labels = np.arange(p.shape[1])
    counted = count_scores(confusion_matrix(y, p.argmax(1), labels=labels)[None].astype(float), names(p))
    expected = {("", name): value for name, value in average_scores(y, p).items() if name != "log_loss"}
    for row in class_scores(y, p, names(p)).itertuples(index=False):
        if row.metric != "support":
            expected[row[0], row.metric] = row.value
    assert {key: values.item() for key, values in counted.items()} == pytest.approx(expected)


@given(st.lists(scored(20), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_many_confusion_matrices_are_scored_as_each_alone(many):
    matrices = np.stack([confusion_matrix(y, p.argmax(1), labels=np.arange(5)) for y, p in many]).astype(
        float
    )
    classes = [str(index) for index in range(5)]
    together = count_scores(matrices, classes)
    for index, matrix in enumerate(matrices):
        alone = count_scores(matrix[None], classes)
        assert {key: values[index] for key, values in together.items()} == pytest.approx(
            {key: values.item() for key, values in alone.items()}
        )


@given(scored())
@settings(max_examples=30, deadline=None)
def test_an_interval_is_ordered_and_bounded(drawn):
    y, p = drawn
    for (_, metric), (low, high) in bootstrap_intervals(y, p, names(p), resamples=200).items():
        assert 0 <= low <= high
        assert metric == "log_loss" or high <= 1


def test_an_interval_of_a_perfect_classifier_is_a_point():
    y = np.arange(30) % 3
    intervals = bootstrap_intervals(y, np.eye(3)[y], ["a", "b", "c"], resamples=200)
    assert intervals["", "accuracy"] == intervals["a", "f1"] == (1.0, 1.0)


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
    "metric", ["accuracy", "balanced_accuracy", "macro_f1", "weighted_precision", "log_loss"]
)
def test_a_95_percent_interval_holds_the_truth_in_about_95_of_100_test_folds(covered, metric):
    # Within three standard deviations of 600 repetitions; a percentile interval of 250 rows lacks a little.
    assert 0.92 <= covered["", metric] <= 0.975


def test_the_interval_of_a_class_holds_the_truth_about_as_often(covered):
    rates = [rate for (name, _), rate in covered.items() if name]
    assert len(rates) == 9
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


def test_certainty_about_a_wrong_class_costs_much_but_not_everything():
    y, p = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]], np.float32)
    low, high = bootstrap_intervals(y, p, ["a", "b"], resamples=50)["", "log_loss"]
    assert low == pytest.approx(0, abs=1e-6)
    assert 10 < high < 40
