"""Whatever the caller has set in PyTorch, a classifier is the same and leaves it as it was."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from classification_assets import load_classifier
from tests.learning.two_moons import FRAME, X, classifier, y


@contextlib.contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


STATES = {
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "meta": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
}
ARCHITECTURES = {
    "tabular": "tabular",
    "mlp": {
        "hidden": [6],
        "normalization": "layer",
        "dropout": 0.1,
        "training": {"input_noise": 0.1, "mixup": 0.1},
    },
    "batch norm": {"hidden": [6], "normalization": "batch", "training": {"label_smoothing": 0.1}},
}


@pytest.fixture(scope="module", params=ARCHITECTURES.values(), ids=list(ARCHITECTURES))
def model(request):
    return classifier(request.param).fit(FRAME, y)


@pytest.mark.parametrize("state", STATES.values(), ids=list(STATES))
def test_it_is_fitted_and_opened_and_predicts_as_always(model, state, tmp_path):
    expected = model.predict_proba(FRAME)
    with state():
        again = classifier(model.architecture).fit(FRAME, y)
        again.save(tmp_path / "model.safetensors")
        opened = load_classifier(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(opened.predict_proba(FRAME), expected)
    np.testing.assert_array_equal(opened.predict_proba(FRAME), expected)
    np.testing.assert_array_equal(again.predict_proba(FRAME), expected)


@pytest.mark.parametrize("state", STATES.values(), ids=list(STATES))
def test_its_onnx_file_is_the_same(model, state, tmp_path):
    model.to_onnx(tmp_path / "usual.onnx")
    with state():
        model.to_onnx(tmp_path / "here.onnx")
    assert (tmp_path / "here.onnx").read_bytes() == (tmp_path / "usual.onnx").read_bytes()


def test_after_fits_and_predictions_in_a_thread_pool_new_threads_have_their_number():
    def fit_and_predict(seed):
        return classifier(members=2, max_epochs=3, random_state=seed).fit(X, y).predict(np.tile(X, (9, 1)))

    torch.set_num_threads(2)
    try:
        for _ in range(3):
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(fit_and_predict, range(8)))
            with ThreadPoolExecutor(1) as pool:
                assert (torch.get_num_threads(), pool.submit(torch.get_num_threads).result()) == (2, 2)
    finally:
        torch.set_num_threads(1)
