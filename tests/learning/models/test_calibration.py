"""A temperature makes logits as confident as they are right, and no less good."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn.functional import cross_entropy

from classification_assets.learning.models.calibration import temperature

sizes = st.tuples(st.integers(1, 30), st.integers(2, 5))

logits_and_labels = sizes.flatmap(
    lambda size: st.tuples(
        arrays(np.float32, size, elements=st.floats(-30, 30, width=32)),
        arrays(np.int64, size[0], elements=st.integers(0, size[1] - 1)),
    )
)


@given(logits_and_labels)
@settings(max_examples=150, deadline=None)
def test_a_temperature_is_never_worse_than_1_on_the_rows_it_is_fitted_on(drawn):
    logits, y = map(torch.from_numpy, drawn)
    fitted = cross_entropy(logits.double() / temperature(logits, y), y)
    assert fitted <= cross_entropy(logits.double(), y) + 1e-9


@given(logits_and_labels)
@settings(max_examples=100, deadline=None)
def test_a_temperature_lies_between_a_twentieth_and_twenty(drawn):
    assert 0.05 <= temperature(*map(torch.from_numpy, drawn)) <= 20


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_a_temperature_finds_how_overconfident_logits_are(true):
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(4000, 3))
    p = np.exp(honest) / np.exp(honest).sum(1, keepdims=True)
    y = (rng.random((4000, 1)) > p.cumsum(1)).sum(1)
    found = temperature(torch.from_numpy(true * honest), torch.from_numpy(y))
    assert found == pytest.approx(true, rel=0.1)


def test_few_rows_without_an_error_do_not_ask_for_certainty():
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
    assert temperature(logits, torch.tensor([0, 1])) > 0.2


def test_without_rows_the_temperature_is_1():
    assert temperature(torch.empty(0, 3), torch.empty(0, dtype=torch.int64)) == 1.0


@given(logits_and_labels)
@settings(max_examples=50, deadline=None)
def test_a_row_of_twice_the_weight_is_two_rows_but_for_the_prior(drawn):
    logits, y = (torch.from_numpy(value).repeat_interleave(3, 0) for value in drawn)
    weight = torch.arange(len(y)) % 3
    repeated = temperature(logits.repeat_interleave(weight, 0), y.repeat_interleave(weight))
    # The prior counts rows, not weights: a row of weight 0 in three makes up for the one of weight 2.
    counted = torch.where(weight == 0, 1e-9, weight.double())
    assert temperature(logits, y, counted) == pytest.approx(repeated, rel=0.01)


def test_rows_of_weight_0_do_not_calibrate():
    logits, y = torch.tensor([[4.0, 0.0]]).repeat(40, 1), torch.tensor([0] * 30 + [1] * 10)
    right = torch.tensor([1.0] * 30 + [0.0] * 10)
    assert temperature(logits, y, right) == pytest.approx(temperature(logits[:30], y[:30]))
    assert temperature(logits, y, right) < temperature(logits, y)
