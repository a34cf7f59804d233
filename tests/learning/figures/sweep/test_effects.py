import numpy as np

from classification_assets.learning.figures.sweep.effects import MOST, effects
from classification_assets.learning.sweeps.axes import Axis
from classification_assets.learning.sweeps.importance import importance
from classification_assets.learning.sweeps.places import places
from tests.learning.figures.shown_text import texts


def n_dots(ax):
    return sum(len(line.get_xdata()) for line in ax.lines if line.get_linestyle() == "None")


def test_a_panel_a_hyper_parameter_the_most_important_first(halved):
    found = importance(halved)
    place = places(halved)
    figure = effects([effect.axis for effect in found.effects], place, place < 0.05, found)
    assert [ax.get_title(loc="left") for ax in figure.axes] == [effect.axis.name for effect in found.effects]
    assert {ax.get_ylim() for ax in figure.axes} == {(-3.0, 103.0)}


def test_without_effects_the_dots_are_drawn_alone():
    axis = Axis("dropout", np.linspace(0, 0.5, 12), (), True, False)
    figure = effects([axis], np.linspace(0, 1, 12), np.zeros(12, bool), None)
    (ax,) = figure.axes
    assert n_dots(ax) == 12
    assert not [line for line in ax.lines if line.get_linestyle() != "None"]
    assert not ax.collections
    assert "expected" not in texts(figure)


def test_of_very_many_configurations_some_are_dots():
    axis, n = Axis("dropout", np.linspace(0, 0.5, 9_000), (), True, False), 9_000
    figure = effects([axis], np.linspace(0, 1, n), np.zeros(n, bool), None)
    assert n_dots(figure.axes[0]) == MOST
    assert "500 of 9,000 dots are drawn" in texts(figure)


def test_where_a_hyper_parameter_has_no_use_there_is_no_dot():
    position = np.where(np.arange(12) < 4, np.nan, np.linspace(0, 0.5, 12))
    figure = effects(
        [Axis("dropout", position, (), True, False)], np.linspace(0, 1, 12), np.zeros(12, bool), None
    )
    assert n_dots(figure.axes[0]) == 8


def test_without_hyper_parameters_it_says_so():
    assert "no hyper-parameter has more than one value" in texts(
        effects([], np.zeros(3), np.zeros(3, bool), None)
    )
