"""Packs that are trained on the moons."""

import pytest

from classification_assets.learning.packed.training import train
from tests.learning.packed.trainings import EVERYTHING, NETWORKS, PLAIN, SEEDS


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
