"""A plain ensemble: what is kept of its members, and what they may have seen."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from classification_assets.learning.models.architectures import MLP, NAMED, Module
from classification_assets.learning.models.calibration import temperature
from classification_assets.learning.models.fit import fit
from classification_assets.learning.packed.options import Training
from classification_assets.learning.preparation.folds import Fold, Folds
from classification_assets.learning.preparation.split import Split
from classification_assets.learning.tables.table import Table


def test_validation_rows_of_weight_0_stop_and_calibrate_nothing(fit, split):
    without = (np.random.default_rng(0).random(len(split.y)) < 0.5) & (split.fold == Fold.VALIDATION)
    weighted = dataclasses.replace(split, weight=(~without).astype(np.float32))
    relabelled = dataclasses.replace(weighted, y=np.where(without, 1 - split.y, split.y))
    one, other = fit(on=weighted, patience=2, max_epochs=30), fit(on=relabelled, patience=2, max_epochs=30)
    assert all(torch.equal(value, other.state[name]) for name, value in one.state.items())


def test_weights_of_the_validation_rows_calibrate(fit, split):
    heavy = np.where((split.fold == Fold.VALIDATION) & (split.y == 0), 100, 1).astype(np.float32)
    weighted = dataclasses.replace(split, weight=heavy)
    options = {"max_epochs": 3, "early_stopping": False}
    assert fit(on=weighted, **options).state["temperatures"] != fit(**options).state["temperatures"]


def test_a_validation_fold_of_no_weight_at_all_leaves_the_networks_uncalibrated(fit, split):
    weight = (split.fold != Fold.VALIDATION).astype(np.float32)
    fitted = fit(on=dataclasses.replace(split, weight=weight))
    assert fitted.state["temperatures"].tolist() == [1.0]
    assert len(fitted.validation_probabilities) == (split.fold == Fold.VALIDATION).sum()


def test_the_validation_probabilities_are_the_ensembles_own(fitted, split):
    validation = split.X[split.fold == Fold.VALIDATION]
    np.testing.assert_allclose(fitted.validation_probabilities, fitted.predict_proba(validation), atol=1e-6)


def test_the_ensemble_is_calibrated_on_the_validation_fold(fitted, split):
    blend, validation = fitted.blend, split.rows(Fold.VALIDATION)
    X = torch.from_numpy(split.preprocessing.features(split.X[validation]))
    logits = blend.logits(X)[0].mean(0)
    expected = temperature(logits, torch.from_numpy(split.y[validation]))
    assert fitted.state["temperatures"].item() == pytest.approx(expected, rel=1e-4)


def test_rows_of_the_test_fold_change_nothing_in_a_model(fit, split, fitted):
    test = (split.fold == Fold.TEST)[:, None]
    other = dataclasses.replace(split, X=np.where(test, 1e6, split.X).astype(np.float32))
    again = fit(on=other)
    assert all(torch.equal(value, fitted.state[name]) for name, value in again.state.items())


def test_row_weights_of_a_split_are_used(fit, split):
    without = (np.random.default_rng(0).random(len(split.y)) < 0.5) & (split.fold == Fold.TRAIN)
    weighted = dataclasses.replace(split, weight=(~without).astype(np.float32))
    relabelled = dataclasses.replace(weighted, y=np.where(without, 1 - split.y, split.y))
    one, other = fit(on=weighted), fit(on=relabelled)
    assert all(torch.equal(value, other.state[name]) for name, value in one.state.items())


@pytest.fixture(scope="module", params=["plain", "one dropout rate a member", "no dropout where it trained"])
def with_a_failure(request, fit):
    """An ensemble whose second member could not be trained."""
    dropout = {"plain": 0.0, "one dropout rate a member": (0.1, 0.2, 0.3)}.get(request.param, (0.0, 0.2, 0.0))
    return fit(MLP(hidden=(6,), dropout=dropout), learning_rate=(0.03, 1e38, 0.02))


def test_a_member_that_failed_is_left_out(with_a_failure):
    seeds = with_a_failure.provenance.training.seeds
    assert [pack.seeds for pack in with_a_failure.provenance.packs] == [(seeds[0], seeds[2])]


def test_the_history_still_tells_of_a_member_that_failed(with_a_failure):
    assert (with_a_failure.best_step < 0).tolist() == [False, True, False]
    assert with_a_failure.history["train_loss"].shape[1] == 3


def test_an_ensemble_that_a_member_failed_in_predicts_with_the_others(with_a_failure, split):
    blended, _, members = with_a_failure.member_predictions(split.X)
    assert len(members) == 2
    assert np.isfinite(blended).all()


def test_a_member_that_the_last_step_ruined_is_left_out_too(fit, split):
    options = {"max_epochs": 1, "batch_size": None, "early_stopping": False}
    fitted = fit(learning_rate=(0.03, 1e38, 0.02), **options)
    assert (fitted.best_step < 0).tolist() == [False, True, False]
    assert np.isfinite(fitted.predict_proba(split.X)).all()


def test_snapshots_leave_out_a_member_that_failed(with_a_failure, split):
    for step, state in with_a_failure.checkpoints.items():
        assert all(len(value) == 2 for value in state.values())
        assert np.isfinite(with_a_failure.probabilities_at(step, split.X)).all()


@pytest.mark.parametrize(
    ("training", "advice"),
    [
        ({"learning_rate": 1e38}, "lower learning_rate (1e+38), to 0.01 say"),
        (
            {"learning_rate": (1e38, 1e37, 1e36)},
            "lower learning_rate ((1e+38, 1e+37, 1e+36)), to 0.01 say",
        ),
        ({"learning_rate": 0.01, "weight_decay": 1e38}, "lower weight_decay (1e+38), to 0.0001 say"),
        (
            {"learning_rate": 1e38, "weight_decay": 0.1},
            "lower learning_rate (1e+38), to 0.01 say; lower weight_decay (0.1), to 0.0001 say",
        ),
    ],
)
def test_when_no_member_can_be_trained_the_error_names_the_architecture_the_field_and_what_would_be_right(
    fit, training, advice
):
    with pytest.raises(FloatingPointError) as raised:
        fit(**training)
    words = r"narrow: the losses of all 3 networks stopped being finite within \d+ steps, the largest input being "
    assert re.fullmatch(words + r"2\.\d+; " + re.escape(advice), str(raised.value))


def test_an_only_network_that_cannot_be_trained_is_told_as_one(fit):
    with pytest.raises(
        FloatingPointError, match=r"^narrow: the loss of its only network stopped being finite"
    ):
        fit(learning_rate=1e38, members=1)


class Broken(nn.Linear):
    """A person's own network, that knows no number."""

    def forward(self, x):
        return super().forward(x) * torch.inf


