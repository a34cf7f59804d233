"""The snapshots kept of a training run from its start to its end and take a bounded place."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.models import snapshots as module
from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.models.snapshots import BYTES, LEAST, MOST, snapshots

SMALL = MLP(hidden=(4,)).build(2, 2, range(3))


@given(st.integers(1, 100_000), st.integers(1, 500))
@settings(max_examples=60, deadline=None)
def test_they_are_whole_epochs_from_the_start_to_the_end(max_epochs, epoch_steps):
    steps = snapshots(SMALL, 3, max_epochs, epoch_steps).steps
    assert steps[:2] == (0, epoch_steps)
    assert steps[-1] == max_epochs * epoch_steps
    assert not np.any(np.array(steps) % epoch_steps)
    assert (np.diff(steps) > 0).all()
    assert len(steps) == min(max_epochs + 1, MOST)


@given(st.integers(1, 4096), st.integers(1, 400), st.integers(1, 1000))
@settings(max_examples=40, deadline=None)
def test_they_take_no_more_than_their_place(members, width, max_epochs):
    network = MLP(hidden=(width, width)).build(2, 2, [0])
    one = sum(value.nbytes for value in network.state_dict().values())
    kept = snapshots(network, members, max_epochs, 10)
    assert kept.members <= members
    assert len(kept.steps) * kept.members * one <= BYTES


def test_a_large_pack_gets_fewer_moments_and_a_larger_one_fewer_members(monkeypatch):
    one = sum(value[0].nbytes for value in SMALL.state_dict().values())

    def kept(place):
        monkeypatch.setattr(module, "BYTES", place)
        found = snapshots(SMALL, 3, 1000, 10)
        return len(found.steps), found.members

    assert kept(MOST * 3 * one) == (MOST, 3)
    assert kept(10 * 3 * one) == (10, 3)
    assert kept(LEAST * 2 * one) == (LEAST, 2)
    assert kept(LEAST * one - 1) == (0, 0)
