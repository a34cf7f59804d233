"""The cost of a pack hardly grows by regularization, or by hyper-parameters of each member."""

import numpy as np

from tests.benchmarks.measure import Reach
from tests.benchmarks.work import Work, ours

K = 128
ROUNDS = 12  # a training takes a second, and of three the best one is a third slower than the next time
MOONS = Work.moons()
REGULARIZED = {"dropout": 0.1, "input_noise": 0.1, "label_smoothing": 0.05, "mixup": 0.2}


def test_dropout_noise_smoothing_and_mixup_are_cheap(race):
    race(
        "128 with dropout, noise, smoothing, mixup",
        ours(MOONS, K, **REGULARIZED),
        "ours without",
        ours(MOONS, K),
        Reach(most=1.3),
        ROUNDS,
    )


def test_batch_norm_on_top_is_affordable(race):
    race(
        "the same with batch norm on top",
        ours(MOONS, K, **REGULARIZED, normalization="batch"),
        "ours without any",
        ours(MOONS, K),
        Reach(most=1.6),
        ROUNDS,
    )


def test_rates_of_a_members_own_are_cheap(race):
    own = {
        "learning_rate": tuple(np.geomspace(0.003, 0.03, K)),
        "weight_decay": tuple(np.linspace(0.0, 0.05, K)),
        "dropout": tuple(np.linspace(0.0, 0.2, K)),
        "label_smoothing": tuple(np.linspace(0.0, 0.1, K)),
    }
    uniform = {"learning_rate": 0.01, "weight_decay": 0.025, "dropout": 0.1, "label_smoothing": 0.05}
    race(
        "128, each with its own rates",
        ours(MOONS, K, **own),
        "ours, one for all",
        ours(MOONS, K, **uniform),
        Reach(most=1.25),
        ROUNDS,
    )
