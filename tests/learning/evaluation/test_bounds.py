"""Bounds say what they ask for, and refuse what asks for nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from classification_assets.learning.evaluation.bounds import Bound, Bounds


@given(st.floats(-2, 2), st.floats(-1, 0), st.floats(0, 1))
def test_a_bound_holds_between_its_ends(value, low, high):
    assert Bound(min=low, max=high).holds(value) == (low <= value <= high)


def test_no_number_is_within_no_bound():
    assert not Bound(max=1).holds(float("nan"))


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        ({"min": 0.9}, "at least 0.9"),
        ({"max": 0.3}, "at most 0.3"),
        ({"min": 0, "max": 1}, "at least 0 and at most 1"),
    ],
)
def test_a_bound_reads_as_words(bound, words):
    assert str(Bound(**bound)) == words


@pytest.mark.parametrize(
    ("bound", "message"),
    [
        ({}, "a bound needs min or max"),
        ({"min": 2, "max": 1}, "min must not be above max, got 2.0 > 1.0"),
    ],
)
def test_a_bound_that_asks_for_nothing_possible_is_refused(bound, message):
    with pytest.raises(ValidationError, match=message):
        Bound(**bound)


def test_an_unknown_score_is_refused_with_the_known_ones():
    with pytest.raises(ValidationError, match=r"did you mean 'accuracy'\? known are: accuracy, balanced"):
        Bounds.model_validate({"acuracy": {"min": 0.9}})


def test_only_declared_scores_are_bounded():
    assert set(Bounds(accuracy=Bound(min=0.9)).of_scores()) == {"accuracy"}
