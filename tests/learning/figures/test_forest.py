import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from classification_assets.learning.figures.canvas.style import THEMES
from classification_assets.learning.figures.forest import Scores, forest


@pytest.fixture
def scores():
    def make(A, **options):
        value = np.linspace(0.9, 0.8, A)
        return Scores("accuracy", value, value - 0.02, value + 0.01, **options)

    return make


@pytest.mark.parametrize("A", [1, 2, 20])
def test_every_architecture_has_its_row_its_interval_and_its_number(A, scores, texts, saved):
    figure = forest([f"net {i}" for i in range(A)], [scores(A)])
    (ax,) = figure.axes
    segments = [s for c in ax.collections if isinstance(c, LineCollection) for s in c.get_segments()]
    for index in range(A):
        value = scores(A).value[index]
        assert any(np.allclose(s, [(value - 0.02, index), (value + 0.01, index)]) for s in segments)
    assert {f"{value:.3f}" for value in scores(A).value} <= set(texts(figure))
    assert saved(figure)


def test_the_winner_is_starred_and_what_is_not_tied_is_hollow(scores, texts):
    figure = forest(["a", "b", "c"], [scores(3)], winner="b", tied=[True, True, False])
    assert "★ b" in texts(figure)
    assert {"tied with the best", "not tied with it", "best of validation"} <= set(texts(figure))
    dots = figure.axes[0].collections[-1]
    paper = THEMES["light"].paper
    assert [to_hex(colour) == paper for colour in dots.get_facecolors()] == [False, False, True]


def test_the_best_that_is_possible_is_a_dashed_line_only_where_it_is_known(scores, texts):
    assert "Bayes optimal" in texts(forest(["a", "b"], [scores(2, best=0.95)]))
    assert "Bayes optimal" not in texts(forest(["a", "b"], [scores(2), scores(2, best=np.nan)]))


def test_the_spread_over_members_is_drawn_where_there_is_one(scores, texts):
    spread = scores(2, members=np.array([0.88, 0.79]), spread=np.array([0.01, np.nan]))
    assert "members ± 1 sd" in texts(forest(["a", "b"], [spread]))
    assert "members ± 1 sd" not in texts(forest(["a", "b"], [scores(2)]))


def test_the_numbers_do_not_run_into_the_legend(scores):
    figure = forest(["a", "b"], [scores(2), scores(2)])
    renderer = figure._get_renderer()
    (legend,) = figure.axes[1].artists
    numbers = [text.get_window_extent(renderer) for text in figure.axes[1].texts]
    assert max(box.x1 for box in numbers) < legend.get_window_extent(renderer).x0 + 46 * figure.dpi / 72


def test_columns_that_do_not_fit_the_names_are_refused(scores):
    with pytest.raises(ValueError, match=r"value of accuracy must be \(2,\) for 2 names, got \(3,\)"):
        forest(["a", "b"], [scores(3)])
    with pytest.raises(ValueError, match="got 0 and 1"):
        forest([], [scores(0)])
