"""Mini-batches: which rows each member is shown, and what is done to them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed import batches, early_stopping
from classification_assets.learning.packed.networks.layers import PackedDropout, PackedMLP
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.training import train
from tests.learning.packed.trainings import (
    EVERYTHING,
    NETWORKS,
    SEEDS,
    assert_same_member,
)


def test_the_size_of_the_blocks_in_which_rows_are_laid_out_changes_nothing(packs, trained, monkeypatch):
    for module in (batches, early_stopping):
        monkeypatch.setattr(module, "BLOCK_BYTES", 5_000)
    small = trained(EVERYTHING, SEEDS, NETWORKS["batch norm"])
    for k in range(8):
        assert_same_member(small, k, packs["batch norm"], k)


@given(st.integers(1, 9), st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=6))
@settings(max_examples=100, deadline=None)
def test_a_stream_that_skips_rows_goes_on_as_if_it_had_taken_them(n_rows, parts):
    rows = np.arange(n_rows) * 10
    skipping, taking = batches.RowStream(rows, 3), batches.RowStream(rows, 3)
    for skips, n in parts:
        expected = taking.take(n)
        if skips:
            skipping.skip(n)
        else:
            np.testing.assert_array_equal(skipping.take(n), expected)
    np.testing.assert_array_equal(skipping.take(20), taking.take(20))


class Witness(nn.Module):
    """Passes rows on to a packed network and keeps what it was shown in training."""

    def __init__(self, network):
        super().__init__()
        self.network, self.seen = network, []

    def forward(self, x):
        if self.training:
            self.seen.append(x.detach().clone())
        return self.network(x)


@pytest.fixture(scope="session")
def shown(trained):
    """The batches (S, K, B, D) that three members are shown of 40 rows with these features."""

    def shown(X, **training):
        witness = Witness(MLP(hidden=()).build(X.shape[1], 2, SEEDS[:3]))
        used = Training(**{"batch_size": 10, "max_epochs": 3, "early_stopping": False} | training)
        rows, y = np.arange(len(X)), torch.arange(len(X)) % 2
        trained(used, SEEDS[:3], network=witness, X=X, y=y, rows=rows, validation=rows[:0])
        return torch.stack(witness.seen)

    return shown


NUMBERED = torch.arange(40.0).unsqueeze(1)


def test_an_epoch_shows_each_member_every_row_once(shown):
    epochs = shown(NUMBERED).view(3, 4, 3, 10).permute(0, 2, 1, 3).reshape(9, 40)
    assert torch.equal(epochs.sort(1).values, NUMBERED[:, 0].expand(9, 40))


def test_rows_come_in_another_order_for_each_member_and_epoch(shown):
    epochs = shown(NUMBERED).view(3, 4, 3, 10).permute(0, 2, 1, 3).reshape(9, 40)
    assert len({tuple(order) for order in epochs.tolist()}) == 9


def test_every_batch_is_full_where_the_rows_do_not_divide_evenly(shown):
    assert shown(NUMBERED[:37]).shape == (12, 3, 10, 1)


def test_without_a_batch_size_a_step_sees_all_rows(shown):
    seen = shown(NUMBERED, batch_size=None)
    assert seen.shape == (3, 3, 40, 1)
    assert torch.equal(seen.sort(2).values, NUMBERED.expand(3, 3, 40, 1))


def test_a_batch_is_no_larger_than_the_training_fold(shown):
    assert shown(NUMBERED, batch_size=1000).shape == (3, 3, 40, 1)


def test_input_noise_has_the_standard_deviation_asked_for(shown):
    spread = shown(torch.zeros(40, 50), input_noise=(0.0, 0.5, 2.0)).std(dim=(0, 2, 3))
    torch.testing.assert_close(spread, torch.tensor([0.0, 0.5, 2.0]), rtol=0.03, atol=0)


def test_mixup_shows_mixtures_of_two_rows_of_a_batch(shown):
    one_hot = torch.eye(40)
    seen = shown(one_hot, mixup=1.0)
    torch.testing.assert_close(seen.sum(3), torch.ones(12, 3, 10))
    assert ((seen > 0).sum(3) <= 2).all()
    assert (seen.amax(3) >= 0.5 - 1e-6).all()
    assert (seen.amax(3) < 0.99).float().mean() > 0.5


def test_without_augmentation_the_network_sees_the_rows_themselves(shown):
    assert set(shown(NUMBERED).unique().tolist()) == set(NUMBERED[:, 0].tolist())


@pytest.mark.parametrize(("option", "X"), [("input_noise", torch.zeros(8, 8)), ("mixup", torch.eye(8))])
def test_augmentation_says_nothing_of_which_units_are_dropped(option, X):
    K, rows = 300, np.arange(8)
    network = PackedMLP(8, 2, range(K), hidden=(8, 8, 8), dropout=0.5, activation="tanh")
    masks = []
    for layer in network.modules():
        if isinstance(layer, PackedDropout):
            layer.register_forward_hook(lambda _, given, out: masks.append((out == 0).float()[:, :, 0]))
    witness = Witness(network)
    training = Training(max_epochs=1, batch_size=None, early_stopping=False, **{option: 0.5})
    train(witness, X, torch.arange(8) % 2, rows, rows[:0], training, range(K), n_classes=2)
    strength = witness.seen[0].abs().amax(2) if option == "mixup" else witness.seen[0][:, :, 0].abs()
    correlation = torch.corrcoef(torch.cat([strength, *masks], 1).T)[:8, 8:]
    assert correlation.abs().max() < 5 / math.sqrt(K)


def test_label_smoothing_keeps_probabilities_from_certainty(trained):
    X = torch.tensor([[-3.0], [3.0]]).repeat(20, 1)
    y = (X[:, 0] > 0).long()
    training = Training(
        max_epochs=200,
        batch_size=20,
        learning_rate=0.05,
        early_stopping=False,
        weight_decay=0,
        label_smoothing=0.2,
    )
    network = MLP(hidden=()).build(1, 2, [0])
    trained(training, [0], network=network, X=X, y=y, rows=np.arange(40), validation=np.arange(0))
    probabilities = network(X.unsqueeze(0)).softmax(2)[0, torch.arange(40), y]
    torch.testing.assert_close(probabilities, torch.full((40,), 0.9), rtol=0, atol=0.01)
