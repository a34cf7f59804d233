"""An example of every kind of figure of a sweep."""

import numpy as np

from classification_assets.learning.figures.gallery import Cell
from classification_assets.learning.figures.sweep.cost import Cost, Worth, cost
from classification_assets.learning.figures.sweep.effects import effects
from classification_assets.learning.figures.sweep.importance_ranking import importance_ranking
from classification_assets.learning.figures.sweep.marks import without_anything
from classification_assets.learning.figures.sweep.member_curves import member_curves
from classification_assets.learning.figures.sweep.parallel_coordinates import parallel_coordinates
from classification_assets.learning.figures.sweep.shape_map import ShapeScore, shape_map
from classification_assets.learning.sweeps.axes import Axis
from classification_assets.learning.sweeps.importance import Effect, Importance

N = 30
STEPS = np.arange(N)
PLACE = (STEPS * 7 % N + 0.5) / N
FAILED = PLACE < 0.1


def axes_with(long):
    kinds, shapes = ("relu" + long, "tanh" + long), ("8", "16", "32")
    return [
        Axis("learning_rate", np.where(STEPS == 3, np.nan, np.linspace(-3, 0, N)), (), True, True),
        Axis("activation" + long, (STEPS % 2).astype(float), kinds, False, False),
        Axis("width", (STEPS % 3).astype(float), shapes, True, False),
    ]


def _effect(axis, grid):
    place = np.linspace(0.3, 0.7, len(grid))
    return Effect(axis, grid, place, place - 0.1, place + 0.1, place > 0.6)


def _effects(title, long, theme):
    found = axes_with(long)
    grids = np.linspace(-3, 0, 15), np.arange(2.0), np.arange(3.0)
    shown = tuple(_effect(axis, grid) for axis, grid in zip(found, grids, strict=True))
    share, low, high = np.array([0.6, 0.2, 0.01]), np.array([0.4, 0.1, -0.02]), np.array([0.7, 0.3, 0.04])
    known = Importance(shown, share, low, high, 0.8, N)
    return effects(found, PLACE, FAILED, known, title=title, note="a note" + long, theme=theme)


def _importance(title, long, theme):
    names = ["learning_rate", "activation" + long, "width"]
    share, low, high = np.array([0.6, 0.2, 0.01]), np.array([0.4, 0.1, -0.02]), np.array([0.7, 0.3, 0.04])
    return importance_ranking(names, share, low, high, title=title, note="a note" + long, theme=theme)


def _curves(title, long, theme):
    lengths = np.where(FAILED, 2, np.where(PLACE > 0.7, 20, 5))
    curves = [
        1.2 - place + np.exp(-np.arange(length) / 4) for place, length in zip(PLACE, lengths, strict=True)
    ]
    state = np.where(FAILED, "failed", np.where(PLACE > 0.7, "finished", "dropped"))
    winner = np.arange(N) == int(PLACE.argmax())
    return member_curves(curves, PLACE, state, winner, rungs=(5, 20), title=title, theme=theme)


def _cost(title, long, theme):
    worths = [Worth("accuracy" + long, 0.5 + PLACE / 3, False), Worth("log loss", 1 - PLACE / 2, True)]
    costs = [Cost("parameters", 10 + STEPS**2.0), Cost("seconds" + long, 0.01 + PLACE / 10)]
    return cost(worths, costs, winner=int(PLACE.argmax()), title=title, note="a note" + long, theme=theme)


def picture(C=3, R=17):
    """A boundary picture of C classes."""
    x, y = np.meshgrid(np.linspace(-2, 2, R), np.linspace(-2, 2, R))
    angle = 2 * np.pi * np.arange(C) / C
    share = np.exp(3 * (x[..., None] * np.cos(angle) + y[..., None] * np.sin(angle)))
    return Cell(share / share.sum(-1, keepdims=True), (-2, 2, -2, 2), [f"class {c}" for c in range(C)])


def _shapes(title, long, theme):
    scores = {
        (0, 0): ShapeScore(np.nan, 0.05, 2, 0, 4),
        (0, 1): ShapeScore(0.512, 0.4, 5, 0, 7),
        (1, 0): ShapeScore(0.312, 0.8, 0, 1, 9),
        (1, 1): ShapeScore(0.223, 0.99, 0, 3, 12),
    }
    cells = {(1, 0): picture(), (1, 1): picture()}
    classes = [f"class {c}{long}" for c in range(3)]
    look = {"metric": "best log loss" + long, "classes": classes, "title": title, "theme": theme}
    return shape_map(["1", "2"], ["8", "16", "32"], scores, cells, note="a note" + long, **look)


EXAMPLES = {
    "sweep_effects": _effects,
    "sweep_importance": _importance,
    "sweep_curves": _curves,
    "sweep_cost": _cost,
    "sweep_shapes": _shapes,
    "sweep_parallel": lambda title, long, theme: parallel_coordinates(
        axes_with(long), PLACE, title=title, note="a note" + long, theme=theme
    ),
    "sweep_nothing": lambda title, long, theme: without_anything("nothing" + long, title, theme),
}
"""Figures of a title, of words that make names longer, and of a theme."""
