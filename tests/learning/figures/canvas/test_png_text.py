"""Texts come into a PNG and out of it, and its pixels stay."""

import io

import numpy as np
from PIL import Image

from classification_assets.learning.figures.canvas.png_text import with_text, without_text


def png():
    buffer = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(buffer, format="png")
    return buffer.getvalue()


def test_a_text_is_read_back_and_changes_no_pixel():
    told = Image.open(io.BytesIO(with_text(png(), "made of", "a split")))
    assert told.info["made of"] == "a split"
    np.testing.assert_array_equal(np.asarray(told), np.asarray(Image.open(io.BytesIO(png()))))


def test_without_its_texts_a_picture_is_what_it_was():
    told = with_text(with_text(png(), "made of", "a split"), "by", "run 1")
    assert without_text(told) == png() == without_text(png())
