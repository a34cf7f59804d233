"""NeuralClassifier behaves as scikit-learn's classifiers do, and can be stored and opened."""

import pickle
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from classification_assets import NeuralClassifier, load_classifier
from classification_assets.learning import artifacts
from classification_assets.learning.architectures import MLP, Training
from classification_assets.learning.artifacts import ArtifactError

X, CODES = make_moons(240, noise=0.2, random_state=0)
y = np.array(["down", "up"])[CODES]
FRAME = pd.DataFrame(X, columns=["across", "along"])
QUICK = {"members": 3, "max_epochs": 12, "learning_rate": 0.05, "batch_size": 32, "random_state": 0}


def classifier(architecture="shallow_relu", **options):
    return NeuralClassifier(architecture, **QUICK | options)


@pytest.fixture(scope="module")
def trained():
    return classifier().fit(FRAME, y)


# The default


def test_the_default_is_the_recipe_for_tables_and_learns_from_all_rows():
    default = NeuralClassifier(random_state=0).fit(FRAME, y)
    fitted = default.fitted_
    assert fitted.provenance.architecture.kind == "tabular"
    assert fitted.validation_probabilities.shape == (0, 2)
    assert default.score(FRAME, y) > 0.95


def test_two_rows_of_two_classes_are_enough_for_the_default():
    p = NeuralClassifier(random_state=0).fit(X[:2], ["a", "b"]).predict_proba(X)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)


# Fitting and predicting


def test_classes_are_the_sorted_labels(trained):
    assert trained.classes_.tolist() == ["down", "up"]


def test_a_prediction_is_the_most_probable_class(trained):
    p = trained.predict_proba(FRAME)
    assert trained.predict(FRAME).tolist() == trained.classes_[p.argmax(1)].tolist()


def test_probabilities_have_a_row_a_row_and_a_column_a_class(trained):
    p = trained.predict_proba(FRAME)
    assert p.shape == (240, 2)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-6)


def test_two_moons_are_learned(trained):
    assert trained.score(FRAME, y) > 0.9


def test_the_score_is_the_share_of_right_predictions(trained):
    assert trained.score(FRAME, y) == pytest.approx((trained.predict(FRAME) == y).mean())


@pytest.mark.parametrize(
    "labels",
    [
        CODES,
        CODES.astype(bool),
        CODES.astype(float),
        pd.Series(y, dtype=object),
        pd.Series(CODES, dtype="Int64"),
        pd.Series(CODES == 1, dtype="boolean"),
        pd.Series(y, dtype="category"),
        pl.Series(y).cast(pl.Categorical),
    ],
    ids=["ints", "bools", "floats", "objects", "Int64", "boolean", "category", "polars"],
)
def test_labels_of_any_sortable_type_come_back_as_they_were(labels):
    predicted = classifier(max_epochs=2).fit(X, labels).predict(X)
    assert set(predicted.tolist()) <= set(np.asarray(labels).tolist())
    assert type(predicted.tolist()[0]) is type(np.asarray(labels).tolist()[0])


@pytest.mark.parametrize(
    "architecture",
    [
        "linear",
        {"hidden": [5], "activation": "silu", "normalization": "layer"},
        MLP(hidden=(5, 5), normalization="batch", residual=True, dropout=0.1),
    ],
)
def test_an_architecture_is_a_name_a_declaration_or_an_object(architecture):
    assert classifier(architecture).fit(X, y).score(X, y) > 0.7


def test_an_architectures_own_training_options_come_first():
    fitted = classifier({"hidden": [4], "training": {"max_epochs": 2}}).fit(X, y).fitted_
    assert fitted.provenance.training.max_epochs == 2
    assert len(fitted.history["step"]) == 2


def test_columns_of_a_frame_that_were_not_there_in_fit_are_ignored(trained):
    other = FRAME.assign(colour="red")[["colour", "across", "along"]]
    np.testing.assert_array_equal(trained.predict_proba(other), trained.predict_proba(FRAME))


def test_an_array_is_taken_in_the_order_of_the_frames_columns_with_a_warning(trained):
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        probabilities = trained.predict_proba(X)
    np.testing.assert_array_equal(probabilities, trained.predict_proba(FRAME))


