"""Packs of a sweep: a network is the same in any company, paused or not, and what was finished is kept."""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed.networks import layers
from classification_assets.learning.sweeps import pack_files, packs
from tests.learning.sweeps.members import DIFFERENT, EPOCHS, TRAINING, Trained, assert_same, members

ACTIVATIONS = ("relu", "leaky_relu", "gelu", "silu", "tanh")

ARCHITECTURES = st.builds(
    lambda hidden, residual, **options: MLP(
        hidden=(hidden[0],) * len(hidden) if residual and hidden else hidden, residual=residual, **options
    ),
    hidden=st.lists(st.integers(1, 20), max_size=3).map(tuple),
    residual=st.booleans(),
    activation=st.sampled_from(ACTIVATIONS),
    normalization=st.sampled_from(["none", "batch", "layer"]),
)

# In any company


@given(ARCHITECTURES, st.sampled_from([7, 16, 33, None]))
@settings(max_examples=12, deadline=None)
def test_a_member_of_a_pack_is_the_member_trained_alone(rows, architecture, batch_size):
    every = members(architecture, training=TRAINING.replaced(batch_size=batch_size, max_epochs=2))
    together = Trained(rows, every, until=2)
    for place, member in enumerate(every):
        assert_same(together, place, Trained(rows, [member], until=2), 0)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_an_odd_number_of_odd_networks_changes_none(rows, activation, n):
    every = members(MLP(hidden=(7, 5), activation=activation))
    together, some = Trained(rows, every), Trained(rows, every[-n:])
    for place in range(n):
        assert_same(together, len(every) - n + place, some, place)


def test_the_order_of_a_pack_changes_no_member(rows):
    every = members(MLP(hidden=(6,), activation="gelu", normalization="layer"))
    order = [3, 0, 4, 1, 2]
    together, other = Trained(rows, every), Trained(rows, [every[place] for place in order])
    for place, before in enumerate(order):
        assert_same(together, before, other, place)


def test_a_member_of_a_fold_is_the_same_beside_those_of_other_folds(dealt_rows):
    every = members(MLP(hidden=(6,), activation="silu"), DIFFERENT[:3], folds=3)
    together = Trained(dealt_rows, every)
    for place, member in enumerate(every):
        assert_same(together, place, Trained(dealt_rows, [member]), 0)


def test_networks_that_diverge_are_told_and_change_none_of_the_others(rows):
    lost = {"learning_rate": 1e36}
    every = members(MLP(hidden=(5,), activation="silu"), [lost, DIFFERENT[0], lost, lost, DIFFERENT[1], lost])
    together = Trained(rows, every)
    assert together.outcome.failed.tolist() == [True, False, True, True, False, True]
    for place in (1, 4):
        assert_same(together, place, Trained(rows, [every[place]]), 0)


def test_a_pack_of_which_all_diverge_has_an_outcome(rows):
    lost = Trained(rows, members(MLP(hidden=(5,)), [{"learning_rate": 1e36}] * 3), until=3)
    assert lost.outcome.failed.all()
    assert not lost.lies()


# Paused


@pytest.mark.parametrize("activation", ["relu", "silu"])
@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_a_member_that_was_paused_goes_on_in_other_company_as_if_it_had_not(
    rows, tmp_path, activation, normalization
):
    every = members(MLP(hidden=(6, 7), activation=activation, normalization=normalization))
    whole = Trained(rows, every)
    first, second = Trained(rows, every[:3], 2, tmp_path), Trained(rows, every[3:], 2, tmp_path)
    lies = first.lies() | second.lies()
    some = Trained(rows, [every[4], every[1]], 4, tmp_path, lies)
    for place in (4, 1):
        last = Trained(rows, [every[place]], EPOCHS, tmp_path, some.lies())
        assert_same(whole, place, last, 0)


