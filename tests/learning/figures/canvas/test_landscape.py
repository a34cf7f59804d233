import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import rgb_to_hsv

from classification_assets.learning.figures.canvas.landscape import borders, confidence_lines, tint
from classification_assets.learning.figures.canvas.style import THEMES

EXTENT = (-2.0, 2.0, -1.0, 1.0)


def two_classes(score):
    """(R, R, 2) from a function of x and y whose sign decides; log-odds as they are."""
    x, y = np.meshgrid(np.linspace(-2, 2, 41), np.linspace(-1, 1, 41))
    p = 1 / (1 + np.exp(-score(x, y)))
    return np.stack([1 - p, p], axis=2)


def length(line):
    return np.linalg.norm(np.diff(line, axis=0), axis=1).sum()


@given(
    a=st.floats(-1, 1),
    b=st.floats(-1, 1),
    c=st.floats(-0.4, 0.4),
    sharpness=st.sampled_from([0.5, 5, 20, 1000]),
)
@settings(max_examples=40, deadline=None)
def test_the_decision_line_lies_where_the_probabilities_cross(a, b, c, sharpness):
    norm = np.hypot(a, b)
    if norm < 0.1:
        return
    with np.errstate(over="ignore"):
        lines = borders(two_classes(lambda x, y: sharpness * (a * x + b * y + c) / norm), EXTENT)
    for line in lines:
        away = np.abs(line @ [a, b] + c) / norm
        # A step within one cell of the grid cannot be placed better than the cell.
        assert away.max() < (1e-6 if sharpness < 100 else 0.11)


def test_a_round_decision_line_is_round():
    (line,) = borders(two_classes(lambda x, y: 9 * (0.8**2 - x**2 - y**2)), EXTENT)
    np.testing.assert_allclose(np.hypot(*line.T), 0.8, atol=0.003)
    assert length(line) == pytest.approx(2 * np.pi * 0.8, rel=0.01)


def test_the_line_between_steep_classes_is_as_smooth_as_between_gentle_ones():
    steep = borders(two_classes(lambda x, y: 60 * (x + 0.37 * y)), EXTENT)
    gentle = borders(two_classes(lambda x, y: 0.1 * (x + 0.37 * y)), EXTENT)
    assert sum(map(length, steep)) == pytest.approx(sum(map(length, gentle)), rel=1e-3)


@pytest.mark.parametrize("C", [3, 4, 10, 20])
def test_every_stretch_between_two_of_many_classes_is_drawn_once(sectors, extent, C):
    lines = borders(sectors(C, R=201), extent)
    rays = np.arange(C) * 2 * np.pi / C + 0.3 + np.pi / C
    expected = (2 / np.maximum(np.abs(np.cos(rays)), np.abs(np.sin(rays)))).sum()
    # Where the rays meet, lines of neighbouring classes overlap by a cell or two.
    assert sum(map(length, lines)) == pytest.approx(expected, abs=C * 0.1)
    for line in lines:
        outside = line[np.hypot(*line.T) > 0.4]
        turn = (np.arctan2(outside[:, 1], outside[:, 0]) - rays[0]) % (2 * np.pi / C)
        assert np.minimum(turn, 2 * np.pi / C - turn).max(initial=0) < 1e-2


@pytest.mark.parametrize("C", [1, 2, 5])
def test_where_one_class_wins_everywhere_or_all_tie_there_is_no_line(C):
    certain = np.zeros((10, 10, C))
    certain[..., 0] = 1
    assert borders(certain, EXTENT) == []
    assert borders(np.full((10, 10, C), 1 / C), EXTENT) == []


def test_confidence_lines_lie_where_the_likeliest_class_has_that_probability():
    lines = confidence_lines(two_classes(lambda x, y: 3 * x), EXTENT, 0.9)
    assert sorted({round(float(line[0, 0]), 6) for line in lines}) == pytest.approx(
        [-np.log(9) / 3, np.log(9) / 3]
    )


@pytest.mark.parametrize("theme", THEMES)
def test_the_more_probable_a_class_the_stronger_its_colour(theme):
    p = np.linspace(0.5, 1, 20)
    colours = tint(np.stack([p, 1 - p], axis=1), THEMES[theme])
    saturation = rgb_to_hsv(colours)[:, 1]
    assert (np.diff(saturation) > -0.02).all()
    assert saturation[-1] > saturation[0] + 0.2
