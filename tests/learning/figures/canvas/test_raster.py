"""What is drawn again looks as Matplotlib draws it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from classification_assets.learning.figures.canvas.raster import rendered

COLOURS = ["black", "#d55e00", (0.2, 0.4, 0.9, 0.5)]


def page(texts):
    figure = Figure(figsize=(2, 1), dpi=100)
    for x, y, text, colour, rotation in texts:
        figure.text(x, y, text, color=colour, rotation=rotation, fontsize=11, fontweight="bold")
    return figure


def as_matplotlib_draws(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


texts = st.tuples(
    st.floats(-0.2, 1.1), st.floats(-0.2, 1.1), st.sampled_from(["", " ", "0.25", "Ærgerlich, j", "two\nlines"]),
    st.sampled_from(COLOURS), st.sampled_from([0, 0, 0, 90, 30]),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(texts, min_size=1, max_size=4))
def test_texts_are_where_matplotlib_draws_them_also_over_the_edge_and_drawn_a_second_time(texts):
    expected = as_matplotlib_draws(page(texts)).astype(int)
    for _ in range(2):
        difference = np.abs(np.asarray(rendered(page(texts)), int) - expected)
        # A place is exact to a 128th of a pixel, and so is how much of a pixel is covered.
        assert difference.max() <= 12
        assert difference.mean() < 0.05


@pytest.mark.parametrize("colour", COLOURS)
def test_one_text_has_the_colour_in_which_it_is_drawn_each_time(colour):
    pictures = [
        np.asarray(rendered(page([(0.1, 0.4, "same", own, 0)]))) for own in ("white", colour, "white")
    ]
    assert (pictures[0] == 255).all()
    assert (pictures[2] == 255).all()
    assert (pictures[1] < 200).any()


@pytest.mark.parametrize("rotation", [30, 90, -45])
@pytest.mark.parametrize("smooth", [True, False])
def test_turned_texts_are_those_of_matplotlib_to_the_pixel(rotation, smooth):
    def turned():
        figure = page(
            [(0.31, 0.23, "eleven letters, AVAT fi", "black", rotation), (0.1, 0.1, "e", "red", 90)]
        )
        for text in figure.texts:
            text.set_antialiased(smooth)
        return figure

    np.testing.assert_array_equal(np.asarray(rendered(turned())), as_matplotlib_draws(turned()))
