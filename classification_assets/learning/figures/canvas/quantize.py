"""A picture in few colours, for pages and logs that hold many."""

from __future__ import annotations

import numpy as np
from PIL import Image

FLAT, SAMPLED = 2, 7
"""Colours that are kept as they are, and how far apart the pixels are that tell which."""


def in_few_colours(picture: Image.Image, colours: int) -> Image.Image:
    """An RGB picture with a palette; what fills the largest areas, such as the paper, keeps its very colour.

    An octree keeps the small points' colours, which a median cut spends on the large areas' shades, but makes
    one of white and of what is nearly white.
    """
    shades = colours - FLAT
    few = picture.quantize(shades, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = np.zeros((colours, 3), np.uint8)
    known: np.ndarray = np.reshape(few.getpalette() or [], (-1, 3))
    palette[: len(known)] = known
    index = np.array(few)
    pixels = np.asarray(picture.convert("RGBA")).view(np.uint32)[..., 0]
    found, counts = np.unique(pixels.ravel()[::SAMPLED], return_counts=True)
    for place, colour in enumerate(found[np.argsort(-counts, kind="stable")][:FLAT], shades):
        index[pixels == colour] = place
        palette[place] = colour[None].view(np.uint8)[:3]
    exact = Image.fromarray(index)
    exact.putpalette(palette.tobytes())
    return exact
