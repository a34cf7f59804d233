"""A pack of small networks against the same networks trained one at a time, on one thread."""

import pytest

from tests.benchmarks.measure import Reach
from tests.benchmarks.work import PEERS, Work, ours, peer

MOONS = Work.moons()
REACH = dict(zip(PEERS, [Reach(60, aim=80), Reach(70, aim=100), Reach(90, aim=140), Reach()], strict=True))
ALONE = dict(zip(PEERS, [Reach(most=1.5), Reach(1), Reach(), Reach()], strict=True))


@pytest.mark.parametrize("name", PEERS)
def test_128_networks_cost_a_fraction_of_one_each(race, name):
    race("128 × 2-16-16-2, a network", ours(MOONS, 128), name, peer(name, MOONS), REACH[name])


def test_scoring_a_validation_fold_every_epoch_keeps_most_of_it(race):
    """The peer scores none: the fold is what ours costs more."""
    scored = Work.moons(1000)
    race(
        "128 × 2-16-16-2, validation each epoch",
        ours(MOONS, 128, validation=(scored.X[750:], scored.y[750:])),
        "MLPClassifier",
        peer("MLPClassifier", MOONS),
        Reach(25),
    )


@pytest.mark.parametrize("name", PEERS[:2])
def test_one_network_alone_is_no_burden(race, name):
    race("one 2-16-16-2", ours(MOONS, 1), name, peer(name, MOONS), ALONE[name], rounds=5)
