"""An evaluation holds every held-out row once, scored with its uncertainty."""

import dataclasses
from typing import ClassVar

import numpy as np
import pytest
import torch

from classification_assets.learning.evaluation.metrics import average_scores
from classification_assets.learning.evaluation.plane import Plane, planes_of
from classification_assets.learning.evaluation.resampling import Resampled, member_spreads
from classification_assets.learning.evaluation.scoring import evaluate
from classification_assets.learning.evaluation.surface import RESOLUTION, TOLERANCE, surfaces
from classification_assets.learning.evaluation.view import View
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.datasets import Moons
from classification_assets.learning.tables.source import Source

HELD_OUT = [Fold.VALIDATION, Fold.TEST]
on_each_fold = pytest.mark.parametrize("fold", HELD_OUT, ids=lambda fold: fold.label)


@on_each_fold
def test_the_probabilities_of_a_fold_are_the_ensembles_in_the_splits_order(evaluation, fitted, split, fold):
    expected = fitted.predict_proba(split.X[split.rows(fold)])
    np.testing.assert_allclose(evaluation.probabilities(fold), expected, atol=1e-6)


@on_each_fold
def test_each_row_of_a_fold_is_there_once_with_its_label(evaluation, split, fold):
    rows = evaluation.rows[evaluation.rows["fold"] == fold]
    np.testing.assert_array_equal(rows["row"], split.rows(fold))
    np.testing.assert_array_equal(evaluation.labels(fold), split.y[split.rows(fold)])


def test_no_training_row_is_kept_and_its_scores_have_no_interval(evaluation, fitted, split):
    assert set(evaluation.rows["fold"]) == {Fold.VALIDATION, Fold.TEST}
    train = split.rows(Fold.TRAIN)
    expected = average_scores(split.y[train], fitted.predict_proba(split.X[train]))
    assert evaluation.overall(Fold.TRAIN) == pytest.approx(expected, abs=1e-6)
    assert evaluation.score(Fold.TRAIN, "accuracy")[["low", "high", "spread"]].isna().all()


@on_each_fold
def test_the_probabilities_before_calibration_are_those_at_a_temperature_of_1(
    evaluation, fitted, split, fold
):
    raw = dataclasses.replace(fitted, state=fitted.state | {"temperatures": torch.ones(1)})
    assert fitted.state["temperatures"].item() != 1
    expected = raw.predict_proba(split.X[split.rows(fold)])
    np.testing.assert_allclose(evaluation.uncalibrated(fold), expected, atol=1e-5)
    scores = average_scores(split.y[split.rows(fold)], expected)
    for metric in ("log_loss", "expected_calibration_error"):
        found = evaluation.score(fold, metric, scope="uncalibrated")["value"]
        assert found == pytest.approx(scores[metric], abs=1e-4)


def test_calibration_makes_the_validation_fold_no_worse(evaluation):
    after, before = (
        evaluation.score(Fold.VALIDATION, "log_loss", scope=scope)["value"]
        for scope in ("ensemble", "uncalibrated")
    )
    assert after <= before + 1e-9


@on_each_fold
def test_regret_is_what_is_lost_against_the_best_possible_classifier(evaluation, fold):
    for metric, sign in (("accuracy", -1), ("log_loss", 1)):
        own, best = (evaluation.score(fold, metric, scope)["value"] for scope in ("ensemble", "bayes"))
        regret = evaluation.score(fold, metric, scope="regret")
        assert regret["value"] == pytest.approx(sign * (own - best))
        assert regret["low"] <= regret["value"] <= regret["high"]


def test_an_architecture_that_learns_from_validation_is_scored_there_by_what_training_left(fitted, split):
    class Bagged(MLP):
        learns_from_validation: ClassVar[bool] = True

    left = np.tile([0.25, 0.75], (len(split.rows(Fold.VALIDATION)), 1)).astype(np.float32)
    provenance = fitted.provenance.model_copy(update={"architecture": Bagged(hidden=(6,), activation="tanh")})
    evaluation = evaluate(
        dataclasses.replace(fitted, provenance=provenance, validation_probabilities=left), split
    )
    np.testing.assert_array_equal(evaluation.probabilities(Fold.VALIDATION), left)
    assert np.isnan(evaluation.score(Fold.VALIDATION, "accuracy")["spread"])
    validation = evaluation.rows[evaluation.rows["fold"] == Fold.VALIDATION]
    assert validation["disagreement"].isna().all()
    assert np.isfinite(evaluation.score(Fold.TEST, "accuracy")["spread"])


def test_the_table_of_confidence_counts_every_test_row_once(evaluation):
    table = evaluation.confidence_table()
    assert table["rows"].sum() == len(evaluation.labels(Fold.TEST))
    assert table["share"].sum() == pytest.approx(1)
    hits = (table["rows"] * table["accuracy"]).sum()
    assert hits == pytest.approx(np.trace(evaluation.confusion(Fold.TEST)))
    assert ((table["low"] <= table["accuracy"]) & (table["accuracy"] <= table["high"])).all()


