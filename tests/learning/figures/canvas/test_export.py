"""A figure is rendered once for what is stored and what is shown."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from scipy.ndimage import gaussian_filter

from classification_assets.learning.figures.canvas.export import encode, picture, png, preview


@pytest.mark.parametrize("name", ["boundary", "evolution", "gallery"])
def test_a_stored_boundary_is_of_few_colours_that_nobody_tells_from_the_figures(draw, saved, name):
    figure = draw(name)
    content, full = png(figure), saved(figure)
    stored = Image.open(io.BytesIO(content))
    assert stored.mode == "P"
    assert len(content) < 0.6 * len(full)
    expected = Image.open(io.BytesIO(full)).convert("RGB")
    difference = np.asarray(stored.convert("RGB"), float) - np.asarray(expected, float)
    assert np.abs(difference).mean() < 1.5
    assert (np.abs(difference).max(axis=2) > 12).mean() < 0.002
    # Seen from where two pixels are one there are no steps.
    blurred = gaussian_filter(difference, (1.5, 1.5, 0))
    assert np.quantile(np.abs(blurred), 0.99) < 2.5
    assert stored.info["dpi"] == pytest.approx((150, 150), abs=0.1)
    assert set(stored.info) == {"dpi"}


@pytest.mark.parametrize("name", ["confusion", "curves", "forest", "reliability", "roc_pr", "scatter"])
def test_a_stored_chart_is_of_few_colours_that_nobody_tells_from_the_figures(draw, name):
    content, full = png(figure := draw(name)), io.BytesIO()
    picture(figure).save(full, format="png", compress_level=2)
    stored = Image.open(io.BytesIO(content))
    assert stored.mode == "P"
    assert len(content) < 0.6 * len(full.getvalue())
    difference = np.asarray(stored.convert("RGB"), int) - np.asarray(picture(figure), int)
    apart = np.abs(difference).max(axis=2)
    assert (apart == 0).mean() > 0.9
    assert (apart > 12).mean() < 0.005
    assert apart.max() < 64


def test_a_sheet_is_rendered_once_and_another_figure_as_it_is_now(draw):
    sheet, plain = draw("confusion"), Figure(figsize=(1, 1))
    assert picture(sheet) is picture(sheet)
    assert png(sheet) is png(sheet)
    before, encoded = np.asarray(picture(plain)), png(plain)
    encode(plain)
    plain.text(0.5, 0.5, "new")
    assert (np.asarray(picture(plain)) != before).any()
    assert png(plain) != encoded


@pytest.mark.parametrize("most", [50_000, 20_000, 5_000])
def test_a_preview_is_as_large_as_it_may_be_and_has_the_shape_of_the_figure(draw, most):
    figure = draw("boundary")
    small = preview(figure, most)
    full, shown = picture(figure), Image.open(io.BytesIO(small))
    assert len(small) <= most
    assert shown.width / shown.height == pytest.approx(full.width / full.height, rel=0.02)
    assert len(small) > 0.5 * most or shown.width > 700


def test_a_preview_looks_like_the_figure(draw):
    figure = draw("boundary")
    shown = Image.open(io.BytesIO(preview(figure, 50_000))).convert("RGB")
    expected = picture(figure).resize(shown.size, Image.Resampling.BOX)
    difference = np.asarray(shown, float) - np.asarray(expected, float)
    assert np.abs(difference).mean() < 6


def test_a_simple_figure_is_not_enlarged(draw):
    figure = Figure(figsize=(1, 1))
    assert Image.open(io.BytesIO(preview(figure, 50_000))).size == picture(figure).size
