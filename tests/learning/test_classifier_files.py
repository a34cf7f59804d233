"""NeuralClassifier is stored and opened, and fitted again as it was."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from classification_assets import load_classifier
from classification_assets.learning.artifacts import storage
from classification_assets.learning.artifacts.storage import ArtifactError
from classification_assets.learning.packed.options import Training
from tests.learning.two_moons import CODES, FRAME, QUICK, X, classifier, y


@pytest.fixture(scope="module")
def trained():
    return classifier().fit(FRAME, y)


def test_before_it_is_fitted_it_cannot_be_saved(tmp_path):
    with pytest.raises(NotFittedError):
        classifier().save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


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
    storage.save(fitted, tmp_path / "first.safetensors")
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
    storage.save(table, tmp_path / "rows.parquet")
    with pytest.raises(ArtifactError, match=r"rows\.parquet holds no classifier but a Table"):
        load_classifier(tmp_path / "rows.parquet")


def test_a_classifier_is_not_saved_where_it_could_not_be_opened(trained, tmp_path):
    with pytest.raises(ValueError, match=r"stored in a \.safetensors file, got .*model\.pt"):
        trained.save(tmp_path / "model.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no artifact at .*absent\.safetensors"):
        load_classifier(tmp_path / "absent.safetensors")
