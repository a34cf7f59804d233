"""Checks of assets: each says a sentence, and a bound that blocks stops what is downstream."""

import dagster as dg
import pytest
from pydantic import ValidationError

from classification_assets.assets.asset_checks import checks_of
from classification_assets.learning.preparation.checks import dataset_checks


def test_checks_are_reported_with_a_sentence(done):
    evaluations = done[0].get_asset_check_evaluations()
    assert {evaluation.check_name for evaluation in evaluations} == {
        *(check.name for check in dataset_checks()),
        "separate_folds",
        "classes_trained",
        "converged",
        "beats_majority",
        "calibrated",
        "generalizes",
        "near_optimal",
        "beats_baseline",
    }
    assert all(evaluation.description for evaluation in evaluations)


def test_a_declared_bound_is_a_check_and_one_that_blocks_stops_what_is_downstream(
    materialize, declared, tmp_path
):
    checks = {"accuracy": {"min": 0.999, "blocking": True}, "roc_auc": {"min": 0.2}}
    result = materialize(declared(checks=checks, architectures=["linear"]), raise_on_error=False)
    assert not result.success
    found = {check.check_name: check for check in result.get_asset_check_evaluations()}
    floor, passed = found["accuracy_within_bounds"], found["roc_auc_within_bounds"]
    assert not floor.passed
    assert floor.severity == dg.AssetCheckSeverity.ERROR
    assert "declared to be at least 0.999" in floor.description
    assert passed.passed
    assert (tmp_path / "small/linear/evaluation.parquet").exists()
    assert not (tmp_path / "small/leaderboard.parquet").exists()


def test_a_bound_that_does_not_block_only_warns(materialize, declared):
    result = materialize(declared(checks={"accuracy": {"min": 0.999}}, architectures=["linear"]))
    (floor,) = [
        check
        for check in result.get_asset_check_evaluations()
        if check.check_name == "accuracy_within_bounds"
    ]
    assert (floor.passed, floor.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.success


def test_a_baseline_beside_others_is_measured_and_not_judged_but_for_declared_bounds(materialize, declared):
    result = materialize(
        declared(
            dataset={"kind": "circles", "n_samples": 300, "noise": 0.05},
            checks={"accuracy": {"min": 0.9}, "gap": {"max": -0.5}},
            architectures=["linear", "shallow_relu"],
        )
    )
    found = {
        check.check_name: check
        for check in result.get_asset_check_evaluations()
        if check.asset_key.path == ["small", "linear", "evaluation"]
    }
    assert found["near_optimal"].passed
    assert found["near_optimal"].description.startswith(
        "a baseline, which is measured and not judged: the log loss"
    )
    assert not found["accuracy_within_bounds"].passed
    assert not found["generalizes"].passed


def test_a_failed_check_says_what_it_teaches_and_warns_nobody(materialize, declared, capfd):
    lesson = "a straight line cannot part circles"
    experiment = declared(
        dataset={"kind": "circles", "n_samples": 300, "noise": 0.05},
        checks={"lessons": {"near_optimal": lesson}},
        architectures=["linear"],
    )
    found = [
        check
        for check in materialize(experiment).get_asset_check_evaluations()
        if check.check_name == "near_optimal"
    ]
    assert not found[0].passed
    assert found[0].description.endswith(f"The lesson here: {lesson}")
    told = [line for line in capfd.readouterr().err.splitlines() if lesson in line and " failed: " in line]
    assert told
    assert all("INFO" in line for line in told)


def test_a_lesson_of_no_check_is_refused_before_any_work(declared):
    with pytest.raises(ValidationError, match="lessons"):
        declared(checks={"lessons": {"generalises": "…"}})


def names_of(checks):
    return {check.name for check in checks}


def test_only_what_can_fail_is_checked(declared):
    shipped = declared(dataset={"kind": "sklearn", "name": "iris"}, architectures=["shallow_relu"])
    assert names_of(checks_of("dataset", shipped)) == names_of(dataset_checks())
    assert "near_optimal" not in names_of(checks_of("evaluation", shipped, "shallow_relu"))
    assert checks_of("leaderboard", shipped) == []
    bounded = declared(
        dataset={"kind": "sklearn", "name": "iris"}, checks={"regret": {"max": 0.2}}, architectures=["linear"]
    )
    assert "near_optimal" in names_of(checks_of("evaluation", bounded, "linear"))
    assert names_of(checks_of("leaderboard", bounded)) == {"beats_baseline"}
