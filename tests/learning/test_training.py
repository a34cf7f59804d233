"""Training: a member gets in a pack what it would get alone, and each option does what it promises."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed import batches, early_stopping
from classification_assets.learning.packed.networks.layers import PackedDropout, PackedMLP
from classification_assets.learning.packed.networks.vmap import VmapNetwork
from classification_assets.learning.packed.options import Training
from classification_assets.learning.packed.training import train

SEEDS = [5, 1, 4, 0, 7, 2, 6, 3]
EVERYTHING = Training(
    members=8,
    max_epochs=25,
    batch_size=16,
    learning_rate=0.03,
    weight_decay=0.01,
    patience=2,
    label_smoothing=0.05,
    input_noise=0.1,
    mixup=0.3,
)
NETWORKS = {
    "batch norm": MLP(hidden=(8, 8), dropout=0.2, normalization="batch", residual=True, activation="gelu"),
    "layer norm": MLP(hidden=(8, 8), dropout=0.2, normalization="layer", residual=True),
}
PLAIN = MLP(hidden=(8,), activation="tanh")
SHORT = Training(members=3, max_epochs=6, batch_size=32, learning_rate=0.03, early_stopping=False)


@pytest.fixture(scope="session")
def trained(moons):
    """Trains members with these seeds on the moons; other rows and options of `train` on request."""

    def trained(training, seeds, architecture=PLAIN, *, network=None, rows=None, validation=None, **options):
        network = network or architecture.build(2, 2, seeds)
        rows = moons.train if rows is None else rows
        validation = moons.validation if validation is None else validation
        X, y = options.pop("X", moons.X), options.pop("y", moons.y)
        return train(network, X, y, rows, validation, training, seeds, n_classes=2, **options)

    return trained


@pytest.fixture(scope="session")
def packs(trained):
    """For each network a pack of eight, trained with everything on."""
    return {name: trained(EVERYTHING, SEEDS, network) for name, network in NETWORKS.items()}


def close(actual, expected, message=None):
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5, equal_nan=True, msg=message)


def assert_same_member(here, k, there, j):
    """Member k of one training is member j of another: state, best step, and history as long as it ran."""
    assert here.best_step[k] == there.best_step[j]
    for name, value in here.state.items():
        close(value[k], there.state[name][j])
    epochs = min(len(here.history["step"]), len(there.history["step"]))
    for name in ("train_loss", "validation_loss", "validation_accuracy"):
        one, other = here.history[name][:, k], there.history[name][:, j]
        close(one[:epochs], other[:epochs])
        assert one[epochs:].isnan().all()
        assert other[epochs:].isnan().all()


def as_bytes(result):
    tensors = [*result.state.values(), result.best_step, *result.history.values()]
    return b"".join(tensor.numpy().tobytes() for tensor in tensors)


def epochs_run(result):
    return (~result.history["train_loss"].isnan()).sum(0)


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


def test_the_size_of_the_blocks_in_which_rows_are_laid_out_changes_nothing(packs, trained, monkeypatch):
    for module in (batches, early_stopping):
        monkeypatch.setattr(module, "BLOCK_BYTES", 5_000)
    small = trained(EVERYTHING, SEEDS, NETWORKS["batch norm"])
    for k in range(8):
        assert_same_member(small, k, packs["batch norm"], k)


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


# Checkpoints and what happens after each epoch


def test_a_checkpoint_is_the_state_of_a_training_that_ends_there(trained):
    training = SHORT.replaced(schedule="constant")
    checkpoints = trained(training, SEEDS[:3], checkpoints=[10, 20]).checkpoints
    for step in (10, 20):
        shorter = trained(training.replaced(max_epochs=step // 5), SEEDS[:3])
        assert checkpoints.keys() == {10, 20}
        assert all(torch.equal(value, shorter.state[name]) for name, value in checkpoints[step].items())


def test_a_step_within_an_epoch_is_kept_at_its_end(trained):
    checkpoints = trained(SHORT, SEEDS[:3], checkpoints=[6, 10, 11]).checkpoints
    assert all(torch.equal(value, checkpoints[10][name]) for name, value in checkpoints[6].items())
    assert not all(torch.equal(value, checkpoints[10][name]) for name, value in checkpoints[11].items())


def test_a_checkpoint_after_the_pack_has_shrunk_holds_all_members(trained):
    def stop_two(step, last, entry):
        return torch.tensor([step >= 10, False, step >= 10])

    stopped = trained(SHORT, SEEDS[:3], checkpoints=[10, 25], on_epoch=stop_two).checkpoints
    free = trained(SHORT, SEEDS[:3], checkpoints=[10, 25]).checkpoints
    for name, value in stopped[25].items():
        close(value[1], free[25][name][1])
        close(value[[0, 2]], free[10][name][[0, 2]])


def test_a_checkpoint_that_training_does_not_reach_is_the_last_state(trained):
    result = trained(SHORT, SEEDS[:3], checkpoints=[10_000])
    assert all(torch.equal(value, result.state[name]) for name, value in result.checkpoints[10_000].items())


def test_a_checkpoint_of_the_start_is_the_network_before_its_first_step(trained):
    start = trained(SHORT, SEEDS[:3], checkpoints=[0, 5]).checkpoints[0]
    assert all(
        torch.equal(value, start[name]) for name, value in PLAIN.build(2, 2, SEEDS[:3]).state_dict().items()
    )


def test_a_member_that_stopped_shows_its_best_state_in_later_checkpoints(trained):
    training = SHORT.replaced(max_epochs=60, early_stopping=True, patience=2, learning_rate=(0.03, 1.0, 0.3))
    result = trained(training, SEEDS[:3], checkpoints=range(0, 301, 5))
    epochs = epochs_run(result)
    first = int(epochs.argmin())
    assert epochs[first] < epochs.max()
    for step in range(5 * int(epochs[first]), 301, 5):
        for name, value in result.checkpoints[step].items():
            close(value[first], result.state[name][first])


def test_checkpoints_of_some_of_the_first_members_are_those_of_all_members_cut_off(trained):
    training, seeds = EVERYTHING.replaced(members=4), SEEDS[:4]
    every = trained(training, seeds, checkpoints=[0, 20, 80, 10_000]).checkpoints
    some = trained(training, seeds, checkpoints=[0, 20, 80, 10_000], checkpoint_members=2).checkpoints
    for step, state in every.items():
        assert all(torch.equal(value[:2], some[step][name]) for name, value in state.items())


def test_nobody_asking_for_checkpoints_gets_none(packs):
    assert packs["batch norm"].checkpoints == {}


def test_on_epoch_hears_of_every_epoch_what_the_history_holds(trained):
    heard = []
    result = trained(SHORT, SEEDS[:3], on_epoch=lambda *told: heard.append(told))
    assert [step for step, _, _ in heard] == result.history["step"].tolist() == [5, 10, 15, 20, 25, 30]
    assert {last for _, last, _ in heard} == {30}
    for name in ("train_loss", "validation_loss", "validation_accuracy"):
        assert torch.equal(torch.stack([entry[name] for _, _, entry in heard]), result.history[name])


def test_on_epoch_can_stop_members(trained):
    def stop(step, last, entry):
        return torch.tensor([step >= 5, step >= 15, False])

    assert epochs_run(trained(SHORT, SEEDS[:3], on_epoch=stop)).tolist() == [1, 3, 6]


def test_a_member_that_is_stopped_keeps_the_state_it_had(trained):
    def stop(step, last, entry):
        return torch.tensor([step >= 10, False, False])

    stopped = trained(SHORT.replaced(schedule="constant"), SEEDS[:3], on_epoch=stop)
    shorter = trained(SHORT.replaced(schedule="constant", max_epochs=2), SEEDS[:3])
    assert stopped.best_step.tolist() == [10, 30, 30]
    for name, value in stopped.state.items():
        close(value[0], shorter.state[name][0])


def test_a_stopped_member_that_is_still_computed_with_the_others_changes_no_more(trained):
    """One of nine is too few for the pack to shrink."""
    training, seeds = SHORT.replaced(members=9), range(9)

    def stop(step, last, entry):
        return torch.arange(9) == 4 if step >= 10 else torch.zeros(9, dtype=torch.bool)

    free = trained(training, seeds, checkpoints=[10]).checkpoints[10]
    stopped = trained(training, seeds, checkpoints=[30], on_epoch=stop)
    assert epochs_run(stopped).tolist() == [6] * 4 + [2] + [6] * 4
    for name, value in free.items():
        close(stopped.state[name][4], value[4])
        close(stopped.checkpoints[30][name][4], value[4])


def test_training_ends_when_on_epoch_has_stopped_everyone(trained):
    result = trained(SHORT, SEEDS[:3], on_epoch=lambda *_: torch.ones(3, dtype=torch.bool))
    assert result.history["step"].tolist() == [5]


# Mini-batches and what is done to them


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