def test_a_learning_rate_that_is_not_high_is_to_become_lower_all_the_same(fit):
    module = Module(kind="module", name="mine", path=f"{__name__}:Broken")
    with pytest.raises(FloatingPointError, match=r"mine: .*lower learning_rate \(0\.01\), to 0\.001 say$"):
        fit(module, learning_rate=0.01)


@pytest.mark.parametrize("training", [{}, {"batch_size": None}, {"early_stopping": False}])
def test_the_same_training_gives_the_same_model(fit, training):
    one, other = fit(**training), fit(**training)
    assert all(torch.equal(value, other.state[name]) for name, value in one.state.items())


def test_more_members_leave_the_first_ones_as_they_were(fit, fitted):
    more = fit(members=5)
    for name, value in fitted.state.items():
        if name.startswith("packs."):
            torch.testing.assert_close(more.state[name][:3], value, rtol=1e-4, atol=1e-5)


@given(st.integers(0, 2**31))
@settings(max_examples=3, deadline=None)
def test_another_seed_gives_another_model(fit, fitted, seed):
    assume(seed != 0)
    assert not torch.equal(
        fit(seed=seed).state["packs.0.layers.0.weight"], fitted.state["packs.0.layers.0.weight"]
    )


@pytest.fixture(scope="module")
def split_of_every_kind():
    rng = np.random.default_rng(0)
    number = rng.normal(size=300)
    frame = pd.DataFrame(
        {
            "number": np.where(rng.random(300) < 0.2, np.nan, number),
            "word": rng.choice(["Bern", "Rome", "Oslo"], 300),
            "day": pd.date_range("2024-01-01", periods=300),
            "label": number > 0,
        }
    )
    return Split.of(Table.of_frame(frame), Folds())


@pytest.mark.parametrize("architecture", ["linear", "tabular"])
@pytest.mark.parametrize("columns", ["split", "split_of_every_kind"])
def test_a_large_table_that_is_standardized_block_by_block_gives_the_same_model(
    fit, architecture, columns, request, monkeypatch
):
    split = request.getfixturevalue(columns)
    copied = fit(NAMED[architecture], on=split)
    monkeypatch.setattr("classification_assets.learning.preparation.split.COPIED_BYTES", 0)
    in_blocks = fit(NAMED[architecture], on=split)
    np.testing.assert_allclose(in_blocks.predict_proba(split.X), copied.predict_proba(split.X), atol=1e-4)


@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_without_validation_rows_the_networks_are_trained_uncalibrated(split, normalization):
    rows = split.fold != Fold.VALIDATION
    alone = dataclasses.replace(split, X=split.X[rows], y=split.y[rows], fold=split.fold[rows])
    training = Training(members=2, max_epochs=3)
    fitted = fit(MLP(hidden=(4,), normalization=normalization), alone, training)
    assert fitted.state["temperatures"].tolist() == [1.0]
    assert np.isfinite(fitted.predict_proba(split.X)).all()


def test_batches_of_one_row_leave_batch_norm_finite(split):
    training = Training(members=2, max_epochs=1, batch_size=1)
    fitted = fit(MLP(hidden=(4,), normalization="batch"), split, training)
    assert np.isfinite(fitted.predict_proba(split.X)).all()
