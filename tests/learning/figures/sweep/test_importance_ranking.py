import numpy as np
import pytest
from matplotlib.colors import to_hex

from classification_assets.learning.figures.canvas.style import THEMES
from classification_assets.learning.figures.sweep.importance_ranking import importance_ranking


def test_what_is_not_shown_to_matter_is_hollow_and_has_no_number(texts):
    figure = importance_ranking(["a", "b"], np.array([0.5, 0.1]), np.array([0.3, -0.1]), np.array([0.6, 0.2]))
    assert {"50 % (30 to 60)", "not shown"} <= set(texts(figure))
    dots = figure.axes[0].collections[-1]
    assert [to_hex(colour) == THEMES["light"].paper for colour in dots.get_facecolors()] == [False, True]


def test_columns_that_do_not_fit_the_names_are_refused():
    with pytest.raises(ValueError, match=r"must be \(2,\) for 2 names, got \(2,\), \(1,\)"):
        importance_ranking(["a", "b"], np.ones(2), np.ones(1), np.ones(2))
    with pytest.raises(ValueError, match="0 names"):
        importance_ranking([], *[np.zeros(0)] * 3)
