"""The columns' names are the fitted preprocessing's: tools blank `feature_names_in_`, or delete it."""

import warnings

import numpy as np
import polars as pl
import pytest

from classification_assets import load_classifier
from tests.learning.two_moons import FRAME, X, classifier, y


def blank(model):
    model.feature_names_in_ = None


def delete(model):
    del model.feature_names_in_


@pytest.fixture(params=[blank, delete])
def nameless(request):
    model = classifier(max_epochs=3).fit(FRAME, y)
    expected = model.predict_proba(FRAME)
    request.param(model)
    return model, expected


@pytest.mark.parametrize(
    "rows",
    [FRAME, X, X.astype(object), pl.from_pandas(FRAME), FRAME[["along", "across"]], FRAME.assign(more="red")],
    ids=["frame", "array", "objects", "polars", "another order", "another column"],
)
def test_without_the_attribute_rows_of_any_type_are_predicted_without_a_warning(nameless, rows):
    model, expected = nameless
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(model.predict_proba(rows), expected)


def test_without_the_attribute_columns_of_other_names_are_taken_in_their_order(nameless):
    model, expected = nameless
    with pytest.warns(UserWarning, match="X has feature names, but"):
        np.testing.assert_array_equal(model.predict_proba(FRAME.set_axis(["a", "b"], axis=1)), expected)


def test_without_the_attribute_rows_without_a_row_are_refused(nameless):
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        nameless[0].predict(FRAME[:0])


def test_a_stored_classifier_knows_its_names(nameless, tmp_path):
    nameless[0].save(tmp_path / "model.safetensors")
    assert load_classifier(tmp_path / "model.safetensors").feature_names_in_.tolist() == ["across", "along"]


def test_fitted_again_it_has_them_again(nameless):
    assert nameless[0].fit(FRAME, y).feature_names_in_.tolist() == ["across", "along"]
