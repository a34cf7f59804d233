"""NeuralClassifier behaves as scikit-learn's classifiers do, and can be stored and opened."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

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
    "labels", [CODES, CODES.astype(bool), CODES.astype(float), pd.Series(y, dtype=object)]
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


def test_columns_of_a_frame_are_found_by_name_and_others_ignored(trained):
    other = FRAME.assign(colour="red")[["colour", "along", "across"]]
    np.testing.assert_array_equal(trained.predict_proba(other), trained.predict_proba(FRAME))


def test_an_array_is_taken_in_the_order_of_the_frames_columns(trained):
    np.testing.assert_array_equal(trained.predict_proba(X), trained.predict_proba(FRAME))


def test_columns_may_be_named_by_numbers():
    frame = pd.DataFrame(X)
    assert classifier(max_epochs=2).fit(frame, y).predict_proba(frame).shape == (240, 2)


def test_rows_of_weight_0_teach_nothing():
    wrong = np.random.default_rng(0).random(240) < 0.6
    labels = np.where(wrong, np.where(y == "up", "down", "up"), y)
    weighted = classifier().fit(X, labels, sample_weight=(~wrong).astype(float))
    assert weighted.score(X, y) > 0.85


def test_the_same_random_state_gives_the_same_probabilities(trained):
    np.testing.assert_array_equal(classifier().fit(FRAME, y).predict_proba(X), trained.predict_proba(X))


def test_another_random_state_gives_other_probabilities(trained):
    assert (classifier(random_state=1).fit(FRAME, y).predict_proba(X) != trained.predict_proba(X)).any()


def test_a_random_state_that_goes_on_gives_another_classifier_each_time():
    state = np.random.RandomState(0)
    one, other = (classifier(random_state=state).fit(X, y).predict_proba(X) for _ in range(2))
    assert (one != other).any()


def test_rows_scaled_and_shifted_give_the_same_classifier():
    there = classifier().fit(1000 * X - 5000, y).predict_proba(1000 * X - 5000)
    np.testing.assert_allclose(there, classifier().fit(X, y).predict_proba(X), atol=0.02)


# In scikit-learn's world


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


def test_fitting_again_forgets_the_first_fit():
    again = classifier()
    again.fit(X, y).fit(np.hstack([X, X, X]), np.arange(240) % 3)
    assert again.n_features_in_ == 6
    assert again.classes_.tolist() == [0, 1, 2]


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
    with pytest.raises(ValueError, match="missing columns: along; expected are across, along"):
        trained.predict(FRAME[["across"]])


@pytest.mark.parametrize(("use", "value"), [("fit", np.nan), ("fit", np.inf), ("predict", np.inf)])
def test_a_value_that_is_not_finite_is_named_with_column_and_row(trained, use, value):
    frame = FRAME.copy()
    frame.loc[7, "along"] = value
    with pytest.raises(ValueError, match=f"finite number, however: column 'along', row 7: {value}"):
        classifier().fit(frame, y) if use == "fit" else trained.predict(frame)


@pytest.mark.parametrize("value", ["tall", pd.NA])
def test_a_value_that_is_no_number_is_named_with_its_column(value):
    frame = FRAME.astype(object)
    frame.loc[7, "along"] = value
    with pytest.raises(ValueError, match="must be a number, however: column 'along'"):
        classifier().fit(frame, y)


def test_one_class_is_not_enough():
    with pytest.raises(ValueError, match=r"y must hold two classes or more, however: \['up'\]"):
        classifier().fit(X, np.full(240, "up"))


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_a_missing_label_is_named_with_its_row(missing):
    labels = y.astype(object)
    labels[9] = missing
    with pytest.raises(ValueError, match=f"y must hold no missing label, however: row 9: {missing}"):
        classifier().fit(X, labels)


@pytest.mark.parametrize(("rows", "labels"), [(X[:, 0], y), (X, y[:9]), (X, y[:, None]), (X[None], y)])
def test_rows_and_labels_that_do_not_fit_are_shown_by_their_shapes(rows, labels):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (the whole message is compared)
        classifier().fit(rows, labels)
    assert str(raised.value) == f"expected X (N, D) and y (N,), however: {rows.shape} and {labels.shape}"


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.999, 1.5, -1])
def test_a_validation_fraction_that_leaves_too_few_rows_is_shown_with_the_numbers(fraction):
    with pytest.raises(
        ValueError, match=f"validation_fraction = {fraction} of 240 rows is {round(fraction * 240)};"
    ):
        classifier(validation_fraction=fraction).fit(X, y)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(9), r"sample_weight must be \(240,\), one number a row, however: \(9,\)"),
        (np.r_[-1.0, np.ones(239)], "finite and not negative, however: row 0: -1.0"),
        (np.r_[1.0, np.nan, np.ones(238)], "finite and not negative, however: row 1: nan"),
        (np.zeros(240), "above 0 for some rows, however: all are 0"),
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
    with pytest.raises(ValidationError, match="'across' is there more than once"):
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
    training = opened.fit(X, y).fitted_.provenance.training
    assert training.replaced(seed=0) == Training(
        **{k: v for k, v in QUICK.items() if k != "random_state"}
    ).replaced(seed=0)


@pytest.mark.parametrize("labels", [CODES, CODES.astype(bool), CODES + 0.5])
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
