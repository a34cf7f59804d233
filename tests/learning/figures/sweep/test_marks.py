import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification_assets.learning.figures.canvas.style import THEMES
from classification_assets.learning.figures.sweep.marks import evenly, shades, ticks_of
from classification_assets.learning.sweeps.axes import Axis


def ranged(low, high, log=False):
    return Axis("x", np.linspace(low, high, 20), (), True, log)


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        (ranged(-3, 0, log=True), ["0.001", "0.01", "0.1", "1"]),
        (ranged(-5, -1, log=True), ["1e-5", "1e-4", "0.001", "0.01", "0.1"]),
        (ranged(-2, -1.2, log=True), ["0.01", "0.03"]),
        (ranged(0.5, 0.625, log=True), ["3.5", "4"]),
        (ranged(0, 0.5), ["0", "0.2", "0.4"]),
        (ranged(4, 64), ["20", "40", "60"]),
        (Axis("x", np.arange(3.0), ("8", "16", "32"), True, False), ["8", "16", "32"]),
    ],
)
def test_ticks_are_round_numbers_in_words(axis, labels):
    assert ticks_of(axis, 5)[1] == labels


@given(st.floats(-6, 3), st.floats(1e-3, 6), st.booleans(), st.integers(3, 8))
def test_ticks_are_few_and_within_the_axis(low, length, log, most):
    axis = ranged(low, low + length, log)
    positions, labels = ticks_of(axis, most)
    assert len(positions) == len(labels) <= most + 1
    assert np.all((positions >= low - 0.1 * length - 0.02) & (positions <= low + 1.1 * length + 0.02))


@given(st.integers(0, 200), st.integers(2, 50))
def test_an_even_choice_keeps_the_ends(n, most):
    chosen = evenly(np.arange(n), most)
    assert len(chosen) == min(n, most)
    if n:
        assert (chosen[0], chosen[-1]) == (0, n - 1)
        assert len(set(np.diff(chosen))) <= 2


@pytest.mark.parametrize("theme", THEMES)
def test_the_best_shade_is_the_accent(theme):
    from matplotlib.colors import to_rgb

    np.testing.assert_allclose(shades(np.array([1.0]), THEMES[theme])[0], to_rgb(THEMES[theme].accent))