def test_the_most_confidently_wrong_test_rows_come_first_with_their_features(evaluation, split):
    table = evaluation.confidently_wrong(split, most=5)
    assert len(table) == 5
    assert table["probability"].is_monotonic_decreasing
    assert (table["true"] != table["predicted"]).all()
    assert (split.fold[table["row"]] == Fold.TEST).all()
    np.testing.assert_array_equal(table[["x1", "x2"]], split.X[table["row"]])
    p, wrong = evaluation.probabilities(Fold.TEST), evaluation.labels(Fold.TEST)
    wrong = p.argmax(1) != wrong
    assert table["probability"].iloc[0] == p.max(1)[wrong].max()


def test_the_surface_is_the_ensemble_on_the_grid_of_the_figure(fitted, split):
    plane = Plane.of(split.X[split.fold == Fold.TRAIN], list(split.preprocessing.names))
    found = surfaces(fitted, split)
    (probabilities,), (disagreement,) = found.probabilities, found.disagreement
    assert probabilities.shape == (RESOLUTION, RESOLUTION, 2)
    assert disagreement.shape == (RESOLUTION, RESOLUTION)
    expected = fitted.predict_proba(plane.grid(RESOLUTION)).reshape(RESOLUTION, RESOLUTION, 2)
    np.testing.assert_allclose(probabilities, expected, atol=TOLERANCE)


@pytest.mark.parametrize("plane", ["matrix", ("c", "a"), "pca"])
def test_each_plane_of_a_view_has_its_surface(fit, split, plane):
    X = np.column_stack([split.X, split.X[:, :1] ** 2, np.zeros(len(split.X), np.float32)])
    labels = np.array(split.classes)[split.y]
    wide = Split.of_arrays(X, labels, split.fold, names=["a", "b", "c", "d"])
    fitted, view = fit(on=wide), View(plane=plane)
    found = surfaces(fitted, wide, view)
    assert found.view == view
    planes = planes_of(wide, view)
    assert len(planes) == len(found.probabilities) == (3 if plane == "matrix" else 1)
    for own, probabilities, disagreement in zip(planes, found.probabilities, found.disagreement, strict=True):
        R = len(probabilities)
        assert disagreement.shape == (R, R)
        expected = fitted.predict_proba(own.grid(R)).reshape(R, R, 2)
        np.testing.assert_allclose(probabilities, expected, atol=TOLERANCE)


