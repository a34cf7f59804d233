"""Snapshots of a training beside their model: small, read only when asked for, and refused when they are another's."""

import copy
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from classification_assets.learning.artifacts.files import ArtifactError
from classification_assets.learning.artifacts.snapshots_file import (
    LEAST_SIDE,
    NAME,
    SnapshotsBeside,
    StoredSnapshots,
    beside,
)
from classification_assets.learning.artifacts.storage import load, save, stage
from classification_assets.learning.evaluation.snapshot_losses import snapshot_losses
from classification_assets.learning.figures.boundary_displays import snapshots_of
from classification_assets.learning.models.architectures import MLP

FROZEN = Path(__file__).parents[2] / "frozen"


@pytest.fixture(scope="module")
def wide(fit):
    """A trained model of which some matrices are stored in 8 bits."""
    return fit(MLP(hidden=(LEAST_SIDE, LEAST_SIDE)))


@pytest.fixture
def published(wide, tmp_path):
    """The path of that model, published with its snapshots beside it."""
    return publish(wide, tmp_path)


def publish(model, folder):
    snapshots = SnapshotsBeside(model.checkpoints)
    path = folder / "model.safetensors"
    stage(dataclasses.replace(model, checkpoints=snapshots), path, {NAME: snapshots}).publish()
    return path


def test_a_model_is_as_small_as_without_snapshots_and_these_take_a_third_of_their_place(
    wide, published, tmp_path
):
    save(dataclasses.replace(wide, checkpoints={}), tmp_path / "alone.safetensors")
    save(wide, tmp_path / "all.safetensors")
    alone, everything = ((tmp_path / f"{name}.safetensors").stat().st_size for name in ("alone", "all"))
    assert published.stat().st_size < alone + 500
    assert beside(published).stat().st_size < 0.4 * (everything - alone)


def test_losses_of_rounded_snapshots_are_those_of_the_exact_ones(wide, split, tmp_path):
    exact = snapshot_losses(wide, split)
    snapshots = SnapshotsBeside(wide.checkpoints, exact)
    path = tmp_path / "model.safetensors"
    stage(dataclasses.replace(wide, checkpoints=snapshots), path, {NAME: snapshots}).publish()
    loaded = load(path)
    assert loaded.checkpoints.losses == exact
    assert list(exact) == list(wide.checkpoints)
    assert snapshot_losses(loaded, split) != exact, "or nothing would have been rounded"
    assert [each.loss for each in snapshots_of(loaded, split)] == list(exact.values())


def test_snapshots_that_tell_no_losses_are_scored_themselves(published, split):
    model = load(published)
    assert model.checkpoints.losses == {}
    shown = [each.loss for each in snapshots_of(model, split)]
    assert shown == list(snapshot_losses(model, split).values())


def test_predicting_opens_no_snapshots(wide, published, split):
    beside(published).unlink()
    model = load(published)
    np.testing.assert_array_equal(model.predict_proba(split.X), wide.predict_proba(split.X))
    assert list(model.checkpoints) == list(wide.checkpoints)


def test_probabilities_at_every_step_are_those_of_the_training_but_for_a_hundredth(wide, published, split):
    model = load(published)
    for step in wide.checkpoints:
        told, stored = (each.probabilities_at(step, split.X) for each in (wide, model))
        np.testing.assert_allclose(stored, told, rtol=0, atol=0.01)
    with pytest.raises(KeyError, match=r"no checkpoint of step 7; there are: 0, "):
        model.probabilities_at(7, split.X)


def test_small_matrices_are_stored_as_float16(fit, split, tmp_path):
    fitted = fit()
    stored = load(publish(fitted, tmp_path))
    for step, state in fitted.checkpoints.items():
        for name, value in state.items():
            torch.testing.assert_close(stored.checkpoints[step][name], value.half().float(), rtol=0, atol=0)


def test_numbers_that_float16_does_not_hold_and_whole_ones_stay_as_they_are(tmp_path):
    state = {"large": torch.tensor([1e30, 1.0]), "count": torch.tensor([3]), "none": torch.zeros(2, 0)}
    save(SnapshotsBeside({0: state}), tmp_path / NAME)
    stored = load(tmp_path / NAME)[0]
    assert stored.keys() == state.keys()
    for name, value in state.items():
        torch.testing.assert_close(stored[name], value, rtol=0, atol=0)


def test_a_row_of_zeros_in_a_large_matrix_stays_one(tmp_path):
    value = torch.ones(1, LEAST_SIDE, LEAST_SIDE)
    value[0, 3] = 0
    save(SnapshotsBeside({5: {"weight": value}}), tmp_path / NAME)
    torch.testing.assert_close(load(tmp_path / NAME)[5]["weight"], value)


