"""A boundary figure of eight networks against the figures that others draw of one."""

import warnings
from functools import cache

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.neural_network import MLPClassifier

from classification_assets.learning.evaluation.plane import Plane
from classification_assets.learning.evaluation.surface import surface
from classification_assets.learning.figures.boundary import boundary
from classification_assets.learning.figures.canvas.export import png
from classification_assets.learning.figures.canvas.points import Points
from classification_assets.learning.preparation.folds import Fold
from classification_assets.learning.preparation.split import Split
from tests.benchmarks.measure import Contender, Reach
from tests.benchmarks.work import Work, fit_ours

RESOLUTION = 400
ROUNDS = 12
"""A fifth of a second is short: of three rounds the best swings by half on a shared machine."""
MOONS = Work.moons(hidden=(64, 64, 64), epochs=20)


@cache
def _pack():
    """Eight networks, and the rows that they were trained on."""
    names = [f"x{index}" for index in range(2)]
    moons = Split.of_arrays(MOONS.X, MOONS.y, np.full(len(MOONS.y), Fold.TRAIN, np.int8), names=names)
    return fit_ours(MOONS, MOONS.training(8)), moons


@cache
def _network():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MLPClassifier(MOONS.hidden, max_iter=MOONS.epochs, random_state=0).fit(MOONS.X, MOONS.y)


@pytest.fixture
def ours(tmp_path):
    """Probabilities and disagreement of eight networks on the grid, with the rows, as a PNG."""
    fitted, moons = _pack()

    def draw():
        plane = Plane.of(MOONS.X, ["x1", "x2"])
        probabilities, disagreement = surface(fitted, moons, plane, RESOLUTION)
        nowhere = np.zeros(len(MOONS.y), np.int8)
        figure = boundary(
            probabilities,
            plane.extent,
            classes=["0", "1"],
            points=Points(plane.project(MOONS.X), MOONS.y, nowhere, nowhere.astype(bool)),
            disagreement=disagreement,
        )
        (tmp_path / "ours.png").write_bytes(png(figure))

    return Contender(draw)


def test_eight_networks_are_drawn_faster_than_scikit_learn_draws_one(race, ours, tmp_path):
    def draw():
        shown = DecisionBoundaryDisplay.from_estimator(
            _network(), MOONS.X, grid_resolution=RESOLUTION, response_method="predict_proba"
        )
        shown.ax_.scatter(*MOONS.X.T, c=MOONS.y, s=8)
        shown.figure_.savefig(tmp_path / "theirs.png", dpi=150)
        plt.close(shown.figure_)

    _network()
    race(
        f"boundary of 8, {RESOLUTION} × {RESOLUTION}",
        ours,
        "DecisionBoundaryDisplay of 1",
        Contender(draw),
        Reach(1.2),
        ROUNDS,
    )


def test_eight_networks_are_drawn_faster_than_mlxtend_draws_one(race, ours, tmp_path):
    plotting = pytest.importorskip(
        "mlxtend.plotting", reason="mlxtend is not installed: pip install -e '.[bench]'"
    )

    def draw():
        # Its grid has a point for each pixel of the figure.
        figure, axes = plt.subplots(figsize=(4, 4), dpi=RESOLUTION / 4)
        plotting.plot_decision_regions(MOONS.X, MOONS.y, clf=_network(), ax=axes)
        figure.savefig(tmp_path / "theirs.png", dpi=150)
        plt.close(figure)

    _network()
    race(
        f"boundary of 8, {RESOLUTION} × {RESOLUTION}",
        ours,
        "plot_decision_regions of 1",
        Contender(draw),
        Reach(1.5, aim=3),
        ROUNDS,
    )
