"""Scores are scikit-learn's, however many are computed at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from classification_assets.learning.evaluation.metrics import (
    average_scores,
    calibration_error,
    class_scores,
    row_losses,
    row_statistics,
    scores_of_sums,
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
        "brier_score": ((p - np.eye(p.shape[1])[y]) ** 2).sum(1).mean(),
        "matthews_correlation": reference.matthews_corrcoef(y, predicted),
    }
    if len(np.unique([y, predicted])) > 1:
        expected["cohen_kappa"] = reference.cohen_kappa_score(y, predicted)
    for average in ("macro", "weighted"):
        options = {"average": average, "zero_division": 0}
        expected[f"{average}_precision"] = reference.precision_score(y, predicted, **options)
        expected[f"{average}_recall"] = reference.recall_score(y, predicted, **options)
        expected[f"{average}_f1"] = reference.f1_score(y, predicted, **options)
    found = average_scores(y, p)
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-9)


@given(scored())
@settings(max_examples=100, deadline=None)
def test_the_scores_of_a_class_are_scikit_learns(drawn):
    y, p = drawn
    table = class_scores(y, p, names(p)).set_index(["class", "metric"])["value"]
    options = {"average": None, "labels": np.arange(p.shape[1]), "zero_division": 0}
    predicted = p.argmax(1)
    for index, name in enumerate(names(p)):
        there, named = (y == index).any(), (predicted == index).any()
        for metric, score, known in (
            ("precision", reference.precision_score, True),
            ("recall", reference.recall_score, there),
            ("f1", reference.f1_score, there or named),
        ):
            expected = score(y, predicted, **options)[index] if known else np.nan
            assert table[name, metric] == pytest.approx(expected, nan_ok=True)
        assert table[name, "support"] == (y == index).sum()


def test_a_perfect_classifier_is_perfect_though_a_class_has_no_row():
    y = np.array([0, 0, 1, 1])
    scores = average_scores(y, np.eye(3)[y])
    assert scores["macro_f1"] == scores["macro_recall"] == scores["balanced_accuracy"] == 1


@pytest.mark.filterwarnings("error")
def test_a_fold_without_a_class_says_so_by_its_scores_and_not_on_the_screen():
    y, p = np.zeros(4, int), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
    assert average_scores(y, p)["balanced_accuracy"] == 0.75
    assert average_scores(y[:1], p[:1])["balanced_accuracy"] == 1


@given(scored(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_row_of_weight_three_is_three_rows(drawn, seed):
    y, p = drawn
    weight = np.random.default_rng(seed).integers(0, 4, len(y))
    if not weight.any():
        return
    repeated = average_scores(np.repeat(y, weight), np.repeat(p, weight, 0))
    assert average_scores(y, p, weight) == pytest.approx(repeated, nan_ok=True, abs=1e-9)
    sums = row_statistics(y, p, 60, weight).sum(0, dtype=np.float64)
    summed = {key: value.item() for key, value in scores_of_sums(np.asarray(sums)[None], names(p)).items()}
    for name, value in repeated.items():
        assert summed["", name] == pytest.approx(value, rel=1e-4, abs=1e-5, nan_ok=True)


@given(scored())
@settings(max_examples=100, deadline=None)
def test_ranking_scores_are_scikit_learns_over_the_classes_that_are_there(drawn):
    y, p = drawn
    table = class_scores(y, p, names(p)).set_index(["class", "metric"])["value"]
    overall = average_scores(y, p)
    areas, precisions = [], []
    for index, name in enumerate(names(p)):
        positive = y == index
        if positive.any():
            precisions.append(reference.average_precision_score(positive, p[:, index]))
            assert table[name, "average_precision"] == pytest.approx(precisions[-1])
        else:
            assert np.isnan(table[name, "average_precision"])
        if positive.any() and not positive.all():
            areas.append(reference.roc_auc_score(positive, p[:, index]))
            assert table[name, "roc_auc"] == pytest.approx(areas[-1])
        else:
            assert np.isnan(table[name, "roc_auc"])
    assert overall["average_precision"] == pytest.approx(np.mean(precisions))
    assert overall["roc_auc"] == pytest.approx(np.mean(areas) if areas else np.nan, nan_ok=True)


@given(scored())
@settings(max_examples=100, deadline=None)
def test_scores_of_sums_are_the_scores_of_rows(drawn):
    y, p = drawn
    sums = row_statistics(y, p, groups=60).sum(0, dtype=np.float64)
    summed = scores_of_sums(np.asarray(sums)[None], names(p))
    expected = {("", name): value for name, value in average_scores(y, p).items()}
    for row in class_scores(y, p, names(p)).itertuples(index=False):
        if row.metric != "support":
            expected[row[0], row.metric] = row.value
    found = {key: values.item() for key, values in summed.items()}
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-5, nan_ok=True)


@given(scored(), scored())
@settings(max_examples=30, deadline=None)
def test_many_sums_are_scored_as_each_alone(first, second):
    y, p = first
    sums = np.stack([np.asarray(row_statistics(y, own, 8).sum(0)) for own in (p, p[::-1].copy())])
    together = scores_of_sums(sums, names(p))
    for index in range(2):
        alone = scores_of_sums(sums[index][None], names(p))
        found = {key: values[index] for key, values in together.items()}
        assert found == pytest.approx({key: values.item() for key, values in alone.items()}, nan_ok=True)


@given(scored(300), st.integers(2, 64))
@settings(max_examples=50, deadline=None)
def test_few_groups_come_close_to_the_exact_ranking(drawn, groups):
    y, p = drawn
    if len(np.unique(y)) < 2:
        return
    sums = np.asarray(row_statistics(y, p, groups).sum(0))[None]
    rough, exact = scores_of_sums(sums, names(p)), average_scores(y, p)
    assert abs(rough["", "roc_auc"].item() - exact["roc_auc"]) <= 0.5
    if len(y) <= groups:
        assert rough["", "roc_auc"].item() == pytest.approx(exact["roc_auc"])


def test_a_calibrated_classifier_has_hardly_any_calibration_error():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 100_000)
    y = (rng.random((len(p), 1)) > p.cumsum(1)).sum(1)
    assert calibration_error(y, p) < 0.01
    assert calibration_error(y, np.eye(3)[p.argmax(1)]) == pytest.approx(1 - average_scores(y, p)["accuracy"])


def test_the_calibration_error_of_a_hand_made_example():
    # Two rows at 0.8, one right: |0.8 - 0.5| of half the rows; two at 0.6, both right: |0.6 - 1| of the other half.
    p = np.array([[0.8, 0.2], [0.8, 0.2], [0.6, 0.4], [0.4, 0.6]])
    assert calibration_error(np.array([0, 1, 0, 1]), p) == pytest.approx(0.5 * 0.3 + 0.5 * 0.4)


def test_certainty_about_a_wrong_class_costs_much_but_not_everything():
    y, p = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]], np.float32)
    wrong, right = row_losses(y, p)
    assert right == pytest.approx(0, abs=1e-6)
    assert 10 < wrong < 40
