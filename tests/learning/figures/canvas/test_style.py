"""Whether people who see colours differently can tell the classes apart."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from classification_assets.learning.figures.canvas.style import PALETTE, THEMES

# Machado, Oliveira and Fernandes 2009, severity 1.
VISION = {
    "normal": np.eye(3),
    "protanope": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranope": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
}


def linear(colour):
    colour = np.array(to_rgb(colour))
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def oklab(light):
    """Ottosson's uniform colour space, in which 0.02 is about the least difference one sees."""
    cones = np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.63]]) @ np.clip(
        light, 0, 1
    )
    return np.array(
        [[0.2105, 0.7936, -0.0041], [1.978, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]
    ) @ np.cbrt(cones)


def least_distance(colours, vision):
    seen = np.array([oklab(np.array(VISION[vision]) @ linear(colour)) for colour in colours])
    distance = np.linalg.norm(seen[:, None] - seen, axis=-1)
    return distance[np.triu_indices(len(colours), 1)].min()


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("n_classes", "least"), [(2, 0.15), (8, 0.07), (20, 0.05)])
def test_the_classes_are_told_apart_on_white_paper(vision, n_classes, least):
    colours = [THEMES["light"].class_colour(c) for c in range(n_classes)]
    assert least_distance(colours, vision) > least


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("n_classes", "least"), [(2, 0.15), (8, 0.06)])
def test_the_classes_are_told_apart_on_dark_paper(vision, n_classes, least):
    colours = [THEMES["dark"].class_colour(c) for c in range(n_classes)]
    assert least_distance(colours, vision) > least


@pytest.mark.parametrize("theme", THEMES)
def test_no_class_colour_is_lost_on_the_paper(theme):
    paper = linear(THEMES[theme].paper) @ [0.2126, 0.7152, 0.0722] + 0.05
    for c in range(len(PALETTE)):
        dot = linear(THEMES[theme].class_colour(c)) @ [0.2126, 0.7152, 0.0722] + 0.05
        assert max(paper / dot, dot / paper) > 1.9
