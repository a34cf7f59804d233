"""Options of a training: their bounds, and one number for all members or one a member."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from classification_assets.learning.packed.options import Training

PER_MEMBER = ["learning_rate", "weight_decay", "label_smoothing", "input_noise", "mixup"]


def only_error(raised):
    (error,) = raised.value.errors()
    return error


def test_members_have_seeds_of_their_own():
    assert len(set(Training(members=4096, seed=0).seeds) | set(Training(members=4096, seed=1).seeds)) == 8192


@given(st.integers(1, 100), st.integers(1, 100), st.integers(0, 2**32 - 1))
def test_more_members_leave_the_seeds_of_the_first_ones(few, more, seed):
    few, more = sorted((few, more))
    assert Training(members=more, seed=seed).seeds[:few] == Training(members=few, seed=seed).seeds


@pytest.mark.parametrize("field", PER_MEMBER)
def test_a_hyper_parameter_may_be_one_number_a_member(field):
    assert getattr(Training(members=2, **{field: [0.1, 0.2]}), field) == (0.1, 0.2)


@pytest.mark.parametrize("field", PER_MEMBER)
@pytest.mark.parametrize("numbers", [(), (0.1,), (0.1, 0.2, 0.3)])
def test_numbers_that_are_not_one_a_member_are_counted_in_the_error(field, numbers):
    with pytest.raises(ValidationError) as raised:
        Training(members=2, **{field: numbers})
    error = only_error(raised)
    assert error["loc"] == (field,)
    assert f"one number, or 2 (one a member), got {len(numbers)} numbers" in error["msg"]


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("members", 0, "greater than or equal to 1"),
        ("members", 4097, "less than or equal to 4096"),
        ("max_epochs", 0, "greater than or equal to 1"),
        ("batch_size", 0, "greater than or equal to 1"),
        ("learning_rate", 0.0, "must be above 0, got 0.0"),
        ("learning_rate", float("inf"), "finite"),
        ("weight_decay", -0.1, "must be at least 0, got -0.1"),
        ("schedule", "linear", "'cosine' or 'constant'"),
        ("patience", 0, "greater than or equal to 1"),
        ("label_smoothing", 1.0, "must be at least 0 and below 1, got 1.0"),
        ("input_noise", -1.0, "must be at least 0, got -1.0"),
        ("mixup", -1.0, "must be at least 0, got -1.0"),
        ("precision", "half", "'float32', 'tf32' or 'bfloat16'"),
        ("compile", "always", "valid boolean"),
        ("seed", -1, "greater than or equal to 0"),
        ("seed", 2**32, "less than 4294967296"),
        ("epochs", 5, "did you mean 'max_epochs'"),
    ],
)
def test_a_training_option_out_of_its_bounds_is_named_with_the_rule(field, value, rule):
    with pytest.raises(ValidationError) as raised:
        Training(**{field: value})
    errors = raised.value.errors()
    assert {error["loc"][0] for error in errors} == {field}
    assert rule in " ".join(error["msg"] for error in errors)


def test_without_a_batch_size_the_batch_is_the_training_fold():
    assert Training(batch_size=None).batch_size is None


@pytest.mark.parametrize("field", PER_MEMBER)
@pytest.mark.parametrize(
    ("value", "wrong"), [(float("nan"), "nan"), ("a", "'a'"), (None, "None"), ([0.1, "b"], "'b'")]
)
def test_what_is_no_number_is_told_once_in_words(field, value, wrong):
    with pytest.raises(ValidationError) as caught:
        Training(**{field: value})
    (problem,) = caught.value.errors()
    assert problem["loc"] == (field,)
    assert problem["msg"] == f"Value error, must be a finite number, got {wrong}"
