"""Keeping the snapshots of a training costs next to nothing."""

from unittest.mock import patch

import pytest

from classification_assets.learning.models import snapshots
from tests.benchmarks.measure import Contender, Reach
from tests.benchmarks.work import Work, ours

SIZES = {
    "8 networks 2-16-16-2": (8, (16, 16)),
    "128 networks 2-16-16-2": (128, (16, 16)),
    "8 networks 2-64-64-64-2": (8, (64, 64, 64)),
}


@pytest.mark.parametrize("size", SIZES)
def test_snapshots_of_a_training_are_nearly_free(race, size):
    members, hidden = SIZES[size]
    # As long as trainings that stop early usually are.
    work = Work.moons(hidden=hidden, epochs=120)
    with_snapshots = ours(work, members)

    def without():
        with patch.object(snapshots, "BYTES", 0):
            return with_snapshots.run()

    race(
        f"{size}, snapshots kept",
        with_snapshots,
        "ours without",
        Contender(without, members),
        Reach(most=1.03),
        rounds=5,
    )
