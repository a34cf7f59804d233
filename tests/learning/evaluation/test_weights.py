"""Rows count by their weights in scores, intervals, tests and checks; one of weight 0 is the same as none."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from classification_assets.learning.drift.score import score_change
from classification_assets.learning.evaluation.checks import beats_majority
from classification_assets.learning.evaluation.evaluation import Evaluation
from classification_assets.learning.evaluation.leaderboard import leaderboard
from classification_assets.learning.evaluation.promotion import SharedRows, decide
from classification_assets.learning.evaluation.promotion_rule import PromotionRule
from classification_assets.learning.evaluation.resampling import (
    Resampled,
    calibration_p_value,
    effective_size,
    wilson,
)
from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.evaluation.unfit_rows import UnfitRowsError
from classification_assets.learning.figures.reliability import reliability
from classification_assets.learning.figures.roc_pr import roc_pr
from classification_assets.learning.preparation.folds import Fold

CLASSES = ["a", "b"]


def answers(rng, y, skill=1.0):
    p = 1 / (1 + np.exp(-(skill * (2 * y - 1) + rng.normal(size=len(y)))))
    return np.column_stack([1 - p, p]).astype(np.float32)


def masked(n=400, seed=0, **skill):
    """Labels, answers, and a mask of the rows that count; where it is False the label is noise."""
    rng = np.random.default_rng(seed)
    y, counts = rng.integers(0, 2, n), rng.random(n) < 0.5
    return np.where(counts, y, rng.integers(0, 2, n)), answers(rng, y, **skill), counts


def evaluated(y, p, **told):
    """An evaluation with these test rows, and scores of them."""
    found = Resampled.of(y, p, CLASSES, 300, told.get("weight"), told.get("group"))
    rows = pd.DataFrame(
        {"fold": Fold.TEST, "row": np.arange(len(y)), "label": y, "p_0": p[:, 0], "p_1": p[:, 1]} | told
    )
    scores = [("ensemble", *key, value, *found.interval(key)) for key, value in found.values.items()]
    metrics = pd.DataFrame(scores, columns=["scope", "class", "metric", "value", "low", "high"])
    about = {"classes": CLASSES, "members": 1, "failed": 0, "parameters": 1, "overridden": {}}
    both = [metrics.assign(fold=fold, spread=np.nan) for fold in ("test", "validation")]
    return Evaluation(rows, pd.concat(both), about)


def test_rows_of_weight_0_are_the_same_as_none(fitted, split):
    counts = np.random.default_rng(0).random(len(split.y)) < 0.6
    whole = evaluate(fitted, dataclasses.replace(split, weight=counts.astype(np.float32)))
    rows = np.flatnonzero(counts)
    part = dataclasses.replace(
        split, X=split.X[rows], y=split.y[rows], fold=split.fold[rows], keys=split.keys[rows]
    )
    alone = evaluate(fitted, part)
    pd.testing.assert_frame_equal(whole.metrics, alone.metrics, rtol=1e-6)
    assert whole.confusion(Fold.TEST).tolist() == alone.confusion(Fold.TEST).tolist()
    assert whole.n_counted(Fold.TEST) == len(alone.labels(Fold.TEST))
    for table in ("confidence_table", "class_table"):
        pd.testing.assert_frame_equal(getattr(whole, table)(), getattr(alone, table)())


def test_weights_that_are_all_alike_are_none():
    y, p, _ = masked()
    plain, weighted = (Resampled.of(y, p, CLASSES, 300, weight) for weight in (None, np.full(len(y), 2.5)))
    assert plain.values == pytest.approx(weighted.values)
    assert plain.by_chance == weighted.by_chance
    assert all(plain.interval(key) == weighted.interval(key) for key in plain.drawn)


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_the_scale_of_the_weights_does_not_matter(scale):
    y, p, _ = masked()
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    one, other = (Resampled.of(y, p, CLASSES, 300, factor * weight) for factor in (1.0, scale))
    assert one.values == pytest.approx(other.values)
    for key in one.drawn:
        assert one.interval(key) == pytest.approx(other.interval(key), abs=1e-6)


def test_where_all_that_count_are_right_the_interval_is_wilsons_of_the_rows_that_count():
    y, p, counts = masked(skill=8)
    found = Resampled.of(y, p, CLASSES, 300, counts.astype(np.float32))
    expected = binomtest(int(counts.sum()), int(counts.sum())).proportion_ci(method="wilson")
    assert found.values["", "accuracy"] == 1
    assert found.interval(("", "accuracy")) == pytest.approx((expected.low, 1))
    unequal = Resampled.of(y, p, CLASSES, 300, counts * np.random.default_rng(0).exponential(size=len(y)))
    assert unequal.interval(("", "accuracy"))[1] == 1
    assert unequal.interval(("", "accuracy"))[0] < expected.low


def test_the_effective_size_of_weights_is_kishs():
    alone = np.ones(3, bool)
    assert effective_size(alone, None, None) == 3
    assert effective_size(alone, np.array([1.0, 1.0, 2.0]), None) == pytest.approx(16 / 6)
    assert effective_size(alone, None, np.array([7, 7, 9])) == pytest.approx(9 / 5)
    assert effective_size(np.zeros(3, bool), None, None) == 0


@pytest.mark.parametrize(("successes", "trials"), [(0, 12), (12, 12), (81, 263), (1, 1)])
def test_wilsons_interval_is_scipys_where_trials_are_whole(successes, trials):
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("n", [300, 12_000])
def test_calibrated_rows_of_very_different_weights_are_not_refused(n):
    rng = np.random.default_rng(0)
    refused = []
    for _ in range(60):
        confidence = rng.uniform(0.5, 1, n)
        hit, label = rng.random(n) < confidence, rng.integers(0, 2, n)
        p = np.empty((n, 2), np.float32)
        p[np.arange(n), label], p[np.arange(n), 1 - label] = confidence, 1 - confidence
        refused.append(
            calibration_p_value(np.where(hit, label, 1 - label), p, 200, rng.exponential(size=n) ** 3) <= 0.05
        )
    assert sum(refused) <= 9  # of 60 at 5 %


def test_labels_that_are_wrong_where_no_row_counts_do_not_make_it_uncalibrated():
    rng = np.random.default_rng(0)
    confidence, counts = rng.uniform(0.6, 1, 600), rng.random(600) < 0.5
    y = np.where(counts, rng.random(600) < confidence, 0).astype(int)
    p = np.column_stack([1 - confidence, confidence]).astype(np.float32)
    assert calibration_p_value(y, p, 300) < 0.01
    assert calibration_p_value(y, p, 300, counts.astype(float)) > 0.05


def test_the_majority_is_counted_by_weight_too():
    rng = np.random.default_rng(0)
    y = (rng.random(800) < 0.1).astype(int)
    p = answers(rng, y, skill=2)
    passed, sentence = beats_majority(evaluated(y, p, weight=np.where(y, 9.0, 1.0)))
    assert passed
    share = 9 * y.sum() / (9 * y.sum() + (1 - y).sum())
    assert sentence.endswith(f"would give {max(share, 1 - share):.3f}")


def test_the_confusion_matrix_and_the_table_of_confidence_agree_with_the_accuracy():
    y, p, counts = masked()
    evaluation = evaluated(y, p, weight=counts * np.random.default_rng(2).uniform(0.1, 3, len(y)))
    accuracy = evaluation.score(Fold.TEST, "accuracy")["value"]
    matrix, table = evaluation.confusion(Fold.TEST), evaluation.confidence_table()
    assert matrix.sum() == pytest.approx(counts.sum())
    assert np.trace(matrix) / matrix.sum() == pytest.approx(accuracy)
    assert (table["share"] * table["accuracy"]).sum() == pytest.approx(accuracy)
    assert table["rows"].sum() == counts.sum()


def test_a_leaderboard_of_masked_rows_is_that_of_the_others():
    y, first, counts = masked()
    second = answers(np.random.default_rng(5), y, skill=0.5)
    whole, part = (
        leaderboard(
            {"one": evaluated(y[rows], first[rows], **told), "two": evaluated(y[rows], second[rows], **told)}
        )
        for rows, told in ((slice(None), {"weight": counts * 2.0}), (counts, {}))
    )
    pd.testing.assert_frame_equal(whole.differences, part.differences)


def test_a_decision_on_masked_rows_is_that_on_the_others():
    y, first, counts = masked()
    second = answers(np.random.default_rng(5), y, skill=0.5)
    rule = PromotionRule(margin=0.001)
    whole = decide(SharedRows(y, second, first, CLASSES, counts.astype(np.float32)), "log_loss", rule)
    part = decide(SharedRows(y[counts], second[counts], first[counts], CLASSES), "log_loss", rule)
    assert whole == part


def test_a_change_of_the_loss_is_one_of_weighted_means():
    rng = np.random.default_rng(0)
    then, now = rng.exponential(size=200), rng.exponential(size=100)
    weighted = dataclasses.astuple(score_change(then, now, None, np.ones(100)))
    assert weighted == pytest.approx(dataclasses.astuple(score_change(then, now)))
    heavy = score_change(then, np.append(now, 9.0), None, np.append(np.ones(100), 3.0) * 101 / 103)
    assert heavy.now == pytest.approx((now.sum() + 27) / 103)


def test_a_fold_without_a_row_that_counts_is_refused_by_its_name(fitted, split):
    weight = (split.fold != Fold.TEST).astype(np.float32)
    with pytest.raises(UnfitRowsError, match="all 75 rows of the test fold have a weight of 0"):
        evaluate(fitted, dataclasses.replace(split, weight=weight))


def test_curves_and_bars_are_of_the_rows_that_count():
    y, p, counts = masked()
    told = {"weight": counts.astype(float)}
    for figure in (reliability, lambda *rows, **told: roc_pr(*rows, classes=CLASSES, **told)):
        lines = [
            [line.get_xydata() for ax in drawn.axes for line in ax.lines]
            for drawn in (figure(p, y, **told), figure(p[counts], y[counts]))
        ]
        for one, other in zip(*lines, strict=True):
            np.testing.assert_allclose(one, other)
