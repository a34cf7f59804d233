"""Profiles and grids of other libraries ask what lies between false and true; in training that is refused."""

import numpy as np
import pandas as pd
import pytest

from classification_assets import NeuralClassifier
from tests.learning.two_moons import CODES, FRAME, classifier, y

ROWS = FRAME.assign(flag=CODES == 1)


@pytest.fixture(scope="module", params=["tabular", "shallow_relu"])
def model(request):
    return classifier(request.param).fit(ROWS, y)


def grid(values):
    return pd.concat([FRAME[:1]] * len(values), ignore_index=True).assign(flag=values)


def test_a_share_lies_between_false_and_true(model):
    p = model.predict_proba(grid(np.linspace(0, 1, 11)))[:, 1]
    # Products of 11 rows and of 2 are rounded differently.
    np.testing.assert_allclose(p[[0, -1]], model.predict_proba(grid([False, True]))[:, 1], rtol=1e-5)
    assert (np.diff(p) >= 0).all()
    assert len(set(p)) > 3


@pytest.mark.parametrize(
    "values", [[0.0, np.nan, 1.0], [False, None, True], ["no", None, "yes"], [0, None, 1]]
)
def test_truths_are_read_as_always(model, values):
    expected = model.predict_proba(grid(pd.array([False, None, True], "boolean")))
    np.testing.assert_array_equal(model.predict_proba(grid(values)), expected)


@pytest.mark.parametrize("wrong", [-0.1, 1.5])
def test_a_number_outside_is_refused_with_its_row(model, wrong):
    message = (
        f"'flag' is boolean, so its values are true, false or a number from 0 to 1, got in row 1: {wrong}"
    )
    with pytest.raises(ValueError, match=message):
        model.predict(grid([0.5, wrong]))


def test_an_array_of_objects_may_hold_shares(model):
    rows = grid([0.25, 0.75]).to_numpy(object)
    with pytest.warns(UserWarning, match="valid feature names"):
        np.testing.assert_array_equal(model.predict_proba(rows), model.predict_proba(grid([0.25, 0.75])))


def test_fractions_in_training_are_a_column_of_numbers():
    fitted = NeuralClassifier("linear", max_epochs=2).fit(ROWS.assign(flag=CODES / 2), y).fitted_
    assert fitted.provenance.preprocessing.columns[2].kind == "numeric"
