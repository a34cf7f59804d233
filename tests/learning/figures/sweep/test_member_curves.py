import numpy as np
import pytest
from matplotlib.collections import LineCollection

from classification_assets.learning.figures.sweep.member_curves import MOST, member_curves
from tests.learning.figures.shown_text import texts


def drawn(K, failed=0, **options):
    place = (np.arange(K) + 0.5) / K
    curves = [1.5 - own + np.exp(-np.arange(10)) for own in place]
    state = np.where(np.arange(K) < failed, "failed", "finished")
    return member_curves(curves, place, state, np.arange(K) == K - 1, **options)


def n_lines(figure):
    return sum(len(c.get_segments()) for c in figure.axes[0].collections if isinstance(c, LineCollection))


@pytest.mark.parametrize("K", [2, 64, MOST])
def test_every_network_has_its_line_and_the_winner_one_of_its_own(K):
    figure = drawn(K)
    assert n_lines(figure) == K - 1
    assert "winner" in texts(figure)
    assert "are drawn" not in texts(figure)


def test_of_very_many_an_even_choice_is_drawn_and_the_winner_always():
    figure = drawn(10_000)
    assert n_lines(figure) == MOST - 1
    assert "1,000 of 10,000 networks are drawn" in texts(figure)
    assert "winner" in texts(figure)
    lines = next(c for c in figure.axes[0].collections if len(c.get_segments()))
    last = np.array([line[-1, 1] for line in lines.get_segments()])
    assert np.ptp(np.diff(last)) < 0.01


def test_many_lines_are_pixels_in_a_vector_picture(saved):
    assert len(saved(drawn(MOST), "svg")) < 400_000


def test_a_network_without_a_finite_loss_is_told():
    curves = [np.array([np.nan]), np.array([]), np.array([1.0, 0.5]), np.array([2.0])]
    place, state = np.array([0.1, 0.1, 0.9, 0.5]), np.array(["failed", "failed", "finished", "failed"])
    figure = member_curves(curves, place, state, np.array([False, False, True, False]))
    assert "2 networks failed in their first epoch and have no curve" in texts(figure)
    none = member_curves(curves[:2], place[:2], state[:2], np.zeros(2, bool))
    assert "no network has a finite log loss" in texts(none)


def test_rungs_are_dotted_lines_but_the_last(saved):
    assert "some are dropped" in texts(drawn(5, rungs=(2, 10)))
    assert "some are dropped" not in texts(drawn(5, rungs=(10,)))
