"""Training: a member gets in a pack what it would get alone, and each option does what it promises."""

import numpy as np
import pytest
import torch
from torch import nn

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed.networks.vmap import VmapNetwork
from classification_assets.learning.packed.options import Training
from tests.learning.packed.trainings import (
    EVERYTHING,
    NETWORKS,
    PLAIN,
    SEEDS,
    SHORT,
    as_bytes,
    assert_same_member,
    close,
    epochs_run,
)

# What a pack is


@pytest.mark.parametrize("name", NETWORKS)
def test_members_of_the_packs_compared_here_stop_at_different_epochs_so_that_the_pack_shrinks(packs, name):
    epochs = epochs_run(packs[name])
    assert epochs.max() - epochs.min() >= 3


@pytest.mark.parametrize("k", range(8))
@pytest.mark.parametrize("name", NETWORKS)
def test_a_member_trained_alone_is_the_member_of_a_pack(packs, trained, name, k):
    alone = trained(EVERYTHING, [SEEDS[k]], NETWORKS[name])
    assert_same_member(alone, 0, packs[name], k)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_order_of_the_members_changes_no_member(packs, trained, name):
    order = [3, 0, 7, 6, 1, 5, 2, 4]
    other = trained(EVERYTHING, [SEEDS[k] for k in order], NETWORKS[name])
    for j, k in enumerate(order):
        assert_same_member(packs[name], k, other, j)


@pytest.mark.parametrize("name", NETWORKS)
def test_two_halves_are_the_whole(packs, trained, name):
    for start in (0, 4):
        half = trained(EVERYTHING, SEEDS[start : start + 4], NETWORKS[name])
        for j in range(4):
            assert_same_member(packs[name], start + j, half, j)


@pytest.mark.parametrize(
    ("field", "numbers"),
    [
        ("learning_rate", (0.001, 0.01, 0.1)),
        ("weight_decay", (0.0, 0.1, 1.0)),
        ("label_smoothing", (0.0, 0.1, 0.3)),
        ("input_noise", (0.0, 0.2, 0.5)),
        ("mixup", (0.0, 0.2, 2.0)),
    ],
)
def test_one_number_a_member_gives_each_member_what_that_number_gives_a_whole_pack(trained, field, numbers):
    each = trained(SHORT.replaced(**{field: numbers}), SEEDS[:3])
    for k, number in enumerate(numbers):
        assert_same_member(each, k, trained(SHORT.replaced(**{field: number}), SEEDS[:3]), k)


def test_one_dropout_rate_a_member_gives_each_member_what_that_rate_gives_a_whole_pack(trained):
    numbers = (0.0, 0.2, 0.6)
    each = trained(SHORT, SEEDS[:3], PLAIN.replaced(dropout=numbers))
    for k, number in enumerate(numbers):
        uniform = trained(SHORT, SEEDS[:3], PLAIN.replaced(dropout=number))
        own = [value[k] for value in uniform.state.values()]
        for one, other in zip([value[k] for value in each.state.values()], own, strict=True):
            close(one, other)


def test_members_keep_their_own_numbers_when_others_leave_the_pack(trained):
    rates, smoothing = (0.001, 0.05, 0.02), (0.3, 0.0, 0.1)
    training = SHORT.replaced(learning_rate=rates, label_smoothing=smoothing, input_noise=smoothing)
    stopped = trained(training, SEEDS[:3], on_epoch=lambda *_: torch.tensor([True, False, False]))
    for k in (1, 2):
        assert_same_member(stopped, k, trained(training, SEEDS[:3]), k)


@pytest.fixture(scope="session")
def folds(moons):
    """Each of three members' own training and validation rows, of different lengths."""
    shuffled = np.random.default_rng(0).permutation(np.concatenate([moons.train, moons.validation]))
    bounds = [(0, 40), (40, 99), (99, 120)]
    validation = [shuffled[start:stop] for start, stop in bounds]
    return [np.setdiff1d(shuffled, own) for own in validation], validation


@pytest.mark.parametrize("weighted", [False, True])
def test_with_own_folds_of_different_lengths_a_member_alone_is_the_member_of_the_pack(
    trained, folds, moons, weighted
):
    training = Training(max_epochs=20, batch_size=16, learning_rate=0.05, patience=2)
    options = {"epoch_steps": 8}
    if weighted:
        options["weight"] = torch.from_numpy(np.random.default_rng(1).uniform(0, 3, len(moons.y))).float()
    rows, validation = folds
    pack = trained(training, SEEDS[:3], rows=rows, validation=validation, **options)
    for k in range(3):
        alone = trained(training, [SEEDS[k]], rows=[rows[k]], validation=[validation[k]], **options)
        assert_same_member(alone, 0, pack, k)


def test_the_same_call_gives_the_same_bytes(packs, trained):
    again = trained(EVERYTHING, SEEDS, NETWORKS["batch norm"])
    assert as_bytes(again) == as_bytes(packs["batch norm"])


def test_another_seed_gives_another_member(trained):
    result = trained(SHORT, SEEDS[:3])
    assert len(set(result.history["train_loss"][0].tolist())) == 3


