"""Snapshots of a training run from its start to its end and take a bounded place."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.models import ensemble, snapshots
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed import training

SMALL = MLP(hidden=(4,)).build(2, 2, range(3))


@given(st.integers(1, 100_000), st.integers(1, 500))
@settings(max_examples=60, deadline=None)
def test_they_are_whole_epochs_from_the_start_to_the_end(max_epochs, epoch_steps):
    steps = snapshots.snapshots(SMALL, 3, max_epochs, epoch_steps).steps
    assert steps[:2] == (0, epoch_steps)
    assert steps[-1] == max_epochs * epoch_steps
    assert not np.any(np.array(steps) % epoch_steps)
    assert (np.diff(steps) > 0).all()
    assert len(steps) == min(max_epochs + 1, snapshots.MOST)


@given(st.integers(1, 4096), st.integers(1, 400), st.integers(1, 1000))
@settings(max_examples=40, deadline=None)
def test_they_take_no_more_bytes_than_allowed(members, width, max_epochs):
    network = MLP(hidden=(width, width)).build(2, 2, [0])
    one = sum(value.nbytes for value in network.state_dict().values())
    kept = snapshots.snapshots(network, members, max_epochs, 10)
    assert kept.members <= members
    assert len(kept.steps) * kept.members * one <= snapshots.BYTES


def test_a_large_pack_gets_fewer_snapshots_and_a_larger_one_fewer_members(monkeypatch):
    one = sum(value[0].nbytes for value in SMALL.state_dict().values())

    def kept(n_bytes):
        monkeypatch.setattr(snapshots, "BYTES", n_bytes)
        found = snapshots.snapshots(SMALL, 3, 1000, 10)
        return len(found.steps), found.members

    assert kept(snapshots.MOST * 3 * one) == (snapshots.MOST, 3)
    assert kept(10 * 3 * one) == (10, 3)
    assert kept(snapshots.LEAST * 2 * one) == (snapshots.LEAST, 2)
    assert kept(snapshots.LEAST * one - 1) == (0, 0)


def test_the_snapshots_of_a_training_run_from_its_first_network_to_the_one_that_is_kept(fit, split):
    fitted = fit(max_epochs=60, patience=2)
    steps = list(fitted.checkpoints)
    assert steps == sorted(steps)
    assert steps[0] == 0
    assert steps[-1] == fitted.history["step"][-1] < 60 * fitted.history["step"][0]
    np.testing.assert_array_equal(fitted.probabilities_at(steps[-1], split.X), fitted.predict_proba(split.X))
    untrained = fit(max_epochs=1, learning_rate=1e-30)
    start, never_moved = fitted.probabilities_at(0, split.X), untrained.predict_proba(split.X)
    np.testing.assert_array_equal(start.argmax(1), never_moved.argmax(1))


def test_snapshots_that_are_too_large_are_of_the_first_members(fit, split, monkeypatch):
    every = fit()
    one = sum(value[0].nbytes for name, value in every.state.items() if name.startswith("packs."))
    monkeypatch.setattr(snapshots, "BYTES", snapshots.LEAST * one)
    first, alone = fit(), fit(members=1)
    assert all(len(value) == 1 for state in first.checkpoints.values() for value in state.values())
    step = list(first.checkpoints)[2]
    state, same = first.checkpoints[step], alone.checkpoints[step]
    assert all(torch.allclose(value, same[name], atol=1e-5) for name, value in state.items())
    assert first.probabilities_at(step, split.X).shape == (len(split.X), 2)
    monkeypatch.setattr(snapshots, "BYTES", 0)
    assert not fit().checkpoints


def test_snapshots_are_the_same_when_a_pack_is_trained_in_halves(fit, monkeypatch):
    whole = fit()

    def train(network, *arguments, **options):
        if len(next(network.parameters())) == 3:
            raise MemoryError
        return training.train(network, *arguments, **options)

    monkeypatch.setattr(ensemble, "train", train)
    halves = fit()
    assert list(halves.checkpoints) == list(whole.checkpoints)
    for step, state in whole.checkpoints.items():
        for name, value in state.items():
            torch.testing.assert_close(halves.checkpoints[step][name], value, rtol=1e-4, atol=1e-5)


def test_a_step_that_was_not_kept_is_refused_with_those_that_were(fitted, split):
    with pytest.raises(KeyError, match=r"no checkpoint of step 7; there are: 0, "):
        fitted.probabilities_at(7, split.X)
