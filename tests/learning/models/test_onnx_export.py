"""A classifier gives the same probabilities in ONNX Runtime."""

import json
import sys

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest

from classification_assets import NeuralClassifier, load_classifier

RNG = np.random.default_rng(0)
PEOPLE = pd.DataFrame(
    {
        "age": RNG.normal(40, 12, 240),
        "city": RNG.choice(["Bern", "Oslo", "Rome"], 240),
        "street": RNG.choice([f"street {number}" for number in range(50)], 240),
        "member": RNG.random(240) < 0.5,
        "since": pd.Timestamp("2020-03-01") + pd.to_timedelta(RNG.integers(0, 9000, 240), unit="h"),
        "income": RNG.lognormal(10, 2, 240),
        "fee": np.concatenate(
            [np.zeros(130), RNG.choice([12.7, 40.1, 99.9, 315.3], 80), RNG.uniform(1, 400, 30)]
        ),
    }
)
PEOPLE.loc[::9, "age"] = np.nan
PEOPLE.loc[::13, "income"] = np.nan
PEOPLE.loc[::10, "city"] = None
PEOPLE.loc[::11, "since"] = pd.NaT
LABELS = np.where((PEOPLE["age"].fillna(50) > 40) ^ (PEOPLE["city"] == "Rome"), "comes", "stays")
ARCHITECTURES = {
    "the default": "tabular",
    "linear": "linear",
    "deep": {"hidden": [16, 16, 16], "activation": "gelu", "residual": True, "dropout": 0.1},
    "batch norm": {"hidden": [8, 8], "normalization": "batch", "activation": "silu"},
    "layer norm": {"hidden": [8, 8], "normalization": "layer", "activation": "tanh"},
    "leaky": {"hidden": [8], "activation": "leaky_relu"},
}


def classifier(architecture, **options):
    return NeuralClassifier(architecture, members=3, max_epochs=8, random_state=0, **options)


@pytest.fixture(scope="module", params=ARCHITECTURES.values(), ids=ARCHITECTURES.keys())
def served(request, tmp_path_factory):
    """A classifier and the path of its graph."""
    path = tmp_path_factory.mktemp("served") / "model.onnx"
    fitted = classifier(request.param).fit(PEOPLE, LABELS)
    fitted.to_onnx(path)
    return fitted, path


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    path = tmp_path_factory.mktemp("one") / "model.onnx"
    fitted = classifier("linear").fit(PEOPLE, LABELS)
    fitted.to_onnx(path)
    return fitted, path


def probabilities(path, X):
    return onnxruntime.InferenceSession(path).run(["probabilities"], {"X": X})[0]


@pytest.mark.parametrize("rows", [1, 2, 7, 240])
def test_any_number_of_rows_gives_the_same_probabilities(served, rows):
    fitted, path = served
    X = fitted.fitted_.provenance.preprocessing.encode(PEOPLE[:rows])
    np.testing.assert_allclose(probabilities(path, X), fitted.predict_proba(PEOPLE[:rows]), atol=1e-5)


@pytest.mark.parametrize("value", [np.nan, -1e30, 1e30])
def test_rows_unlike_any_other_give_the_same_probabilities(served, value):
    fitted, path = served
    frame = PEOPLE[:5].assign(
        age=value, city="Paris", street=None, since=pd.Timestamp("2300-01-01"), income=value
    )
    X = fitted.fitted_.provenance.preprocessing.encode(frame)
    np.testing.assert_allclose(probabilities(path, X), fitted.predict_proba(frame), atol=1e-5)


def test_the_file_says_what_goes_in_and_what_comes_out(one):
    told = {
        name: json.loads(value)
        for name, value in onnxruntime.InferenceSession(one[1]).get_modelmeta().custom_metadata_map.items()
    }
    assert told["classes"] == ["comes", "stays"]
    assert told["feature_names"] == list(PEOPLE.columns)
    assert sorted(told["categories"]["city"]) == ["Bern", "Oslo", "Rome"]
    assert set(told["categories"]) == {"city", "street"}


def test_rows_can_be_encoded_from_what_the_file_says(one):
    fitted, path = one
    categories = json.loads(
        onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map["categories"]
    )
    frame = PEOPLE.dropna()[:20]
    columns = [
        frame["age"],
        *(frame[name].map(categories[name].index) for name in ("city", "street")),
        frame["member"],
        (frame["since"] - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1),
        frame["income"],
        frame["fee"],
    ]
    X = np.column_stack([column.to_numpy(np.float32) for column in columns])
    np.testing.assert_allclose(probabilities(path, X), fitted.predict_proba(frame), atol=1e-5)


def test_the_file_is_a_valid_graph_whose_rows_may_be_any_number(one):
    graph = onnx.load(one[1]).graph
    onnx.checker.check_model(onnx.load(one[1]))
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output)
    }
    assert shapes["X"] == ["N", len(PEOPLE.columns)]
    assert shapes["probabilities"][0] == "N"


def test_the_same_classifier_gives_the_same_bytes(one, tmp_path):
    fitted, path = one
    fitted.save(tmp_path / "model.safetensors")
    load_classifier(tmp_path / "model.safetensors").to_onnx(tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == path.read_bytes()


def test_without_the_extra_the_error_says_what_to_install(one, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'classification-assets\[onnx\]'"):
        one[0].to_onnx(tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_is_refused(one, tmp_path):
    with pytest.raises(ValueError, match=r"stored in a \.onnx file, got .*model\.pb"):
        one[0].to_onnx(tmp_path / "model.pb")


def test_a_class_of_ones_own_is_refused_with_what_can_be_exported(tmp_path):
    own = {"kind": "module", "path": "torch.nn:Linear"}
    fitted = classifier(own).fit(PEOPLE, LABELS)
    with pytest.raises(ValueError, match=r"torch\.nn:Linear.*kind mlp and tabular are"):
        fitted.to_onnx(tmp_path / "model.onnx")


def test_a_table_of_numbers_alone_may_have_gaps_where_it_is_served(tmp_path):
    X = RNG.normal(5, 3, (120, 3)).astype(np.float32)
    fitted = classifier("linear").fit(X, np.where(X[:, 0] > X[:, 1], "a", "b"))
    fitted.to_onnx(tmp_path / "model.onnx")
    X[0, 0], X[1, 1], X[2, 2] = np.nan, 1e30, -1e30
    for rows in (X[:1], X[3:], X):
        np.testing.assert_allclose(
            probabilities(tmp_path / "model.onnx", rows), fitted.predict_proba(rows), atol=1e-5
        )
