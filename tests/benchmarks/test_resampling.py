"""The uncertainty of every score costs less than a second."""

import numpy as np

from classification_assets.learning.evaluation.metrics import average_scores, class_scores
from classification_assets.learning.evaluation.resampling import RESAMPLES, Resampled
from tests.benchmarks.measure import Contender, Reach

N, C, FEW = 10_000, 3, 20


def test_all_scores_of_2000_resamples_of_10000_rows(race):
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(C, 0.4), N).astype(np.float32)
    y = (rng.random((N, 1)) > p.cumsum(1)).sum(1).clip(0, C - 1)
    classes = [str(label) for label in range(C)]

    def ours():
        Resampled.of(y, p, classes)

    def one_after_another():
        for _ in range(FEW):
            rows = rng.integers(N, size=N)
            average_scores(y[rows], p[rows])
            class_scores(y[rows], p[rows], classes)

    race(
        f"every score of a resample of {N:,} rows",
        Contender(ours, RESAMPLES),
        "scikit-learn, one resample after another",
        Contender(one_after_another, FEW),
        Reach(least=50),
    )
