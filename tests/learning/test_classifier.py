"""NeuralClassifier behaves as scikit-learn's classifiers do."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from classification_assets import NeuralClassifier
from classification_assets.learning.models.architectures import MLP
from tests.learning.two_moons import CODES, FRAME, X, classifier, y


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


def test_the_readmes_examples_run(tmp_path, monkeypatch):
    section = (Path(__file__).parents[2] / "README.md").read_text().split("## In Python")[1]
    monkeypatch.chdir(tmp_path)
    for block in section.split("```python")[1:]:
        exec(block.split("```")[0], {})
    assert {path.suffix for path in tmp_path.iterdir()} == {".onnx", ".safetensors"}


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


# Importing


def test_importing_the_package_imports_neither_torch_nor_dagster(imported_by):
    heavy = {"torch", "sklearn", "pandas", "matplotlib", "dagster", "numpy", "pydantic"}
    assert not imported_by("import classification_assets") & heavy


def test_the_classifier_comes_without_dagster(imported_by):
    imported = imported_by("from classification_assets import NeuralClassifier")
    assert "torch" in imported
    assert not {"dagster", "matplotlib", "PIL"} & imported


def test_a_name_that_the_package_does_not_have_is_named():
    import classification_assets

    with pytest.raises(AttributeError, match="no attribute 'NeuralRegressor'"):
        classification_assets.NeuralRegressor  # noqa: B018
