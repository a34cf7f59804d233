"""Models, tables and splits that an older version stored are read, and predict what they predicted then.

These files stay for ever and are never made anew: somebody's model of that time must open with every later version.
Where a format changes, it gets new files beside these, and code that reads both.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from classification_assets import load_classifier
from classification_assets.learning.artifacts.storage import load
from classification_assets.learning.preparation.folds import Fold
from tests.frozen.own_network import OwnNetwork

FROZEN = Path(__file__).parents[2] / "frozen"
N_ROWS = 40
"""Number of rows whose probabilities are stored."""
MOONS = ["linear", "mlp", "regularized", "layer_norm", "module", "tabular"]
PEOPLE = ["people_mlp", "people_tabular"]


def frozen(name, module=None):
    return load(FROZEN / f"{name}.safetensors", module=module)


def assert_as_then(probabilities, name):
    np.testing.assert_allclose(probabilities, np.load(FROZEN / f"{name}.npy"), rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def split():
    return load(FROZEN / "moons_split.parquet")


def test_every_frozen_model_is_tested_here():
    models = {path.stem for path in FROZEN.glob("*.safetensors")}
    assert models == {*MOONS, *PEOPLE, "classifier"}


@pytest.mark.parametrize("name", MOONS)
def test_a_model_of_the_moons_predicts_what_it_did(name, split):
    model = frozen(name, OwnNetwork if name == "module" else None)
    assert_as_then(model.predict_proba(split.X[:N_ROWS]), name)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_model_of_columns_of_every_kind_predicts_what_it_did(name):
    assert_as_then(frozen(name).predict_proba(np.load(FROZEN / "people_X.npy")), name)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_model_encodes_a_frame_as_it_did(name):
    frame = pd.read_parquet(FROZEN / "people.parquet")[:N_ROWS]
    X = frozen(name).provenance.preprocessing.encode(frame)
    np.testing.assert_array_equal(X, np.load(FROZEN / "people_X.npy"))


def test_a_classifier_takes_the_frame_that_it_took():
    classifier = load_classifier(FROZEN / "classifier.safetensors")
    frame = pd.read_parquet(FROZEN / "people.parquet").drop(columns="comes")
    assert classifier.classes_.tolist() == ["2024-01-01", "2024-06-01"]
    assert classifier.feature_names_in_.tolist() == list(frame)
    assert_as_then(classifier.predict_proba(frame[:N_ROWS]), "classifier")


def test_snapshots_of_a_training_are_there(split):
    model = frozen("mlp")
    steps = list(model.checkpoints)
    assert steps[0] == 0
    assert steps == sorted(steps)
    assert_as_then(model.probabilities_at(steps[-1], split.X[:N_ROWS]), "mlp")
    start = model.probabilities_at(0, split.X[:N_ROWS])
    assert np.abs(start - np.load(FROZEN / "mlp.npy")).max() > 0.1


@pytest.mark.parametrize("name", [*MOONS, *PEOPLE])
def test_a_model_says_what_it_was_trained_as(name):
    model = frozen(name)
    training = model.provenance.training
    assert (training.members, training.max_epochs) == (3, 12)
    assert np.isfinite(model.validation_probabilities).all()
    assert len(model.hyperparameters()) > 5
    assert model.summary()["failed"] == 0


def test_a_table_is_what_it_was():
    table = load(FROZEN / "moons_table.parquet")
    assert table.kinds() == {"x1": "numeric", "x2": "numeric"}
    assert table.target == "label"
    assert table.frame.shape == (160, 3)
    assert pd.util.hash_pandas_object(table.frame, index=False).sum() == 10581913941097084874


def test_a_split_is_what_it_was(split):
    table = load(FROZEN / "moons_table.parquet")
    np.testing.assert_array_equal(split.X, table.frame[["x1", "x2"]].to_numpy(np.float32))
    np.testing.assert_array_equal(split.y, table.labels()[1])
    assert split.classes == table.labels()[0] == [0, 1]
    assert [len(split.rows(fold)) for fold in (Fold.TRAIN, Fold.VALIDATION, Fold.TEST)] == [88, 32, 40]
    assert split.weight is split.group is split.timestamp is None
    features = split.preprocessing.features(split.X[split.rows(Fold.TRAIN)])
    np.testing.assert_allclose(features.mean(0), 0, atol=1e-5)
    assert split.source == table.source


def test_a_split_knows_the_data_set_that_its_rows_were_drawn_from(split):
    assert (split.posterior(split.X).argmax(1) == split.y).mean() > 0.9
