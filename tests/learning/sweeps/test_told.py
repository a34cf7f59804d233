"""What is said of a sweep: how much was tried, how good the best is, and how much of that is luck."""

import dataclasses

import numpy as np
import pytest

from classification_assets.learning.sweeps.checks import sweep_checks
from tests.learning.sweeps.invented import invented


def summary(**changes):
    known = {
        "n_configurations": 64,
        "n_dropped": 40,
        "n_failed": 2,
        "seconds": 3.21,
        "best_score": 0.2,
        "corrected_score": 0.212,
        "optimism": 0.012,
        "final_score": 0.21,
        "final_error": 0.004,
    }
    return dataclasses.replace(invented().summary, **known | changes)


def test_the_sentence_says_what_was_tried_and_how_good_the_best_is_with_and_without_luck():
    assert summary().sentence() == (
        "64 configurations were tried in 3.2 s (40 dropped early, 2 failed): the best has a validation log loss of "
        "0.2000, 0.2120 without the luck of the best of so many; with new seeds the winner has 0.2100 ± 0.0040"
    )


def test_a_sweep_that_was_stopped_says_why():
    assert (
        summary(stopped="no more were begun after 60 s")
        .sentence()
        .endswith("; no more were begun after 60 s")
    )


def test_numbers_that_there_are_not_are_left_out():
    told = summary(
        n_dropped=0, n_failed=0, corrected_score=np.nan, final_score=0.21, final_error=np.nan
    ).sentence()
    assert told == (
        "64 configurations were tried in 3.2 s: the best has a validation log loss of 0.2000; with new seeds the "
        "winner has 0.2100"
    )


def test_one_configuration_was_not_chosen_by_luck():
    one = summary(n_configurations=1, n_dropped=0, n_failed=0, corrected_score=0.2, optimism=0.0)
    assert one.sentence() == (
        "1 configuration was tried in 3.2 s: the best has a validation log loss of 0.2000; with new seeds the winner "
        "has 0.2100 ± 0.0040"
    )
    assert one.caution().startswith("tuned is the only configuration that was tried")


@pytest.mark.parametrize(
    ("optimism", "words"),
    [(0.012, "too good, by about 0.012 in log loss; the test"), (0.0, "too good; the test")],
)
def test_wherever_the_winner_stands_it_is_said_that_its_validation_score_is_too_good(optimism, words):
    told = summary(optimism=optimism).caution()
    assert told.startswith("tuned is the best of 64 configurations on validation rows")
    assert words in told


def test_of_the_winner_what_was_searched_is_told_first():
    result = invented()
    table = result.winner()
    searched = table["searched"] == "yes"
    assert set(table["hyper-parameter"][searched]) == set(result.summary.swept)
    assert searched.is_monotonic_decreasing
    assert result.finalists["hidden"].iloc[0] in table["value"].tolist()


@pytest.mark.parametrize(("failed", "passed"), [(0, True), (6, True), (7, False), (12, False)])
def test_a_space_of_which_more_than_half_diverges_is_told_how_to_be_narrowed(failed, passed):
    (check,) = sweep_checks()
    found = dataclasses.replace(invented(), summary=summary(n_configurations=12, n_failed=failed))
    verdict, sentence = check.verdict(found)
    assert verdict == passed
    assert ("lower the largest learning_rate" in sentence) != passed


def test_a_luck_that_four_digits_do_not_show_is_not_told():
    told = summary(metric="accuracy", best_score=0.9333, corrected_score=0.93329, optimism=6.7e-6)
    assert "without the luck" not in told.sentence()
    assert "too good; the test" in told.caution()


def test_networks_of_new_seeds_are_not_taken_for_the_mean_of_several():
    told = summary(seeds=2).sentence()
    assert told.endswith(
        "with new seeds the winner has 0.2100 ± 0.0040, each network alone, not the mean of 2"
    )