def test_before_the_training_where_all_classes_are_nearly_as_likely_all_is_finer(wide, published):
    start, later, *_ = wide.checkpoints
    stored = load(published).checkpoints
    name = next(name for name, value in wide.checkpoints[0].items() if value.shape[1:] == (LEAST_SIDE,) * 2)
    errors = [
        float((stored[step][name] - wide.checkpoints[step][name]).abs().max()) for step in (start, later)
    ]
    assert errors[0] < errors[1] / 5


def test_the_same_snapshots_give_the_same_bytes(wide, published, tmp_path):
    (tmp_path / "again").mkdir()
    other = publish(wide, tmp_path / "again")
    assert beside(other).read_bytes() == beside(published).read_bytes()
    assert other.read_bytes() == published.read_bytes()


def test_snapshots_of_earlier_versions_each_step_by_itself_are_read():
    rng = np.random.default_rng(0)
    stored = load(FROZEN / "weights.snapshots.safetensors")
    assert stored.losses == {0: 0.7, 5: 0.5, 10: 0.25}
    for step in (0, 5, 10):
        weight, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((1, 32, 32), (1, 3, 1)))
        assert list(stored[step]) == ["bias", "weight"]
        np.testing.assert_allclose(stored[step]["weight"], weight, atol=0.001 if step == 0 else 0.02)
        np.testing.assert_allclose(stored[step]["bias"], bias, atol=0.001)


def test_a_snapshot_that_differs_little_from_the_one_before_takes_fewer_bytes(tmp_path):
    rng = np.random.default_rng(0)
    states, weight = {}, rng.normal(size=(4, 64, 64))
    for step in range(1, 9):
        states[step] = {"weight": torch.from_numpy(weight.astype(np.float32))}
        weight = weight + 0.1 * rng.normal(size=weight.shape)
    sizes = []
    for most in (1, 8):
        save(SnapshotsBeside({step: states[step] for step in list(states)[:most]}), tmp_path / NAME)
        sizes.append((tmp_path / NAME).stat().st_size)
    assert sizes[1] < (1 + 7 * 0.7) * sizes[0]


def test_a_tensor_that_changes_its_shape_is_stored_step_by_step(tmp_path):
    states = {step: {"grows": torch.ones(step, 2), "weight": torch.ones(1)} for step in (1, 2)}
    save(SnapshotsBeside(states), tmp_path / NAME)
    stored = load(tmp_path / NAME)
    assert [tuple(stored[step]["grows"].shape) for step in (1, 2)] == [(1, 2), (2, 2)]


def test_snapshots_of_another_training_are_refused(fit, published, split, tmp_path):
    (tmp_path / "other").mkdir()
    other = publish(fit(seed=9), tmp_path / "other")
    beside(other).replace(beside(published))
    with pytest.raises(ArtifactError, match=rf"{NAME} holds snapshots of another training .*train the model"):
        load(published).probabilities_at(0, split.X)


def test_snapshots_that_are_gone_are_told(published, split):
    beside(published).unlink()
    with pytest.raises(ArtifactError, match=rf"{NAME} is gone, which belongs to the model beside it"):
        load(published).probabilities_at(0, split.X)


def test_damaged_snapshots_are_refused(published, split):
    content = bytearray(beside(published).read_bytes())
    content[-5] ^= 0x55
    beside(published).write_bytes(bytes(content))
    with pytest.raises(ArtifactError, match=rf"{NAME} is damaged"):
        load(published).probabilities_at(0, split.X)


def test_a_loaded_model_that_is_copied_or_saved_elsewhere_takes_its_snapshots_along(published, tmp_path):
    model = load(published)
    assert isinstance(model.checkpoints, StoredSnapshots)
    save(model, tmp_path / "moved.safetensors")
    for again in (copy.deepcopy(model), load(tmp_path / "moved.safetensors")):
        assert list(again.checkpoints) == list(model.checkpoints)
        for step, state in model.checkpoints.items():
            assert all(torch.equal(again.checkpoints[step][name], value) for name, value in state.items())


def test_snapshots_beside_a_model_at_a_url_are_read(wide, split, tmp_path):
    from upath import UPath

    model = load(publish(wide, UPath("memory://bucket/snapshots")))
    np.testing.assert_allclose(
        model.probabilities_at(0, split.X), wide.probabilities_at(0, split.X), rtol=0, atol=0.01
    )
