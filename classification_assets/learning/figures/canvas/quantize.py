"""A picture in few colours, for files, pages and logs that hold many."""

from __future__ import annotations

import numpy as np
from PIL import Image

FLAT, SAMPLED = 32, 7
"""Colours that are kept as they are, at most, and how far apart the pixels are that tell which."""

_BITS = 6
"""Bits of a channel in which shades are mixed."""

_TURNS = np.array([[0, 2], [3, 1]], np.uint32)
"""How many quarters of such a step each pixel of a square of two by two is lighter before it is cut to a step."""

_LARGE, _SPARSE = 1 / 100, 31
"""Share of the pixels from which on a colour is kept as it is, and how far apart the pixels are that tell."""

_AS_VARIED = 0.25
"""Share of the most varied group's variance from which on groups are cut at the same time."""

_LINES = 64
"""Lines of a picture that are worked on at a time: what the processor holds near."""

_RARE = 0.6
"""Power of a shade's pixels that it weighs: a legend is small, and its colours are to be found as well."""

_SEEN, _MOST_SEEN = 12, 1 / 500
"""How far off, of 255, a channel of a pixel may be, and the share of the pixels, at most, in which it is further."""


def in_few_colours(picture: Image.Image, colours: int = 256) -> Image.Image:
    """An RGB picture with a palette; what fills the largest areas, such as the paper, keeps its very colour.

    The others share an octree, which keeps the small points' colours where a median cut would spend them on larger
    areas' shades. Of a chart 19 pixels in 20 stay as they are.
    """
    pixels = np.asarray(picture.convert("RGBA")).view("<u4")[..., 0] & 0xFFFFFF
    found, counts = np.unique(pixels.ravel()[::SAMPLED], return_counts=True)
    kept = found[np.argsort(-counts, kind="stable")][: min(FLAT, colours // 4)]
    shades = colours - len(kept)
    palette = np.zeros((colours, 3), np.uint8)
    palette[shades:] = kept[:, None].view(np.uint8)[:, :3]
    # A table of all colours is the fastest way to look up some; no shade is number 0 of those that are kept.
    place = np.zeros(2**24, np.uint8)
    place[kept] = np.arange(shades, colours)
    few = place.take(pixels)
    others = np.flatnonzero(few == 0)
    if len(others):
        rest = np.ascontiguousarray(pixels.ravel()[others][:, None].view(np.uint8)[None, :, :3])
        octree = Image.fromarray(rest).quantize(
            shades, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
        known: np.ndarray = np.reshape(octree.getpalette() or [], (-1, 3))
        palette[: len(known)] = known
        few.ravel()[others] = np.asarray(octree)[0]
    exact = Image.fromarray(few)
    exact.putpalette(palette.tobytes())
    return exact


def in_mixed_shades(picture: Image.Image, colours: int = 256) -> Image.Image:
    """An RGB picture with a palette of which neighbours take turns between the two nearest shades.

    For pictures with areas that run from one colour into another: no steps are seen, by an ordered dither (Bayer 1973)
    to 64 steps of each channel, and a palette of these that a variance-based cut (Wan, Prusinkiewicz and Wong 1990)
    spends where a picture has most shades.
    What fills the largest areas, such as the paper, keeps its very colour. A picture that would look different, as of
    ten classes whose tints are many times 256, stays as it is, without a palette.
    """
    # As Pillow holds them, four bytes each, of which the last means nothing.
    packed = np.frombuffer(picture.tobytes("raw", "RGBX"), "<u4") & 0xFFFFFF
    pixels = packed.reshape(picture.height, picture.width)
    found, counts = np.unique(packed[::_SPARSE], return_counts=True)
    largest = np.argsort(-counts, kind="stable")[: min(FLAT, colours // 4)]
    kept = found[largest][counts[largest] > _LARGE * counts.sum()]
    kinds = _kinds(pixels)
    counts = np.bincount(kinds.ravel(), minlength=8**_BITS)
    found = np.flatnonzero(counts)
    counts = counts[found]
    steps = [found >> place * _BITS & 2**_BITS - 1 for place in range(3)]
    shades = np.stack(steps, axis=1).astype(np.float32) * np.float32(255 / (2**_BITS - 1))
    cut = _cut(shades, counts**_RARE, colours - len(kept)).round().astype(np.float32)
    palette = np.concatenate([kept[:, None].view(np.uint8)[:, :3].astype(np.float32), cut])
    near = _nearest(shades, palette)
    if counts[np.abs(palette[near] - shades).max(axis=1) > _SEEN].sum() > _MOST_SEEN * pixels.size:
        return picture
    table = np.zeros(8**_BITS, np.uint8)
    table[found] = near
    mixed = np.empty(pixels.shape, np.uint8)
    for start in range(0, len(pixels), _LINES):
        lines = slice(start, start + _LINES)
        # Each kind has a place: to clip costs less than to look whether one has not.
        own = np.take(table, kinds[lines], out=mixed[lines], mode="clip")
        for index, colour in enumerate(kept):
            np.copyto(own, np.uint8(index), where=pixels[lines] == colour)
    few = Image.fromarray(mixed)
    few.putpalette(palette.astype(np.uint8).tobytes())
    return few


def _kinds(pixels: np.ndarray) -> np.ndarray:
    """The steps of three channels (0xBBGGRR) as one number each, neighbours cut by turns to that below and above."""
    height, width = pixels.shape
    rows, columns = -(-min(_LINES, height) // 2), -(-width // 2)
    turns = np.tile(_TURNS * 0x010101, (rows, columns))[:, :width]
    # As wide as an index, or both who look things up by them would widen a copy.
    kinds = np.empty(pixels.shape, np.intp)
    for start in range(0, height, _LINES):
        lines = pixels[start : start + _LINES]
        # From 0 to 255 to four times 0 to 63, so that white can be told exactly; no channel flows over into the next.
        levels = lines - (lines >> 6 & 0x030303) + turns[: len(lines)]
        levels >>= 2
        own = levels & 0x3F
        own |= levels >> 2 & 0x3F << 6
        levels >>= 4
        levels &= 0x3F << 12
        own |= levels
        kinds[start : start + _LINES] = own
    return kinds


def _nearest(shades: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """The index of the palette's colour (K, 3) that is nearest to each shade (N, 3)."""
    # Not a product of matrices, whose threads wait for one another longer than this takes.
    columns, others = (np.ascontiguousarray(each.T) for each in (shades, -2 * palette))
    distance = np.einsum("cn,ck->nk", columns, others)
    distance += (palette * palette).sum(axis=1)
    return distance.argmin(axis=1)


def _cut(shades: np.ndarray, weight: np.ndarray, most: int) -> np.ndarray:
    """Means (K, 3) of up to `most` groups of shades (N, 3): again and again the most varied are cut at their mean."""
    columns = [weight, *(shades * weight[:, None]).T, *(shades * shades * weight[:, None]).T]
    group, rows = np.zeros(len(shades), int), np.arange(len(shades))
    n_groups = 1
    while True:
        total, *sums = (np.bincount(group, column, n_groups) for column in columns)
        mean = np.stack(sums[:3]) / total
        variance = np.stack(sums[3:]) - mean * np.stack(sums[:3])
        widest = variance.argmax(axis=0)
        spread = variance.max(axis=0)
        above = shades[rows, widest[group]] > mean[widest[group], group]
        # A group of one shade is on one side of its mean.
        sides = np.bincount(group, above, n_groups)
        spread[(sides == 0) | (sides == np.bincount(group, minlength=n_groups))] = 0
        chosen = np.flatnonzero(spread > _AS_VARIED * spread.max())
        chosen = chosen[np.argsort(-spread[chosen], kind="stable")][: most - n_groups]
        if not len(chosen):
            return mean.T
        new = np.full(n_groups, -1)
        new[chosen] = n_groups + np.arange(len(chosen))
        moved = above & (new[group] >= 0)
        group[moved] = new[group[moved]]
        n_groups += len(chosen)