def test_columns_named_by_numbers_have_no_names_and_an_order():
    frame = pd.DataFrame(X)
    fitted = classifier(max_epochs=2).fit(frame, y)
    assert not hasattr(fitted, "feature_names_in_")
    np.testing.assert_array_equal(fitted.predict_proba(frame), fitted.predict_proba(X))


def test_rows_of_weight_0_teach_nothing():
    wrong = np.random.default_rng(0).random(240) < 0.6
    labels = np.where(wrong, np.where(y == "up", "down", "up"), y)
    weighted = classifier().fit(X, labels, sample_weight=(~wrong).astype(float))
    assert weighted.score(X, y) > 0.85


def test_the_same_random_state_gives_the_same_probabilities(trained):
    again = classifier().fit(FRAME, y)
    np.testing.assert_array_equal(again.predict_proba(FRAME), trained.predict_proba(FRAME))


def test_another_random_state_gives_other_probabilities(trained):
    other = classifier(random_state=1).fit(FRAME, y)
    assert (other.predict_proba(FRAME) != trained.predict_proba(FRAME)).any()


def test_a_random_state_that_goes_on_gives_another_classifier_each_time():
    state = np.random.RandomState(0)
    one, other = (classifier(random_state=state).fit(X, y).predict_proba(X) for _ in range(2))
    assert (one != other).any()


def test_rows_scaled_and_shifted_give_the_same_classifier():
    there = classifier().fit(1000 * X - 5000, y).predict_proba(1000 * X - 5000)
    np.testing.assert_allclose(there, classifier().fit(X, y).predict_proba(X), atol=0.02)


# In scikit-learn's world


@parametrize_with_checks(
    [
        NeuralClassifier(),
        NeuralClassifier({"hidden": [16]}, members=3, max_epochs=40, batch_size=32, learning_rate=0.03),
    ]
)
def test_it_passes_every_check_that_scikit_learn_has(estimator, check):
    check(estimator)


def test_parameters_are_kept_as_they_were_given():
    architecture = {"hidden": [5]}
    assert classifier(architecture).get_params()["architecture"] is architecture
    assert (
        clone(classifier(architecture, patience=7)).get_params()
        == classifier(architecture, patience=7).get_params()
    )


def test_it_can_be_cross_validated_in_a_pipeline():
    pipeline = make_pipeline(PolynomialFeatures(3), classifier("linear"))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.8


def test_its_parameters_are_searched_in_several_processes():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), classifier()),
        {
            "neuralclassifier__architecture": ["linear", {"hidden": [8]}],
            "neuralclassifier__mixup": [0.0, 0.2],
        },
        cv=2,
        n_jobs=2,
        error_score="raise",
    )
    assert search.fit(X, y).score(X, y) > 0.8


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_it_takes_what_a_step_before_it_gives_out(library):
    pipeline = make_pipeline(StandardScaler().set_output(transform=library), classifier())
    assert pipeline.fit(FRAME, y)[-1].feature_names_in_.tolist() == ["across", "along"]
    assert pipeline.score(FRAME, y) > 0.9


