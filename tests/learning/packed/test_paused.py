"""Training that pauses: members go on later as if they had not, whole, in other company, or from a file."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed.paused import PausedPack
from tests.learning.packed.trainings import SEEDS, SHORT

# Everything that a member has of its own, and a mini-batch that does not divide its rows.
EACH = SHORT.replaced(
    members=6,
    batch_size=23,
    learning_rate=(0.001, 0.003, 0.01, 0.03, 0.1, 0.2),
    weight_decay=(0.0, 0.1, 0.0, 0.5, 0.01, 0.0),
    label_smoothing=(0.0, 0.1, 0.05, 0.0, 0.0, 0.2),
    input_noise=(0.2, 0.0, 0.1, 0.0, 0.3, 0.0),
    mixup=(0.0, 0.5, 0.0, 1.0, 0.2, 0.0),
)

RATES = (0.0, 0.1, 0.3, 0.0, 0.2, 0.5)

NETWORKS = {
    "plain": MLP(hidden=(8,), activation="relu", dropout=RATES),
    "batch norm": MLP(hidden=(8, 8), normalization="batch", activation="tanh", residual=True, dropout=RATES),
    "layer norm": MLP(hidden=(8, 5), normalization="layer", activation="leaky_relu", dropout=RATES),
    "linear": MLP(hidden=()),
}


@pytest.fixture(scope="module")
def train(trained):
    """Trains some of six members, each with numbers of its own."""

    def train(members=range(6), architecture=NETWORKS["plain"], training=EACH, **options):
        members = list(members)
        return trained(
            training.of_members(members),
            [SEEDS[member] for member in members],
            architecture.of_members(members),
            own_rates=True,
            **options,
        )

    return train


def assert_same(result, places, other, others):
    for name, value in result.state.items():
        assert torch.equal(value[places], other.state[name][others]), name


@pytest.mark.parametrize("architecture", NETWORKS.values(), ids=NETWORKS)
def test_members_that_pause_and_go_on_in_other_company_are_those_that_never_did(train, architecture):
    whole = train(architecture=architecture)
    first = train(architecture=architecture, until=1)
    second = train([5, 0, 3], architecture, until=4, paused=first.paused.of_members([5, 0, 3]))
    last = train([3, 5], architecture, paused=second.paused.of_members([2, 0]))
    assert_same(whole, [3, 5], last, [0, 1])
    assert last.paused is None


@given(st.lists(st.integers(1, 5), max_size=4, unique=True).map(sorted))
@settings(max_examples=8, deadline=None)
def test_wherever_training_pauses_the_end_is_the_same(train, pauses):
    paused, history = None, []
    for until in [*pauses, None]:
        part = train(until=until, paused=paused)
        paused = part.paused
        history.append(part.history["validation_loss"])
    whole = train()
    assert_same(whole, slice(None), part, slice(None))
    assert torch.equal(torch.cat(history), whole.history["validation_loss"])
    assert part.history["step"][-1] == whole.history["step"][-1]


def test_the_learning_rate_falls_over_the_whole_training_not_until_the_pause(train):
    constant = EACH.replaced(schedule="constant")
    short = train(training=EACH.replaced(max_epochs=2))
    assert not torch.equal(train(until=2).state["layers.0.weight"], short.state["layers.0.weight"])
    until, end = train(training=constant, until=2), train(training=constant.replaced(max_epochs=2))
    assert_same(until, slice(None), end, slice(None))


def test_a_pause_at_the_end_is_none(train):
    assert train(until=EACH.max_epochs).paused is None
    assert train(until=EACH.max_epochs + 5).paused is None


def test_members_that_diverged_are_not_among_the_paused(train):
    lost = EACH.replaced(learning_rate=(0.01, 1e36, 0.01, 1e36, 0.01, 0.01))
    first = train(training=lost, until=2)
    assert first.best_step.tolist() == [first.paused.step, -1] * 2 + [first.paused.step] * 2
    assert first.paused.n_members == 4
    rest = train([0, 2, 4, 5], training=lost, paused=first.paused)
    assert_same(rest, slice(None), train([0, 2, 4, 5], training=lost), slice(None))


def test_members_that_have_stopped_stay_in_a_pack_of_own_rates(train):
    """A smaller pack could round in another way: that of one takes other products."""
    lost = EACH.replaced(learning_rate=(0.01, *[1e36] * 5))
    assert_same(train(training=lost), [0], train([0, 0], training=lost), [0])


def test_training_that_pauses_stops_nobody_early(train):
    stopping = EACH.replaced(early_stopping=True)
    with pytest.raises(ValueError, match="training that pauses needs early_stopping: false"):
        train(training=stopping, until=2)
    with pytest.raises(ValueError, match="training that pauses needs early_stopping: false"):
        train(training=stopping, paused=train(until=2).paused)


def test_members_do_not_go_back(train):
    paused = train(until=2).paused
    for until in (1, 2):
        with pytest.raises(
            ValueError, match="until must be after step 14, at which members paused, got step"
        ):
            train(until=until, paused=paused)


# A pack at rest


def test_a_paused_pack_comes_back_from_a_file(train, tmp_path):
    first = train(architecture=NETWORKS["batch norm"], until=2).paused
    save_file(first.tensors(), tmp_path / "paused")
    again = PausedPack.of_tensors(first.step, load_file(tmp_path / "paused"))
    assert again.state.keys() == first.state.keys()
    rest = train(architecture=NETWORKS["batch norm"], paused=again)
    assert_same(rest, slice(None), train(architecture=NETWORKS["batch norm"]), slice(None))


def test_more_than_ten_layers_keep_their_order_in_a_file(train):
    deep = MLP(hidden=(3,) * 12)
    first = train(architecture=deep, until=1).paused
    again = PausedPack.of_tensors(first.step, first.tensors())
    assert all(map(torch.equal, again.mean, first.mean))
    assert all(map(torch.equal, again.square, first.square))


def test_paused_packs_are_joined_member_after_member(train):
    first, second = train([0, 1], until=2).paused, train([2, 3, 4], until=2).paused
    joined = PausedPack.joined([first, second])
    assert joined.n_members == 5
    rest = train([0, 1, 2, 3, 4], paused=joined)
    assert_same(rest, slice(None), train([0, 1, 2, 3, 4]), slice(None))


def test_packs_that_paused_at_different_steps_are_not_joined(train):
    with pytest.raises(ValueError, match=r"packs must have been paused at one step, got \[7, 14\]"):
        PausedPack.joined([train(until=1).paused, train(until=2).paused])


# In a pack of any size


@pytest.mark.parametrize("n", [2, 3, 5, 6])
@pytest.mark.parametrize("width", [1, 3, 4, 6, 8, 17])
@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_a_member_with_its_own_rate_is_the_same_bit_for_bit_in_packs_of_any_size(
    train, n, width, normalization
):
    architecture = MLP(hidden=(width, width), normalization=normalization, dropout=RATES)
    training = EACH.replaced(max_epochs=2)
    whole = train(architecture=architecture, training=training)
    members = np.random.default_rng(n).permutation(6)[:n].tolist()
    assert_same(train(members, architecture, training), slice(None), whole, members)


def test_rates_that_are_alike_give_the_same_as_rates_that_are_not(train):
    alike = EACH.replaced(learning_rate=0.01, weight_decay=0.1)
    mixed = EACH.replaced(learning_rate=(0.01, *[0.3] * 5), weight_decay=(0.1, *[0.0] * 5))
    assert_same(train(training=alike), [0], train(training=mixed), [0])
