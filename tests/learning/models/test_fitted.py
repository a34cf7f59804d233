"""A fitted model predicts the same in chunks and in threads, and says how it was trained."""

import sys
import types

import numpy as np
import pytest
import torch
from torch import nn

from classification_assets.learning.models.architectures import Module


def test_a_prediction_in_chunks_is_the_prediction_at_once(fitted, split, monkeypatch):
    blended, _, members = fitted.member_predictions(split.X)
    monkeypatch.setattr("classification_assets.learning.models.fitted._CHUNK_BYTES", 700)
    monkeypatch.setattr("classification_assets.learning.models.fitted._CHUNK_ROWS", 1)
    again, _, members_again = fitted.member_predictions(split.X)
    np.testing.assert_allclose(again, blended, atol=1e-6)
    np.testing.assert_allclose(members_again, members, atol=1e-6)


def test_a_prediction_of_no_rows_has_no_rows(fitted):
    assert fitted.predict_proba(np.empty((0, 2), np.float32)).shape == (0, 2)


def test_rows_are_predicted_in_their_own_units(fitted, split):
    features = torch.from_numpy(split.preprocessing.features(split.X))
    np.testing.assert_allclose(fitted.predict_proba(split.X), fitted.blend(features).numpy(), atol=1e-6)


def test_the_summary_follows_the_members_that_were_trained(fit):
    fitted = fit(learning_rate=(0.03, 1e38, 0.02))
    summary = fitted.summary()
    best = np.nanmin(fitted.history["validation_loss"][:, [0, 2]], axis=0)
    assert summary["validation_loss"] == pytest.approx(best.mean())
    assert (summary["members"], summary["failed"]) == (2, 1)
    assert summary["temperature"] == pytest.approx(fitted.state["temperatures"].item())


def test_the_hyper_parameters_are_those_that_were_used(fitted):
    table = fitted.hyperparameters().set_index("hyper-parameter")["value"]
    assert table["hidden"] == "[6]"
    assert table["activation"] == "tanh"
    assert table["learning_rate"] == "0.03"
    assert table["members"] == "3"


def test_the_provenance_notes_what_a_run_set_otherwise(fitted):
    noted = fitted.noting({"max_epochs": 6})
    assert noted.provenance.overridden == {"max_epochs": 6}
    assert fitted.provenance.overridden == {}


class Own(nn.Module):
    def __init__(self, n_features, n_classes, width=4):
        super().__init__()
        self.first = nn.Linear(n_features, width)
        self.gain = nn.Parameter(torch.tensor(1.0))
        self.last = nn.Linear(width, n_classes)

    def forward(self, x):
        return self.last(self.gain * self.first(x).relu())


@pytest.fixture
def own(monkeypatch):
    """The declaration of a network class that lives in the module `theirs`."""
    theirs = types.ModuleType("theirs")
    theirs.Own = Own
    monkeypatch.setitem(sys.modules, "theirs", theirs)
    return Module(kind="module", name="own", path="theirs:Own", arguments={"width": 7})


def test_a_persons_own_network_predicts_after_training(fit, own, split):
    p = fit(own).predict_proba(split.X)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)
    assert (p.argmax(1) == split.y).mean() > 0.7


def test_a_persons_own_network_is_made_with_its_declared_arguments(fit, own):
    assert fit(own).state["packs.0.first/weight"].shape == (3, 7, 2)


def test_threads_that_share_the_rows_predict_the_same(fitted, split, monkeypatch):
    expected = fitted.predict_proba(split.X)
    before = torch.get_num_threads()
    monkeypatch.setattr("classification_assets.learning.models.fitted._CHUNK_BYTES", 2**12)
    monkeypatch.setattr("classification_assets.learning.models.fitted._CHUNK_ROWS", 1)
    torch.set_num_threads(2)
    try:
        blended, _, members = fitted.member_predictions(split.X)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(blended, expected, atol=1e-6)
    assert members.shape[1] == len(expected)
