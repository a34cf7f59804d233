import io

import numpy as np
import pytest
from PIL import Image

from classification_assets.learning.figures.canvas.quantize import in_few_colours, in_mixed_shades


@pytest.fixture(scope="module")
def picture():
    """Paper with an area that is nearly white on it, and some noise."""
    pixels = np.full((90, 120, 3), 255, np.uint8)
    pixels[:40, :100] = 241, 242, 244
    pixels[60:, 60:] = np.random.default_rng(0).integers(0, 256, (30, 60, 3))
    return Image.fromarray(pixels)


@pytest.mark.parametrize("colours", [16, 64, 255])
def test_the_largest_areas_keep_their_very_colour(picture, colours):
    few = in_few_colours(picture, colours).convert("RGB")
    assert few.getpixel((110, 50)) == (255, 255, 255)
    assert few.getpixel((10, 10)) == (241, 242, 244)


@pytest.mark.parametrize("colours", [16, 64, 255])
def test_there_are_no_more_colours_than_asked_and_a_png_holds_them(picture, colours):
    buffer = io.BytesIO()
    in_few_colours(picture, colours).save(buffer, format="png")
    found = np.asarray(Image.open(buffer).convert("RGB")).reshape(-1, 3)
    assert len(np.unique(found, axis=0)) <= colours


def test_what_is_not_as_large_stays_near_its_colour(picture):
    before, after = (np.asarray(own, int) for own in (picture, in_few_colours(picture, 255).convert("RGB")))
    assert np.abs(before - after).mean() < 10


def test_a_picture_of_one_colour_is_no_trouble():
    assert in_few_colours(Image.new("RGB", (4, 4), "#123456"), 16).convert("RGB").getpixel((1, 1)) == (
        18,
        52,
        86,
    )


@pytest.fixture(scope="module")
def shaded():
    """Paper, and on it an area that runs from one colour into another, in twice as many shades as a palette has."""
    across = np.linspace(0, 1, 500)[:, None]
    pixels = np.full((60, 560, 3), 255, np.uint8)
    pixels[10:50, 30:530] = np.round((1 - across) * (86, 180, 233) + across * (213, 94, 0))
    return Image.fromarray(pixels)


def mean_of_squares(picture):
    return np.asarray(picture.convert("RGB"), float).reshape(30, 2, 280, 2, 3).mean((1, 3))


def test_mixed_shades_run_without_steps_from_one_colour_into_another(shaded):
    mixed = in_mixed_shades(shaded, 64)
    off = np.abs(mean_of_squares(mixed) - mean_of_squares(shaded))[6:24, 20:260]
    steps = np.abs(mean_of_squares(in_few_colours(shaded, 64)) - mean_of_squares(shaded))[6:24, 20:260]
    assert off.mean() < 0.5 * steps.mean()
    assert off.max() < 4


def test_paper_stays_paper_where_shades_are_mixed(shaded):
    mixed = np.asarray(in_mixed_shades(shaded).convert("RGB"))
    assert (mixed[:10] == 255).all()
    assert len(np.unique(mixed.reshape(-1, 3), axis=0)) <= 256


def test_a_picture_of_too_many_shades_for_a_palette_stays_as_it_is(picture):
    assert in_mixed_shades(picture) is picture


def test_a_picture_of_one_colour_is_no_trouble_with_mixed_shades():
    mixed = in_mixed_shades(Image.new("RGB", (5, 3), "#123456"), 16)
    assert mixed.convert("RGB").getcolors() == [(15, (18, 52, 86))]
