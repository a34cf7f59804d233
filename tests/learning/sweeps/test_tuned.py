"""The architecture that a sweep finds: what was found, on top of what is declared, and what a run sets instead."""

import pytest

from classification_assets.learning.models.architectures import MLP
from classification_assets.learning.packed.options import Training
from classification_assets.learning.sweeps.sweep import Sweep
from classification_assets.learning.sweeps.tuned import Tuned
from tests.learning.sweeps.invented import invented

SPACE = {
    "hidden": [[8], [8, 8], [16]],
    "activation": ["relu", "tanh"],
    "learning_rate": {"low": 0.001, "high": 0.1},
}
DECLARED = Training(members=5, learning_rate=0.5, weight_decay=0.25, max_epochs=200)


def tuned(**changes):
    fixed = {"normalization": "layer", "training": {"weight_decay": 0.125}}
    return Tuned(
        sweep=Sweep.model_validate({"space": SPACE, "architecture": fixed, "max_epochs": 12}), **changes
    )


def found(architecture=None, result=None):
    architecture = architecture or tuned()
    return architecture.found(result or invented(), architecture.trained_with(DECLARED))


def test_what_was_found_stands_in_the_architecture_and_in_its_training():
    result = invented()
    architecture, training = found(result=result)
    assert (type(architecture), type(training)) == (MLP, Training)
    assert (architecture.name, list(architecture.hidden)) == ("tuned", result.summary.values["hidden"])
    assert training.learning_rate == result.summary.values["learning_rate"]


def test_what_is_not_searched_is_as_declared_and_the_sweeps_own_comes_first():
    architecture, training = found()
    assert architecture.normalization == "layer"
    assert (training.members, training.weight_decay) == (5, 0.125)


def test_it_is_trained_for_as_many_epochs_as_its_sweep_was():
    assert tuned().trained_with(DECLARED).max_epochs == 12
    assert found()[1].max_epochs == invented().summary.max_epochs


def test_the_architectures_own_options_are_what_was_found():
    architecture, training = found()
    assert architecture.trained_with(Training(members=5)).learning_rate == training.learning_rate


def test_a_run_may_set_anything_instead():
    architecture, training = found(tuned(hidden=(3, 3), learning_rate=0.5, max_epochs=7))
    assert (architecture.hidden, training.learning_rate, training.max_epochs) == ((3, 3), 0.5, 7)


def test_a_run_that_sets_what_does_not_fit_is_told_what_was_found():
    with pytest.raises(
        ValueError, match=r"residual needs hidden layers of one width.* the sweep has found .*and the run"
    ):
        found(tuned(hidden=(3, 4), residual=True))
