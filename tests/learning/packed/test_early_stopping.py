"""Early stopping keeps the best state of each member, and what is kept without it."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.learning.packed.trainings import (
    EVERYTHING,
    NETWORKS,
    PLAIN,
    SEEDS,
    SHORT,
    close,
    epochs_run,
)


def test_early_stopping_restores_the_state_with_the_lowest_validation_loss(packs, moons):
    pack = packs["batch norm"]
    network = NETWORKS["batch norm"].build(2, 2, SEEDS).eval()
    network.load_state_dict(pack.state)
    logits = network(moons.X[moons.validation].expand(8, -1, -1))
    y = moons.y[moons.validation]
    losses = torch.stack([nn.functional.cross_entropy(own, y) for own in logits])
    lowest = torch.from_numpy(np.nanmin(pack.history["validation_loss"].numpy(), axis=0))
    close(losses, lowest)


def test_the_best_step_is_where_the_validation_loss_is_lowest(packs):
    pack = packs["layer norm"]
    epoch = np.nanargmin(pack.history["validation_loss"].numpy(), axis=0)
    assert torch.equal(pack.best_step, pack.history["step"][epoch])


def test_a_member_stops_once_its_validation_loss_has_not_fallen_for_as_many_epochs_as_its_patience(packs):
    pack = packs["layer norm"]
    best_epoch = np.nanargmin(pack.history["validation_loss"].numpy(), axis=0) + 1
    expected = np.minimum(best_epoch + EVERYTHING.patience, EVERYTHING.max_epochs)
    np.testing.assert_array_equal(epochs_run(pack).numpy(), expected)


@pytest.mark.parametrize("options", [{}, {"validation": np.arange(0)}])
def test_without_early_stopping_or_without_validation_rows_the_last_state_is_kept(trained, options):
    training = SHORT.replaced(early_stopping=bool(options), patience=1)
    network = PLAIN.build(2, 2, SEEDS[:3])
    result = trained(training, SEEDS[:3], network=network, **options)
    assert result.best_step.tolist() == [result.history["step"][-1]] * 3
    assert len(result.history["step"]) == 6
    for name, value in network.state_dict().items():
        assert torch.equal(value, result.state[name])


def test_without_validation_rows_there_is_no_validation_loss(trained):
    history = trained(SHORT, SEEDS[:3], validation=np.arange(0)).history
    assert history["validation_loss"].isnan().all()
    assert history["train_loss"].isfinite().all()


def test_the_history_is_scored_on_the_validation_rows_of_the_network_in_evaluation(trained, moons):
    network = PLAIN.replaced(dropout=0.5).build(2, 2, SEEDS[:3])
    result = trained(SHORT.replaced(mixup=1.0), SEEDS[:3], network=network)
    logits = network.eval()(moons.X[moons.validation].expand(3, -1, -1))
    right = (logits.argmax(2) == moons.y[moons.validation]).float().mean(1)
    close(result.history["validation_accuracy"][-1], right)