def test_sample_weights_are_routed_to_it():
    wrong = np.random.default_rng(0).random(240) < 0.6
    labels = np.where(wrong, np.where(y == "up", "down", "up"), y)
    weight = np.where(wrong, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        asks = classifier().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scores = cross_validate(asks, X, labels, params={"sample_weight": weight}, cv=3)["test_score"]
    assert scores.mean() > 0.75  # unweighted, it would learn the opposite


def test_fitting_again_forgets_the_first_fit():
    again = classifier()
    again.fit(FRAME, y).fit(np.hstack([X, X, X]), np.arange(240) % 3)
    assert again.n_features_in_ == 6
    assert again.classes_.tolist() == [0, 1, 2]
    assert not hasattr(again, "feature_names_in_")


def test_a_pickled_classifier_gives_the_same_probabilities(trained):
    again = pickle.loads(pickle.dumps(trained))
    np.testing.assert_array_equal(again.predict_proba(FRAME), trained.predict_proba(FRAME))


def test_the_readmes_example_runs(tmp_path, monkeypatch):
    section = (Path(__file__).parents[2] / "README.md").read_text().split("## In Python")[1]
    code = section.split("```python")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert {path.suffix for path in tmp_path.iterdir()} == {".onnx", ".safetensors"}


# Tables as they are


@pytest.fixture(scope="module")
def people():
    """Three hundred people, columns of every kind with gaps; who comes depends on all of them but the street."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 12, 300).round(1),
            "children": rng.integers(0, 4, 300),
            "city": rng.choice(["Bern", "Oslo", "Rome"], 300),
            "street": rng.choice([f"street {number}" for number in range(50)], 300),
            "member": rng.random(300) < 0.5,
            "since": pd.Timestamp("2020-03-01") + pd.to_timedelta(rng.integers(0, 900, 300), unit="D"),
        }
    )
    early = frame["since"] < pd.Timestamp("2021-06-01")
    comes = (frame["age"] > 40).astype(int) + (frame["city"] == "Rome") + frame["member"] + early
    frame.loc[::9, "age"] = np.nan
    frame.loc[::10, "city"] = None
    frame.loc[::11, "since"] = pd.NaT
    return frame, np.where(comes >= 2, "comes", "stays")


def as_polars(frame):
    return pl.from_pandas(frame).with_columns(pl.col("street").cast(pl.Categorical))


def as_arrow(frame):
    return as_polars(frame).to_arrow()


def as_views(frame):
    table = as_arrow(frame)
    views = {pa.large_string(): pa.string_view()}
    return table.cast(
        pa.schema([field.with_type(views.get(field.type, field.type)) for field in table.schema])
    )


@pytest.fixture(scope="module")
def of_people(people):
    return NeuralClassifier(random_state=0).fit(*people)


def test_a_lazy_frame_is_refused_with_what_to_hand_over():
    lazy = pl.LazyFrame({"x": [0.0, 1.0] * 20})
    with pytest.raises(
        TypeError, match=r"a lazy frame holds no rows yet; hand over what X\.collect\(\) gives"
    ):
        NeuralClassifier().fit(lazy, [0, 1] * 20)


@pytest.mark.parametrize("other", [as_polars, as_arrow, as_views], ids=["polars", "pyarrow", "views"])
def test_a_frame_of_another_library_gives_the_same_classifier(people, of_people, other):
    frame, labels = people
    fitted = NeuralClassifier(random_state=0).fit(other(frame), pl.Series(labels))
    np.testing.assert_array_equal(fitted.predict_proba(other(frame)), of_people.predict_proba(frame))
    assert fitted.feature_names_in_.tolist() == list(frame.columns)


def test_every_kind_of_column_is_learned_from(people):
    frame, labels = people
    fitted = NeuralClassifier(random_state=0).fit(frame[:200], labels[:200])
    assert fitted.score(frame[200:], labels[200:]) > 0.8
    kinds = {column.name: column.kind for column in fitted.fitted_.provenance.preprocessing.columns}
    assert kinds == {
        "age": "numeric",
        "children": "numeric",
        "city": "categorical",
        "street": "categorical",
        "member": "boolean",
        "since": "date",
    }


def test_a_category_that_was_never_seen_is_no_error(people, of_people):
    frame = people[0].assign(city="Paris", street="a new one")
    assert np.isfinite(of_people.predict_proba(frame)).all()


def test_columns_that_are_missing_altogether_are_no_error_of_a_row(people, of_people):
    nothing = people[0][:3].assign(age=np.nan, city=None, since=pd.NaT)
    assert np.isfinite(of_people.predict_proba(nothing)).all()


def test_an_array_of_several_types_is_a_table_too(people):
    frame, labels = people
    fitted = NeuralClassifier("linear", max_epochs=5, random_state=0).fit(frame.to_numpy(object), labels)
    kinds = [column.kind for column in fitted.fitted_.provenance.preprocessing.columns]
    assert kinds == ["numeric", "numeric", "categorical", "categorical", "boolean", "date"]


def test_words_that_are_numbers_with_a_comma_are_refused_with_advice(people):
    frame, labels = people
    named = frame.assign(height=[f"1.{number},5" for number in range(100, 399)] + ["7"])
    with pytest.raises(
        ValueError, match=r"'height' holds words that are numbers with a comma, .*make them numbers"
    ):
        NeuralClassifier("linear", max_epochs=5).fit(named, labels)


def test_free_text_is_refused_with_advice(people):
    frame, labels = people
    named = frame.assign(name=[f"person {number}" for number in range(300)])
    with pytest.raises(ValueError, match=r"column 'name' looks like a name or free text.*leave it out"):
        NeuralClassifier().fit(named, labels)


def test_dates_may_be_labels():
    days = np.array([date(2024, 2, 28), date(2024, 2, 29)], object)
    fitted = classifier(max_epochs=2).fit(X, days[CODES])
    assert set(fitted.predict(X).tolist()) <= set(days.tolist())


# Weights


def test_whole_weights_are_counts(people):
    frame, labels = people
    weight = np.random.default_rng(0).integers(0, 4, 300)
    order = np.random.default_rng(1).permutation(300)
    rows = np.repeat(order, weight[order])
    weighted = classifier().fit(frame, labels, sample_weight=weight)
    copied = classifier().fit(frame.iloc[rows], labels[rows])
    np.testing.assert_array_equal(weighted.predict_proba(frame), copied.predict_proba(frame))


def test_the_order_of_the_rows_has_no_influence(trained):
    order = np.random.default_rng(0).permutation(240)
    other = classifier().fit(FRAME.iloc[order], y[order])
    np.testing.assert_array_equal(other.predict_proba(FRAME), trained.predict_proba(FRAME))


@pytest.mark.parametrize("architecture", ["tabular", "shallow_relu"])
def test_a_class_that_weighs_more_is_predicted_more_often(architecture):
    labels = np.where(np.random.default_rng(0).random(240) < 0.5, "a", "b")
    heavy = classifier(architecture).fit(X, labels, sample_weight=np.where(labels == "a", 4.5, 0.5))
    assert heavy.predict_proba(X)[:, 0].mean() > 0.8


@pytest.mark.parametrize("use", ["predict", "predict_proba"])
def test_before_it_is_fitted_it_says_so(use):
    with pytest.raises(NotFittedError):
        getattr(classifier(), use)(X)


def test_before_it_is_fitted_it_cannot_be_saved(tmp_path):
    with pytest.raises(NotFittedError):
        classifier().save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


# What cannot be used


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
    with pytest.raises(ValueError, match=f"finite number, however: column 'along', row 7: {value}"):
        classifier().fit(frame, y) if use == "fit" else trained.predict(frame)


def test_an_infinite_value_in_an_array_is_named_too():
    wrong = X.copy()
    wrong[7, 1] = 1e300
    with pytest.raises(ValueError, match="finite number, however: column 'x2', row 7: 1e\\+300"):
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
    with pytest.raises(
        ValueError, match=r"two classes or more are needed, however y holds 1 class: \['up'\]"
    ):
        classifier().fit(X, np.full(240, "up"))


def test_one_class_that_counts_is_not_enough():
    with pytest.raises(ValueError, match=r"however y holds 1 class: \['down'\]"):
        classifier().fit(X, y, sample_weight=y == "down")


def test_labels_of_several_types_are_refused():
    with pytest.raises(ValueError, match="labels must be of one type, however y holds: int, str"):
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
    with pytest.raises(
        ValueError, match=f"validation_fraction must be above 0 and below 1, however: {fraction}"
    ):
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
        (np.ones(9), r"sample_weight must be \(240,\), one number a row, however: \(9,\)"),
        (np.r_[-1.0, np.ones(239)], "finite and not negative, however: row 0: -1.0"),
        (np.r_[1.0, np.nan, np.ones(238)], "finite and not negative, however: row 1: nan"),
        (np.zeros(240), "above zero for some rows, however: all are 0"),
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
        ({"architecture": 5}, "a shipped one's name or a declaration, however: 5"),
        ({"members": 0}, "greater than or equal to 1"),
        ({"learning_rate": -1.0}, "must be above 0, however: -1.0"),
        ({"device": "gpu"}, "auto, cpu, cuda, cuda:N or mps, however: 'gpu'"),
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


# Stored and opened


@pytest.fixture
def opened(trained, tmp_path):
    trained.save(tmp_path / "model.safetensors")
    return load_classifier(tmp_path / "model.safetensors")


def test_an_opened_classifier_gives_the_same_probabilities(opened, trained):
    np.testing.assert_array_equal(opened.predict_proba(FRAME), trained.predict_proba(FRAME))
    assert opened.predict(FRAME).tolist() == trained.predict(FRAME).tolist()


def test_an_opened_classifier_knows_its_classes_and_features(opened):
    assert opened.classes_.tolist() == ["down", "up"]
    assert opened.n_features_in_ == 2


def test_an_opened_classifier_can_be_fitted_again_with_the_same_options(opened):
    assert opened.get_params()["max_epochs"] == QUICK["max_epochs"]
    training = opened.fit(FRAME, y).fitted_.provenance.training
    assert training == Training(**{k: v for k, v in QUICK.items() if k != "random_state"}, seed=0)


@pytest.mark.parametrize(
    "architecture", ["tabular", "shallow_relu", {"hidden": [4], "training": {"mixup": 0.1}}]
)
@pytest.mark.parametrize("random_state", [3, None])
def test_an_opened_classifier_fitted_again_on_the_same_rows_is_the_same_file(
    architecture, random_state, people, tmp_path
):
    first = classifier(architecture, validation_fraction=0.3, random_state=random_state).fit(*people)
    first.save(tmp_path / "first.safetensors")
    opened = load_classifier(tmp_path / "first.safetensors")
    opened.fit(*people).save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "first.safetensors").read_bytes()


def test_an_opened_model_of_a_split_fitted_again_on_that_split_is_the_same_file(fitted, split, tmp_path):
    artifacts.save(fitted, tmp_path / "first.safetensors")
    load_classifier(tmp_path / "first.safetensors").fit_split(split).save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "first.safetensors").read_bytes()


def test_an_opened_classifier_knows_whether_its_columns_had_names(opened, tmp_path):
    assert opened.feature_names_in_.tolist() == ["across", "along"]
    classifier(max_epochs=2).fit(X, y).save(tmp_path / "without.safetensors")
    assert not hasattr(load_classifier(tmp_path / "without.safetensors"), "feature_names_in_")


@pytest.mark.parametrize("labels", [CODES, CODES.astype(bool), 2.0 * CODES])
def test_labels_keep_their_type_in_a_file(labels, tmp_path):
    fitted = classifier(max_epochs=2).fit(X, labels)
    fitted.save(tmp_path / "model.safetensors")
    again = load_classifier(tmp_path / "model.safetensors").classes_
    assert again.tolist() == np.unique(labels).tolist()
    assert again.dtype == fitted.classes_.dtype


def test_a_file_that_holds_no_classifier_is_told_what_it_holds(table, tmp_path):
    artifacts.save(table, tmp_path / "rows.parquet")
    with pytest.raises(ArtifactError, match=r"rows\.parquet holds no classifier but a Table"):
        load_classifier(tmp_path / "rows.parquet")


def test_a_classifier_is_not_saved_where_it_could_not_be_opened(trained, tmp_path):
    with pytest.raises(ValueError, match=r"stored in a \.safetensors file, however: .*model\.pt"):
        trained.save(tmp_path / "model.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no artifact at .*absent\.safetensors"):
        load_classifier(tmp_path / "absent.safetensors")


# Importing


def test_importing_the_package_imports_neither_torch_nor_dagster(imported_by):
    heavy = {"torch", "sklearn", "pandas", "matplotlib", "dagster", "numpy", "pydantic"}
    assert not imported_by("import classification_assets") & heavy


def test_the_classifier_comes_without_dagster(imported_by):
    imported = imported_by("from classification_assets import NeuralClassifier")
    assert "torch" in imported
    assert "dagster" not in imported


def test_a_name_that_the_package_does_not_have_is_named():
    import classification_assets

    with pytest.raises(AttributeError, match="no attribute 'NeuralRegressor'"):
        classification_assets.NeuralRegressor  # noqa: B018
