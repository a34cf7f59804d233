"""Checkpoints of a training, and what is told and asked after each epoch."""

import torch

from tests.learning.packed.trainings import EVERYTHING, PLAIN, SEEDS, SHORT, close, epochs_run


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