def test_the_curve_goes_on_after_a_pause(rows, tmp_path):
    every = members(MLP(hidden=(8,)))
    whole, first = Trained(rows, every), Trained(rows, every, 2, tmp_path)
    rest = Trained(rows, every, EPOCHS, tmp_path, first.lies())
    curve = np.concatenate([first.outcome.curve, rest.outcome.curve])
    np.testing.assert_array_equal(curve, whole.outcome.curve)
    assert len(whole.outcome.curve) == EPOCHS


def test_those_beside_one_that_diverged_are_found_after_the_pause(rows, tmp_path):
    every = members(MLP(hidden=(4,)), [{"learning_rate": 1e36}, *DIFFERENT])
    first = Trained(rows, every, 2, tmp_path)
    rest = Trained(rows, every[1:], EPOCHS, tmp_path, first.lies())
    for place in range(len(DIFFERENT)):
        assert_same(Trained(rows, every), place + 1, rest, place)


# Kept in a file


def counted(monkeypatch):
    """A list that grows with each training."""
    calls, train = [], packs.train
    monkeypatch.setattr(packs, "train", lambda *given, **named: calls.append(1) or train(*given, **named))
    return calls


def test_a_finished_pack_is_read_not_trained_again(rows, tmp_path, monkeypatch):
    every = members(MLP(hidden=(4,)))
    calls = counted(monkeypatch)
    first = Trained(rows, every, folder=tmp_path)
    again = Trained(rows, every, folder=tmp_path)
    assert len(calls) == 1
    for place in range(len(every)):
        assert_same(first, place, again, place)
    np.testing.assert_array_equal(first.outcome.curve, again.outcome.curve)
    assert first.outcome.seconds == again.outcome.seconds


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path):
    path.write_bytes(b"")


def another(path):
    from safetensors.numpy import save_file

    save_file({"failed": np.zeros(3)}, path)


def turned(path):
    content = bytearray(path.read_bytes())
    content[-5] ^= 0xFF
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [cut, emptied, another, turned])
@pytest.mark.parametrize("until", [2, EPOCHS])
def test_a_damaged_file_is_made_again(rows, tmp_path, monkeypatch, damage, until):
    every = members(MLP(hidden=(4,)))
    (tmp_path / "whole").mkdir()
    first = Trained(rows, every, until, tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "damaged")
    (path,) = (tmp_path / "damaged").iterdir()
    damage(path)
    calls = counted(monkeypatch)
    again = Trained(rows, every, until, tmp_path / "damaged")
    assert len(calls) == 1
    for place in range(len(every)):
        assert_same(first, place, again, place)


def test_nothing_that_is_half_written_stays(rows, tmp_path, monkeypatch):
    def full(tensors, path, about):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pack_files, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        Trained(rows, members(MLP(hidden=(4,))), folder=tmp_path)
    assert not list(tmp_path.iterdir())


# Memory


def failing_above(monkeypatch, most):
    """Makes packs of more members than these run out of memory."""
    build = layers.PackedMLP.__init__

    def limited(self, n_features, n_classes, seeds, **options):
        if len(seeds) > most:
            raise MemoryError
        build(self, n_features, n_classes, seeds, **options)

    monkeypatch.setattr(layers.PackedMLP, "__init__", limited)


def test_a_pack_that_does_not_fit_is_trained_in_halves(rows, monkeypatch):
    lost = {"learning_rate": 1e36}
    every = members(MLP(hidden=(5,)), [lost, lost, *DIFFERENT])
    whole = Trained(rows, every, until=3)
    failing_above(monkeypatch, 2)
    halves = Trained(rows, every, until=3)
    assert halves.outcome.failed.tolist() == whole.outcome.failed.tolist()
    np.testing.assert_allclose(halves.outcome.curve, whole.outcome.curve, rtol=1e-5)
    for place in range(2, len(every)):
        assert_same(whole, place, halves, place)


def test_a_network_that_does_not_fit_alone_is_an_error_that_names_it(rows, monkeypatch):
    failing_above(monkeypatch, 0)
    with pytest.raises(MemoryError, match="one network 5-3 alone does not fit into the memory"):
        Trained(rows, members(MLP(hidden=(5, 3))))
