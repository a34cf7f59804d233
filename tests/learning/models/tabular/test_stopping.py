"""A kind of network stops, all members at once, when it has become worse in loss and in accuracy."""

import torch

from classification_assets.learning.models.tabular.stopping import KindStopping

BETTER, WORSE = (0.5, 0.9), (0.6, 0.8)


def stopped(*epochs, may_stop=(3,), kinds=("a", "a", "b")):
    """Members that are stopped after the last of some epochs, each a (loss, accuracy) a member."""
    stopping = KindStopping(kinds, may_stop)
    for step, numbers in enumerate(epochs):
        loss, accuracy = torch.tensor(numbers).T
        asked = stopping(step, 9, {"validation_loss": loss, "validation_accuracy": accuracy})
    return None if asked is None else asked.tolist()


def test_a_kind_that_became_worse_stops_and_no_other():
    assert stopped([BETTER] * 3, [BETTER] * 3, [WORSE, WORSE, BETTER]) == [True, True, False]


def test_members_of_a_kind_stop_together_by_their_mean():
    assert stopped([BETTER] * 3, [BETTER] * 3, [WORSE, (0.55, 0.9), WORSE]) == [True] * 3
    assert stopped([BETTER] * 3, [BETTER] * 3, [WORSE, (0.3, 0.95), WORSE]) == [False, False, True]


def test_a_larger_loss_alone_stops_nobody():
    assert stopped([BETTER] * 3, [BETTER] * 3, [(0.6, 0.9)] * 3) == [False] * 3


def test_only_after_some_epochs_may_a_kind_stop():
    assert stopped([BETTER] * 3, [WORSE] * 3) is None


def test_a_failed_member_has_no_say():
    nan = float("nan")
    assert stopped([BETTER] * 3, [BETTER] * 3, [(nan, nan), WORSE, (nan, nan)])[1]


def test_whoever_follows_the_training_is_told():
    seen = []
    stopping = KindStopping(["a"], [1], lambda *told: seen.append(told))
    entry = {"validation_loss": torch.ones(1), "validation_accuracy": torch.ones(1)}
    stopping(4, 9, entry)
    assert seen == [(4, 9, entry)]