def test_a_persons_own_modules_train_like_one_alone(trained):
    class Own(nn.Module):
        def __init__(self, n_features, n_classes):
            super().__init__()
            # A bias in front of a batch norm has no gradient but rounding errors, which AdamW would follow.
            first = nn.Linear(n_features, 6, bias=False)
            self.layers = nn.Sequential(first, nn.BatchNorm1d(6), nn.Linear(6, n_classes))
            self.scale = nn.Parameter(torch.tensor(2.0))

        def forward(self, x):
            return self.scale * self.layers(x)

    pack = trained(SHORT, SEEDS[:3], network=VmapNetwork(Own, 2, 2, SEEDS[:3]))
    alone = trained(SHORT, SEEDS[1:2], network=VmapNetwork(Own, 2, 2, SEEDS[1:2]))
    assert_same_member(alone, 0, pack, 1)


# Learning and stopping


def test_every_member_learns_two_moons(trained):
    result = trained(Training(max_epochs=60, batch_size=32, learning_rate=0.03), SEEDS, MLP(hidden=(16, 16)))
    assert np.nanmax(result.history["validation_accuracy"].numpy(), axis=0).min() > 0.93


def test_a_cosine_schedule_ends_in_small_steps(trained):
    def last_move(schedule):
        training = SHORT.replaced(max_epochs=20, schedule=schedule)
        states = trained(training, SEEDS[:3], checkpoints=[95, 100]).checkpoints
        return sum((states[100][name] - states[95][name]).square().sum() for name in states[100]).sqrt()

    assert last_move("cosine") < 0.1 * last_move("constant")


def test_a_warm_up_begins_with_small_steps(trained):
    def first_move(warmup):
        training = SHORT.replaced(max_epochs=20, schedule="constant")
        states = trained(training, SEEDS[:3], checkpoints=[5], warmup=warmup).checkpoints
        start = PLAIN.build(2, 2, SEEDS[:3]).state_dict()
        return sum((states[5][name] - start[name]).square().sum() for name in start).sqrt()

    assert first_move(0.5) < 0.3 * first_move(0.0)


def test_the_optimizers_memory_can_be_shorter(trained):
    states = [trained(SHORT, SEEDS[:3], betas=betas).state for betas in ((0.9, 0.95), (0.9, 0.999))]
    assert not torch.equal(states[0]["layers.0.weight"], states[1]["layers.0.weight"])


# Members that fail

RATE_TOO_HIGH = 1e38


def test_a_member_whose_loss_is_no_longer_finite_is_marked(trained):
    result = trained(SHORT.replaced(learning_rate=(0.03, RATE_TOO_HIGH, 0.03)), SEEDS[:3])
    assert (result.best_step == -1).tolist() == [False, True, False]


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_member_that_fails_leaves_the_others_what_they_are_without_it(trained, early_stopping):
    training = SHORT.replaced(early_stopping=early_stopping, learning_rate=(0.03, RATE_TOO_HIGH, 0.03))
    with_it = trained(training, SEEDS[:3])
    without = trained(training.replaced(members=2, learning_rate=0.03), [SEEDS[0], SEEDS[2]])
    for j, k in enumerate([0, 2]):
        assert_same_member(with_it, k, without, j)


def test_when_every_member_fails_none_has_a_best_step(trained):
    result = trained(SHORT.replaced(learning_rate=(1e38, 2e38, 3e38)), SEEDS[:3])
    assert result.best_step.tolist() == [-1, -1, -1]


def test_a_failed_training_leaves_the_number_of_threads(trained):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        trained(SHORT.replaced(learning_rate=RATE_TOO_HIGH), SEEDS[:3])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("rate", [0.03, RATE_TOO_HIGH])
def test_training_leaves_the_smallest_numbers_to_others(trained, rate):
    trained(SHORT.replaced(learning_rate=rate), SEEDS[:3])
    assert (torch.tensor(1e-39) * 1).item() > 0


# Weights


def test_rows_of_weight_0_teach_nothing(trained, moons):
    without = torch.from_numpy(np.random.default_rng(0).random(len(moons.y)) < 0.5)
    weight = (~without).float()
    expected = trained(SHORT, SEEDS[:3], weight=weight)
    X, y = torch.where(without.unsqueeze(1), -moons.X, moons.X), torch.where(without, 1 - moons.y, moons.y)
    assert as_bytes(trained(SHORT, SEEDS[:3], X=X, y=y, weight=weight)) == as_bytes(expected)


def test_the_scale_of_the_weights_does_not_matter(trained, moons):
    weight = torch.from_numpy(np.random.default_rng(0).uniform(0.1, 2, len(moons.y))).float()
    one, other = (trained(SHORT, SEEDS[:3], weight=factor * weight) for factor in (1, 1024))
    for k in range(3):
        assert_same_member(one, k, other, k)


def test_equal_weights_are_no_weights(trained, moons):
    plain, weighted = trained(SHORT, SEEDS[:3]), trained(SHORT, SEEDS[:3], weight=torch.ones(len(moons.y)))
    for k in range(3):
        assert_same_member(plain, k, weighted, k)


def test_a_heavier_class_is_named_more_often(trained, moons):
    def share_of_class_1(weight_of_1):
        result = trained(SHORT, SEEDS[:3], weight=1 + (weight_of_1 - 1) * moons.y.float())
        network = PLAIN.build(2, 2, SEEDS[:3])
        network.load_state_dict(result.state)
        return network(moons.X.expand(3, -1, -1)).softmax(2)[..., 1].mean()

    assert share_of_class_1(9.0) > share_of_class_1(1.0) + 0.1
