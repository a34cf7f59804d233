import numpy as np
from matplotlib.collections import LineCollection

from classification_assets.learning.figures.sweep.parallel_coordinates import MOST, parallel_coordinates
from classification_assets.learning.sweeps.axes import Axis
from tests.learning.figures.shown_text import texts


def lines_of(figure):
    return [
        line for c in figure.axes[0].collections if isinstance(c, LineCollection) for line in c.get_segments()
    ]


def axes_of(n):
    rng = np.random.default_rng(0)
    return [
        Axis("learning_rate", rng.uniform(-3, 0, n), (), True, True),
        Axis("width", rng.integers(0, 3, n).astype(float), ("8", "16", "32"), True, False),
    ]


def test_a_line_goes_through_a_configurations_values_and_ends_at_its_place():
    axes, place = axes_of(20), (np.arange(20) + 0.5) / 20
    low, high = axes[0].position.min(), axes[0].position.max()
    starts = {
        round(float(line[0, 1]), 6): float(line[-1, 1])
        for line in lines_of(parallel_coordinates(axes, place))
    }
    assert len(starts) == 20
    for position, own in zip(axes[0].position, place, strict=True):
        assert abs(starts[round(float((position - low) / (high - low)), 6)] - own) < 1e-9


def test_the_best_are_drawn_last_of_however_many():
    n = 10_000
    place = np.random.default_rng(1).permutation(n) / n
    figure = parallel_coordinates(axes_of(n), place)
    lines = lines_of(figure)
    assert len(lines) == MOST
    best = sorted(float(line[-1, 1]) for line in lines[-15:])
    np.testing.assert_allclose(best, np.sort(place)[-15:])
    assert "best 15" in texts(figure)
    assert "110 of 10,000 configurations are drawn" in texts(figure)


def test_a_value_without_use_lies_below_the_axis():
    axes = axes_of(20)
    unused = Axis("dropout", np.where(np.arange(20) < 5, np.nan, np.linspace(0, 0.5, 20)), (), True, False)
    figure = parallel_coordinates([*axes, unused], np.linspace(0, 1, 20))
    assert sum(line[2, 1] < 0 for line in lines_of(figure)) == 5
    assert "no use" in texts(figure)
    assert "no use" not in texts(parallel_coordinates(axes, np.linspace(0, 1, 20)))
