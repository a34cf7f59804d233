"""A model's check tells whether its training has converged."""

import dataclasses

import numpy as np

from classification_assets.learning.models.checks import converged
from classification_assets.learning.packed.options import Training


def with_losses(fitted, losses, best_step=(5, 5)):
    history = {"step": np.arange(1, len(losses) + 1), "validation_loss": np.array(losses)}
    return dataclasses.replace(fitted, history=history, best_step=np.array(best_step))


def test_a_training_whose_losses_all_fell_has_converged(fitted):
    passed, sentence = converged(with_losses(fitted, [[0.9, 0.8], [0.4, 0.2], [0.5, np.nan]]))
    assert passed
    assert sentence == "the validation log loss of all 2 members fell, to 0.300 in the median"


def test_a_member_that_never_got_better_has_not_converged(fitted):
    passed, sentence = converged(with_losses(fitted, [[0.9, 0.2], [0.4, 0.3]]))
    assert not passed
    assert sentence == "the validation log loss of 1 of 2 members never fell below its first epoch's"


def test_a_member_whose_loss_was_not_finite_has_not_converged(fitted):
    passed, sentence = converged(with_losses(fitted, [[0.9, np.nan], [0.4, np.nan]], best_step=(5, -1)))
    assert not passed
    assert sentence == "the loss of 1 of 2 members stopped being finite; they were left out"


def test_one_epoch_alone_cannot_fall_and_is_no_failure(fitted):
    assert converged(with_losses(fitted, [[0.9, 0.8]]))[0]


def long_training(fitted, losses, **training):
    """Forty epochs of two members whose validation losses are given functions of the epoch."""
    told = with_losses(fitted, [[loss(epoch) for loss in losses] for epoch in range(40)])
    provenance = fitted.provenance.model_copy(update={"training": Training(**training)})
    return dataclasses.replace(told, provenance=provenance)


def still_falling(epoch):
    return 2 - epoch / 40


def settled(epoch):
    return max(0.5, 2 - epoch / 10)


def test_members_that_were_still_improving_at_the_end_have_not_converged(fitted):
    passed, sentence = converged(long_training(fitted, [still_falling, still_falling]))
    assert not passed
    assert sentence == (
        "2 of 2 members were still improving when training ended after 40 epochs; more epochs (max_epochs) may help"
    )


def test_members_that_settled_have_converged(fitted):
    assert converged(long_training(fitted, [settled, settled]))[0]
    assert converged(long_training(fitted, [settled, still_falling]))[0]


def test_without_early_stopping_the_number_of_epochs_is_the_persons_choice(fitted):
    assert converged(long_training(fitted, [still_falling, still_falling], early_stopping=False))[0]
