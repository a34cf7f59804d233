"""NeuralClassifier refuses unusable input before training, by name, in scikit-learn's words where it has some."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import DataConversionWarning

from tests.learning.two_moons import CODES, FRAME, X, classifier, y


@pytest.fixture(scope="module")
def trained():
    return classifier().fit(FRAME, y)


def test_a_missing_column_is_named(trained):
    with pytest.raises(ValueError, match="seen at fit time, yet now missing:\n- along"):
        trained.predict(FRAME[["across"]])


def test_columns_in_another_order_are_refused_as_scikit_learn_does(trained):
    with pytest.raises(ValueError, match="Feature names must be in the same order as they were in fit"):
        trained.predict(FRAME[["along", "across"]])


@pytest.mark.parametrize(("use", "value"), [("fit", np.inf), ("fit", -np.inf), ("predict", np.inf)])
def test_a_value_that_is_not_finite_is_named_with_column_and_row(trained, use, value):
    frame = FRAME.copy()
    frame.loc[7, "along"] = value
    with pytest.raises(ValueError, match=f"finite number, got in column 'along', row 7: {value}"):
        classifier().fit(frame, y) if use == "fit" else trained.predict(frame)


def test_an_infinite_value_in_an_array_is_named_too():
    wrong = X.copy()
    wrong[7, 1] = 1e300
    with pytest.raises(ValueError, match="finite number, got in column 'x2', row 7: 1e\\+300"):
        classifier().fit(wrong, y)


def test_a_column_of_several_types_is_named():
    frame = FRAME.astype(object)
    frame.loc[7, "along"] = "tall"
    with pytest.raises(ValueError, match="column 'along' holds values of several types"):
        classifier().fit(frame, y)


def test_a_value_that_no_column_holds_is_named_with_column_and_row():
    frame = FRAME.astype(object)
    frame.at[7, "along"] = {"tall": 1}
    with pytest.raises(TypeError, match="column 'along', row 7: an argument must be a string or a number"):
        classifier().fit(frame, y)


def test_one_class_is_not_enough():
    with pytest.raises(ValueError, match=r"two classes or more are needed, but y holds 1 class: \['up'\]"):
        classifier().fit(X, np.full(240, "up"))


def test_one_class_that_counts_is_not_enough():
    with pytest.raises(ValueError, match=r"but y holds 1 class: \['down'\]"):
        classifier().fit(X, y, sample_weight=y == "down")


def test_labels_of_several_types_are_refused():
    with pytest.raises(ValueError, match="labels must be of one type, but y holds: int, str"):
        classifier().fit(X, np.array([1, *y[1:]], object))


@pytest.mark.parametrize(
    "labels",
    [
        pd.cut(np.arange(200), 2),
        pd.to_timedelta(np.arange(200) % 2),
        np.array([Decimal(1), Decimal(2)] * 100),
        np.array([Fraction(1, 2), Fraction(1, 3)] * 100),
        np.array([b"no", b"yes"] * 100),
    ],
    ids=["intervals", "durations", "decimals", "fractions", "bytes"],
)
def test_labels_that_a_stored_model_could_not_give_back_are_refused_before_training(labels):
    with pytest.raises(ValueError, match=r"a label is a word, a number.*turn labels into words"):
        classifier().fit(np.arange(200.0)[:, None], labels)


def test_labels_that_are_measured_and_not_counted_are_refused():
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        classifier().fit(X, CODES + 0.5)


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_a_missing_label_is_named_with_its_row(missing):
    labels = y.astype(object)
    labels[9] = missing
    with pytest.raises(ValueError, match=f"Input y contains NaN: row 9 has no label, but {missing}"):
        classifier().fit(X, labels)


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        (X[:, 0], y, "Expected 2D array, got 1D array instead"),
        (X, y[:9], r"inconsistent numbers of samples: \[240, 9\]"),
        (X, X, r"y should be a 1d array, got an array of shape \(240, 2\)"),
        (X[None], y, "Found array with dim 3"),
        (X[:0], y[:0], r"Found array with 0 sample\(s\)"),
        (FRAME[:0], y[:0], r"Found array with 0 sample\(s\) \(shape=\(0, 2\)\)"),
        (FRAME[[]], y, r"Found array with 0 feature\(s\) \(shape=\(240, 0\)\)"),
        (X, None, "requires y to be passed, but the target y is None"),
        (FRAME, None, "requires y to be passed, but the target y is None"),
    ],
    ids=[
        "1d rows",
        "fewer labels",
        "2d labels",
        "3d rows",
        "no row",
        "none in a frame",
        "no column",
        "y",
        "frame's",
    ],
)
def test_rows_and_labels_that_do_not_fit_are_refused_in_scikit_learns_words(rows, labels, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(rows, labels)


def test_labels_in_a_column_are_taken_with_a_warning():
    with pytest.warns(DataConversionWarning):
        fitted = classifier(max_epochs=2).fit(X, y[:, None])
    assert fitted.classes_.tolist() == ["down", "up"]


@pytest.mark.parametrize("fraction", [0.0, 1.0, 1.5, -1])
def test_a_validation_fraction_that_is_no_fraction_is_shown(fraction):
    with pytest.raises(ValueError, match=f"validation_fraction must be above 0 and below 1, got {fraction}"):
        classifier(validation_fraction=fraction).fit(X, y)


@pytest.mark.parametrize(("fraction", "rows"), [(0.001, 2), (0.25, 60), (0.999, 238)])
def test_each_class_has_a_row_that_trains_and_one_that_validates(fraction, rows):
    fitted = classifier(validation_fraction=fraction, max_epochs=2).fit(X, y).fitted_
    assert len(fitted.validation_probabilities) == rows


def test_too_few_rows_to_share_all_train():
    fitted = classifier(max_epochs=2).fit(X[:4], [0, 0, 1, 1])
    assert len(fitted.fitted_.validation_probabilities) == 0
    assert np.isfinite(fitted.predict_proba(X)).all()


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(9), r"sample_weight must be \(240,\), one number a row, got \(9,\)"),
        (np.r_[-1.0, np.ones(239)], "finite and not negative, got in row 0: -1.0"),
        (np.r_[1.0, np.nan, np.ones(238)], "finite and not negative, got in row 1: nan"),
        (np.zeros(240), "above zero for some rows, but all are 0"),
    ],
    ids=["too few", "negative", "missing", "nothing"],
)
def test_weights_that_cannot_be_used_are_shown(weight, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, y, sample_weight=weight)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "deep_rely"}, "unknown architecture 'deep_rely'; shipped are linear"),
        ({"architecture": 5}, "a shipped one's name or a declaration, got 5"),
        ({"members": 0}, "greater than or equal to 1"),
        ({"learning_rate": -1.0}, "must be above 0, got -1.0"),
        ({"device": "gpu"}, "auto, cpu, cuda, cuda:N or mps, got 'gpu'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_parameter_that_cannot_be_used_is_an_error_of_fit(options, message):
    with pytest.raises(ValueError, match=message):
        classifier(**options).fit(X, y)


@pytest.mark.parametrize("where", ["classifier", "architecture"])
def test_a_named_device_that_is_not_there_is_an_error_before_any_training(where):
    architecture = {"hidden": [4], "device": "cuda:99" if where == "architecture" else "auto"}
    device = "cuda:99" if where == "classifier" else "auto"
    with pytest.raises(ValueError, match=r"device 'cuda:99' is not there; this machine has .*cpu"):
        classifier(architecture, device=device).fit(X, y)


def test_the_classifiers_own_device_wins_over_its_architectures():
    fitted = classifier({"hidden": [4], "device": "cuda:99"}, device="cpu", max_epochs=2).fit(X, y)
    assert np.isfinite(fitted.predict_proba(X)).all()


def test_two_columns_of_one_name_are_refused():
    frame = pd.DataFrame(X, columns=["across", "across"])
    with pytest.raises(ValueError, match=r"'across'.*(2 times|more than once)"):
        classifier().fit(frame, y)
