"""Optimism: the best of many looks better than it is, and the corrected score does not."""

import numpy as np
import pytest

from classification_assets.learning.sweeps.judge import Judge
from classification_assets.learning.sweeps.scored_rows import SweptRows
from classification_assets.learning.sweeps.selection import corrected, optimism

V = 250


def judge(metric, seed=0, n_classes=2, weighted=False):
    rng = np.random.default_rng(seed)
    weight = (rng.random(V) + 0.2).astype(np.float32) if weighted else None
    y = rng.integers(0, n_classes, V)
    return Judge(
        SweptRows(np.zeros((V, 1), np.float32), y, weight, [np.arange(0)], [np.arange(V)], n_classes), metric
    )


def guesses(n, seed, n_classes=2):
    """Probabilities that have nothing to do with the labels, of n configurations."""
    rng = np.random.default_rng([1, seed])
    return dict(enumerate(rng.dirichlet(np.full(n_classes, 8), (n, V)).astype(np.float32)))


@pytest.mark.parametrize(
    ("metric", "n_classes", "weighted"),
    [("accuracy", 2, False), ("accuracy", 2, True), ("log_loss", 2, False), ("balanced_accuracy", 3, False)],
)
def test_the_best_of_two_hundred_guesses_looks_good_and_is_corrected_to_chance(metric, n_classes, weighted):
    best, truth, found = [], [], []
    for seed in range(4):
        judged, probabilities = judge(metric, seed, n_classes, weighted), guesses(200, seed, n_classes)
        scores = [judged.score([p]) for p in probabilities.values()]
        best.append(min(scores) if metric == "log_loss" else max(scores))
        truth.append(np.mean(scores))
        found.append(corrected(judged, probabilities, seed))
    looked_better = abs(np.mean(best) - np.mean(truth))
    assert looked_better > 0.04
    assert abs(np.mean(found) - np.mean(truth)) < looked_better / 4


def test_one_configuration_is_not_chosen_and_its_score_is_no_optimism():
    judged, only = judge("log_loss"), guesses(1, 0)
    score = judged.score([only[0]])
    assert corrected(judged, only, 0) == score
    assert optimism("log_loss", score, corrected(judged, only, 0)) == 0


def test_a_configuration_far_better_than_all_others_has_hardly_any_optimism():
    judged = judge("accuracy")
    knows = np.where(np.arange(V)[:, None] % 10 == 0, 0.5, np.eye(2)[judged.y]).astype(np.float32)
    expected = corrected(judged, guesses(50, 0) | {50: knows}, 0)
    assert expected == pytest.approx(judged.score([knows]), abs=0.005)


def test_the_corrected_score_follows_from_the_seed_and_not_from_the_order():
    judged, some = judge("log_loss"), guesses(20, 0)
    turned = dict(reversed(some.items()))
    assert corrected(judged, some, 3) == corrected(judged, turned, 3) != corrected(judged, some, 4)


def test_of_one_row_nothing_can_be_said():
    rows = SweptRows(np.zeros((1, 1), np.float32), np.zeros(1, int), None, [np.arange(0)], [np.arange(1)], 2)
    p = np.full((1, 2), 0.5, np.float32)
    expected = corrected(Judge(rows, "accuracy"), {0: p, 1: p}, 0)
    assert np.isnan(expected)
    assert optimism("accuracy", 1.0, expected) == 0


def test_optimism_is_in_the_direction_of_the_metric_and_never_below_nothing():
    assert optimism("accuracy", 0.9, 0.85) == pytest.approx(0.05)
    assert optimism("log_loss", 0.2, 0.25) == pytest.approx(0.05)
    assert optimism("accuracy", 0.8, 0.9) == optimism("log_loss", 0.3, 0.2) == 0
