import io

import numpy as np
import pytest
from PIL import Image

from classification_assets.learning.figures.canvas.quantize import in_few_colours


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
