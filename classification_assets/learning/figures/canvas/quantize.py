"""A picture in few colours, for files, pages and logs that hold many."""

from __future__ import annotations

import numpy as np
from PIL import Image

FLAT, SAMPLED = 32, 7
"""Colours that are kept as they are, at most, and how far apart the pixels are that tell which."""

_BITS = 7
"""Bits of a channel that tell shades apart when a palette is chosen; of those alike in these, one stands for all."""

_STEPS = (-1.5, 0.5, 1.5, -0.5)
"""How much lighter, of 255, each pixel of a square of two by two is taken to be: half the distance of two shades."""

_RARE = 0.6
"""Power of a shade's pixels that it weighs: a legend is small, and its colours are to be found as well."""

_SEEN, _MOST_SEEN = 12, 1 / 500
"""How far off, of 255, a channel of a pixel may be, and the share of the pixels, at most, in which it is further."""


def in_few_colours(picture: Image.Image, colours: int = 256) -> Image.Image:
    """An RGB picture with a palette; what fills the largest areas, such as the paper, keeps its very colour.

    An octree keeps the small points' colours, which a median cut spends on the large areas' shades, but makes
    one of white and of what is nearly white. Of a chart 19 pixels in 20 stay as they are.
    """
    pixels = np.asarray(picture.convert("RGBA")).view("<u4")[..., 0] & 0xFFFFFF
    found, counts = np.unique(pixels.ravel()[::SAMPLED], return_counts=True)
    kept = found[np.argsort(-counts, kind="stable")][: min(FLAT, colours // 4)]
    shades = colours - len(kept)
    few = picture.quantize(shades, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = np.zeros((colours, 3), np.uint8)
    known: np.ndarray = np.reshape(few.getpalette() or [], (-1, 3))
    palette[: len(known)] = known
    palette[shades:] = kept[:, None].view(np.uint8)[:, :3]
    # A table of all colours is the fastest way to look up some; no shade is number 0 of those that are kept.
    place = np.zeros(2**24, np.uint8)
    place[kept] = np.arange(shades, colours)
    own = place[pixels]
    exact = Image.fromarray(np.where(own, own, np.asarray(few)))
    exact.putpalette(palette.tobytes())
    return exact


def in_mixed_shades(picture: Image.Image, colours: int = 256) -> Image.Image:
    """An RGB picture with a palette of which neighbours take turns between the two nearest shades.

    For pictures with areas that run from one colour into another: no steps are seen, by an ordered dither (Bayer 1973)
    of a palette that a variance-based cut (Wan, Prusinkiewicz and Wong 1990) spends where a picture has most shades.
    What fills the largest areas, such as the paper, keeps its very colour. A picture that would look different, as of
    ten classes whose tints are many times 256, stays as it is, without a palette.
    """
    pixels = np.asarray(picture.convert("RGBA")).view("<u4")[..., 0] & 0xFFFFFF
    kinds = _kinds(pixels)
    counts = np.bincount(kinds.ravel(), minlength=8**_BITS)
    found = np.flatnonzero(counts)
    numbers = np.zeros(8**_BITS, np.uint32)
    numbers[found] = np.arange(len(found))
    kinds, counts = numbers[kinds], counts[found]
    told = np.zeros(len(found), np.uint32)
    told[kinds.ravel()] = pixels.ravel()
    shades = np.stack([told & 255, told >> 8 & 255, told >> 16], axis=1).astype(np.float32)
    flat = np.argsort(-counts, kind="stable")[: min(FLAT, colours // 4)]
    palette = np.concatenate([shades[flat], _cut(shades, counts**_RARE, colours - len(flat)).round()])
    mixed, seen = np.empty(pixels.shape, np.uint8), 0.0
    for index, step in enumerate(_STEPS):
        near = _nearest(shades + np.float32(step), palette)
        near[flat] = np.arange(len(flat))
        seen += counts[np.abs(palette[near] - shades).max(axis=1) > _SEEN].sum() / len(_STEPS)
        square = np.s_[index // 2 :: 2, index % 2 :: 2]
        mixed[square] = near[kinds[square]]
    if seen > _MOST_SEEN * pixels.size:
        return picture
    few = Image.fromarray(mixed)
    few.putpalette(palette.astype(np.uint8).tobytes())
    return few


def _kinds(pixels: np.ndarray) -> np.ndarray:
    """The leading bits of three channels (0xBBGGRR) as one number."""
    lost = 8 - _BITS
    kinds = np.zeros_like(pixels)
    for channel in range(3):
        kinds |= (pixels >> (lost + channel * lost)) & ((2**_BITS - 1) << channel * _BITS)
    return kinds


def _nearest(shades: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """The index of the palette's colour (K, 3) that is nearest to each shade (N, 3)."""
    distance = shades @ (-2 * palette.T)
    distance += (palette * palette).sum(axis=1)
    return distance.argmin(axis=1)


def _cut(shades: np.ndarray, weight: np.ndarray, most: int) -> np.ndarray:
    """Means (K, 3) of up to `most` groups of shades (N, 3): again and again the most varied is cut at its mean."""
    sums = np.concatenate([np.ones_like(shades[:, :1]), shades, shades * shades], axis=1) * weight[:, None]

    def spread(group: np.ndarray) -> tuple[float, int, np.ndarray]:
        total = sums[group].sum(axis=0)
        mean = total[1:4] / total[0]
        variance = total[4:] - mean * total[1:4]
        widest = int(variance.argmax())
        return float(variance[widest]), widest, mean

    groups = [np.arange(len(shades))]
    spreads = [spread(groups[0])]
    while len(groups) < most:
        variances = [variance for variance, _, _ in spreads]
        index = variances.index(max(variances))
        group, (_, widest, mean) = groups[index], spreads[index]
        low = shades[group, widest] <= mean[widest]
        if low.all() or not low.any():
            break  # nothing varies any more
        groups[index], spreads[index] = group[low], spread(group[low])
        groups.append(group[~low])
        spreads.append(spread(group[~low]))
    return np.array([mean for _, _, mean in spreads], np.float32)