def test_of_a_large_table_evenly_spaced_rows_decide_what_is_drawn(split, monkeypatch):
    monkeypatch.setattr("classification_assets.learning.evaluation.plane.MOST_ROWS", 20)
    (plane,) = planes_of(split, View())
    train = split.rows(Fold.TRAIN)
    assert plane.extent == Plane.of(split.X[train[:: -(-len(train) // 20)]], ["x1", "x2"]).extent


@on_each_fold
def test_the_scores_of_the_ensemble_are_those_of_its_probabilities(evaluation, fold):
    expected = average_scores(evaluation.labels(fold), evaluation.probabilities(fold))
    scores = evaluation.overall(fold)
    assert 0 < scores.pop("calibration_p_value") <= 1
    assert scores == pytest.approx(expected)


@on_each_fold
def test_intervals_are_over_rows_and_spreads_over_members(evaluation, fitted, split, fold):
    y = split.y[split.rows(fold)]
    blended, _, members = fitted.member_predictions(split.X[split.rows(fold)])
    for metric in ("accuracy", "macro_f1", "log_loss"):
        score = evaluation.score(fold, metric)
        interval = Resampled.of(y, blended, ["0", "1"]).interval(("", metric))
        assert (score["low"], score["high"]) == pytest.approx(interval, abs=1e-6)
        mean, spread = member_spreads(y, members, ["0", "1"])["", metric]
        assert score["spread"] == pytest.approx(spread, abs=1e-6)
        assert evaluation.score(fold, metric, scope="members")["value"] == pytest.approx(mean, abs=1e-6)


@on_each_fold
def test_generated_data_tells_the_best_possible_score_of_the_very_fold(evaluation, split, fold):
    rows = split.rows(fold)
    truth = Moons(n_samples=300, noise=0.2).posterior(split.X[rows])
    expected = average_scores(split.y[rows], truth)
    for metric in ("accuracy", "log_loss"):
        assert evaluation.score(fold, metric, scope="bayes")["value"] == pytest.approx(expected[metric])


def test_data_whose_truth_is_not_known_has_no_best_possible_score(fitted, split):
    evaluation = evaluate(fitted, dataclasses.replace(split, source=Source()))
    with pytest.raises(KeyError, match="no bayes accuracy on the test fold"):
        evaluation.score(Fold.TEST, "accuracy", scope="bayes")


def test_a_score_that_is_not_there_is_named(evaluation):
    with pytest.raises(KeyError, match="no ensemble elegance on the validation fold"):
        evaluation.score(Fold.VALIDATION, "elegance")


def test_the_confusion_matrix_counts_true_classes_down_and_predicted_ones_across(evaluation):
    y, predicted = evaluation.labels(Fold.TEST), evaluation.probabilities(Fold.TEST).argmax(1)
    expected = [[int(((y == i) & (predicted == j)).sum()) for j in range(2)] for i in range(2)]
    assert evaluation.confusion(Fold.TEST).tolist() == expected


def test_what_is_followed_over_time_is_of_the_test_fold_but_for_the_loss_that_chooses(evaluation):
    test, validation = evaluation.overall(Fold.TEST), evaluation.overall(Fold.VALIDATION)
    assert evaluation.reported() == {
        "accuracy": test["accuracy"],
        "balanced_accuracy": test["balanced_accuracy"],
        "macro_f1": test["macro_f1"],
        "roc_auc": test["roc_auc"],
        "log_loss": test["log_loss"],
        "brier_score": test["brier_score"],
        "expected_calibration_error": test["expected_calibration_error"],
        "validation_log_loss": validation["log_loss"],
    }


def test_the_table_of_classes_has_a_row_a_class_in_the_splits_order(fit, split):
    renamed = dataclasses.replace(split, classes=["zebra", "ant"])
    table = evaluate(fit(on=renamed), renamed).class_table()
    assert table["class"].tolist() == ["zebra", "ant"]
    assert table["support"].tolist() == np.bincount(split.y[split.fold == Fold.TEST]).tolist()


def test_the_overall_table_has_a_row_a_metric_with_all_that_is_known_of_it(evaluation):
    table = evaluation.overall_table()
    assert {"ensemble", "low", "high", "members", "spread", "uncalibrated", "bayes", "regret"} < set(table)
    assert not table.duplicated(["fold", "metric"]).any()
    assert table["fold"].iloc[0] == Fold.TEST.label
    brier = table.set_index(["fold", "metric"]).loc["test", "brier score"]
    for scope in ("ensemble", "members", "uncalibrated", "bayes"):
        assert brier[scope] == evaluation.score(Fold.TEST, "brier_score", scope)["value"]


def test_members_that_agree_have_no_disagreement(fit, split):
    rows = evaluate(fit(members=1), split).rows
    np.testing.assert_allclose(rows["disagreement"], 0, atol=1e-6)


def test_disagreement_lies_between_0_and_1(fit, split):
    rows = evaluate(fit(max_epochs=1, learning_rate=1.0), split).rows
    assert rows["disagreement"].min() >= 0
    assert 0.1 < rows["disagreement"].max() <= 1


def test_one_member_has_no_spread(fit, split):
    assert np.isnan(evaluate(fit(members=1), split).score(Fold.TEST, "accuracy")["spread"])


def test_members_that_failed_are_counted(fit, split):
    about = evaluate(fit(learning_rate=(0.03, 1e38, 0.02)), split).about
    assert (about["members"], about["failed"]) == (2, 1)


@pytest.mark.parametrize(("normalization", "more"), [("none", 0), ("batch", 4), ("layer", 8)])
def test_the_parameters_are_those_that_are_trained(fit, split, normalization, more):
    fitted = fit(MLP(hidden=(4,), normalization=normalization))
    assert evaluate(fitted, split).about["parameters"] == (2 * 4 + 4) + (4 * 2 + 2) + more


def test_what_a_run_set_otherwise_is_told(fitted, split):
    assert evaluate(fitted.noting({"patience": 3}), split).about["overridden"] == {"patience": 3}


def test_a_row_counts_by_its_weight(fitted, split):
    weight = (np.arange(len(split.y)) % 2).astype(np.float32)
    evaluation = evaluate(fitted, dataclasses.replace(split, weight=weight))
    rows = split.rows(Fold.TEST)
    counted = rows[weight[rows] > 0]
    expected = average_scores(split.y[counted], fitted.predict_proba(split.X[counted]))
    for metric in ("accuracy", "log_loss", "macro_f1", "roc_auc", "expected_calibration_error"):
        assert evaluation.score(Fold.TEST, metric)["value"] == pytest.approx(expected[metric], abs=1e-5)
    np.testing.assert_array_equal(evaluation.of_rows(Fold.TEST, "weight"), weight[rows])


def test_rows_of_one_group_make_the_intervals_wider(fitted, split):
    alone = evaluate(fitted, split)
    grouped = evaluate(fitted, dataclasses.replace(split, group=np.arange(len(split.y)) // 60))

    def width(evaluation):
        score = evaluation.score(Fold.TEST, "log_loss")
        return score["high"] - score["low"]

    assert grouped.score(Fold.TEST, "log_loss")["value"] == alone.score(Fold.TEST, "log_loss")["value"]
    assert width(grouped) != width(alone)
    assert alone.of_rows(Fold.TEST, "group") is None


def test_a_feature_may_be_called_like_a_column_of_the_table(fit, split):
    preprocessing = split.preprocessing.model_copy(
        update={
            "columns": tuple(
                column.model_copy(update={"name": name})
                for column, name in zip(split.preprocessing.columns, ("row", "probability"), strict=True)
            )
        }
    )
    renamed = dataclasses.replace(split, preprocessing=preprocessing)
    table = evaluate(fit(on=renamed), renamed).confidently_wrong(renamed)
    assert {"row", "probability", "feature row", "feature probability"} <= set(table)
