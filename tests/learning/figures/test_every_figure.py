"""Properties that all figures share."""

import hashlib
import subprocess
import sys

import matplotlib
import numpy as np
import pytest

from classification_assets.learning.figures.canvas.style import DPI, PALETTE, THEMES
from classification_assets.learning.figures.confusion import confusion


def test_a_figure_saved_twice_is_the_same_bytes(kind, draw, saved):
    figure = draw(kind)
    png, svg = saved(figure), saved(figure, "svg")
    assert saved(figure) == png
    assert saved(draw(kind), "svg") == svg


@pytest.mark.parametrize("kind", ["boundary", "curves"])
def test_the_callers_own_matplotlib_settings_change_nothing_and_are_not_changed(kind, draw, saved):
    usual = saved(draw(kind), "svg")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": "another"}):
        settings = dict(matplotlib.rcParams)
        assert saved(draw(kind), "svg") == usual
        assert dict(matplotlib.rcParams) == settings


@pytest.mark.parametrize(
    "long", ["", " of a remarkably long name that goes on and on", "的很长的名字一直写下去没有尽头的样子"]
)
def test_nothing_is_cut_off_at_the_edge_of_the_sheet(kind, long, drawn):
    figure = drawn(kind, "light", long)
    used, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert used.x0 >= 0
    assert used.y0 >= 0
    assert used.x1 <= width
    assert used.y1 <= height


def test_a_figure_is_whole_pixels_wide_and_high(kind, drawn):
    pixels = drawn(kind).get_size_inches() * DPI
    np.testing.assert_allclose(pixels, np.round(pixels), atol=1e-6)


def test_the_title_stands_on_the_figure_with_its_second_line_smaller(kind, drawn):
    sizes = {text.get_text(): text.get_fontsize() for text in drawn(kind).texts}
    assert sizes["moons · deep_relu"] > sizes["second line"]


def test_a_dollar_in_a_name_is_no_formula(kind, draw, texts):
    figure = draw(kind, long=r" $50k_{\a$")
    assert r"second line $50k_{\a$" in texts(figure)


def test_an_unknown_theme_is_refused_by_name(kind, draw):
    with pytest.raises(ValueError, match="light, dark, got 'neon'"):
        draw(kind, "neon")


@pytest.mark.parametrize("kind", ["boundary", "scatter", "gallery", "confusion"])
@pytest.mark.parametrize("theme", THEMES)
def test_a_class_has_the_same_colour_in_every_figure(kind, theme, drawn):
    colours = {THEMES[theme].class_colour(c) for c in range(3)}
    dots = {
        matplotlib.colors.to_hex(colour)
        for ax in drawn(kind, theme).axes
        for collection in ax.collections
        if isinstance(collection, matplotlib.collections.PathCollection)
        for colour in collection.get_facecolors()
    }
    assert dots == colours


def test_drawing_and_saving_need_no_pyplot_and_a_new_process_gives_the_same_bytes(saved):
    matrix = np.array([[9, 1], [2, 7]])
    here = hashlib.sha256(saved(confusion(matrix, ["a", "b"]), "svg")).hexdigest()
    script = """
import hashlib, io, sys
import numpy as np
from classification_assets.learning.figures.boundary import boundary
from classification_assets.learning.figures.confusion import confusion
from classification_assets.learning.evaluation.plane import Plane
p = np.full((9, 9, 2), 0.5); p[:4] = [0.9, 0.1]; p[5:] = [0.1, 0.9]
buffer = io.BytesIO(); boundary(p, (0, 1, 0, 1), classes=["a", "b"]).savefig(buffer)
buffer = io.BytesIO()
confusion(np.array([[9, 1], [2, 7]]), ["a", "b"]).savefig(buffer, format="svg", metadata={"Date": None})
assert not {"matplotlib.pyplot", "dagster", "torch"} & set(sys.modules)
print(hashlib.sha256(buffer.getvalue()).hexdigest())
"""
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_there_are_twenty_colours_and_more_classes_get_darker_ones():
    light = THEMES["light"]
    assert len(set(PALETTE)) == 20
    assert len({light.class_colour(c) for c in range(40)}) == 40
    assert light.class_colour(3) == PALETTE[3]
